"""``netlab ping --json`` as a process of its own in a namespace, read event by event."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from typing import Any

from netlab.icmp.sockets import UNPRIVILEGED
from tests.cli.command import NETLAB, PATIENCE, environment
from tests.networks import Host


class Run:
    """One run; ``events`` is what it has written so far."""

    def __init__(self, host: Host, *words: str, privileged: bool = True) -> None:
        more = {} if privileged else {UNPRIVILEGED: "1"}
        self.process = subprocess.Popen(
            [*host.enter(), *NETLAB, "ping", "--json", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(**more),
        )
        self.events: list[dict[str, Any]] = []
        self._unread = b""

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def next(self, *names: str) -> dict[str, Any]:
        """Read until an event of one of these names comes, and give it."""
        assert self.process.stdout is not None
        end = time.monotonic() + PATIENCE
        while True:
            while b"\n" in self._unread:
                line, _, self._unread = self._unread.partition(b"\n")
                self.events.append(json.loads(line))
                if self.events[-1]["event"] in names:
                    return self.events[-1]
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65_536) if ready else b""
            if not data:
                assert self.process.stderr is not None
                raise AssertionError(f"no {names} came, but {self.events[-5:]}")
            self._unread += data

    def end(self, interrupt: bool = False) -> tuple[int, dict[str, Any]]:
        """Wait for the end, which may be asked for by Ctrl+C; the exit status and the last summary."""
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        self.next("end")
        summary = next(event for event in reversed(self.events) if event["event"] == "summary")
        return self.process.wait(PATIENCE), summary

    def of(self, name: str) -> list[dict[str, Any]]:
        """All events of a name that have come."""
        return [event for event in self.events if event["event"] == name]
