"""Experiments that several tests look at: each is run once, some side by side, for each has a network of its own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

from attrs import frozen

from netlab.common.errors import NetlabError
from netlab.lab.bench_process import Ran, Wish, ran
from netlab.lab.bundle import files_of
from netlab.lab.draw import Whose
from netlab.lab.loading import experiments
from netlab.lab.result import Result, result_of

QUICK = Whose(quick=True)
#: What every program that is started here has in its environment.
_MARK = f"NETLAB_TESTED_BY_{os.getpid()}"
#: Experiments that run at the same time.
_TOGETHER = 3


@frozen
class Done:
    """An experiment that was run, and its bundle."""

    ran: Ran
    result: Result
    files: dict[str, bytes]


def run(name: str, whose: Whose = QUICK, folder: str | None = None, *, capture: bool = True) -> Done:
    """Run an experiment and judge it; one that cannot be run fails the test."""
    os.environ[_MARK] = "1"
    try:
        seen = ran(Wish(name, whose, folder, capture=capture), lambda number, line: None)
    except NetlabError as error:
        raise AssertionError(f"{name}: {error}") from None
    result = result_of(experiments(folder)[name], whose, seen.capture, seen.events, seen.network, seen.why)
    return Done(seen, result, files_of(result, "en"))


@cache
def all_done() -> dict[str, Done]:
    """Every experiment of ours."""
    with ThreadPoolExecutor(_TOGETHER) as pool:
        return dict(zip(experiments(), pool.map(run, experiments()), strict=True))


@cache
def done(student: str = "") -> Done:
    """``calc-outage``, of this student."""
    return run("calc-outage", Whose(student, quick=True))


def verdicts(result: Result) -> dict[str, str]:
    """The verdict on each claim, by its name."""
    return {claim.name: judged.verdict for claim, judged in result.judged}


def marked() -> list[bytes]:
    """The command lines of programs that an experiment began, and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and _MARK.encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes())
    return found
