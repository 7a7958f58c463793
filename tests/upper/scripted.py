"""Runs a side of the laboratory without a kernel."""

from __future__ import annotations

from typing import TypeVar

from netlab.upper.calls import Call, Calls, Receive

R = TypeVar("R")


def run(calls: Calls[R], arriving: list[bytes]) -> tuple[list[Call], R]:
    """What is asked for when each `Receive` is given the next of ``arriving``, and the end of the stream after it."""
    coming = iter(arriving)
    asked: list[Call] = []
    data = None
    while True:
        try:
            call = calls.send(data)  # type: ignore[arg-type]
        except StopIteration as stopped:
            return asked, stopped.value
        asked.append(call)
        data = next(coming, b"") if isinstance(call, Receive) else b""
