"""Glue: one experiment in a process of its own (`netlab.lab.bench`), as a command sees it."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from netlab.lab import events
from netlab.lab.bench import CAPTURE, DONE, EVENTS, STEP
from netlab.lab.draw import Whose
from netlab.lab.errors import CannotRun

#: Seconds for it to end what it began when it is told to.
_PATIENCE = 30.0

Told = Callable[[int, str], None]


@frozen
class Wish:
    """What to run, for whom, and where: ``folder`` of the user's own experiments, the ``machine``'s own network."""

    name: str
    whose: Whose
    folder: str | None = None
    machine: bool = False
    capture: bool = True


@frozen
class Ran:
    """What came of it: the capture, `None` for none; the events; and how it went.

    ``skipped`` says why it could not be run here at all; otherwise it is empty.
    """

    capture: bytes | None
    events: tuple[events.Event, ...]
    network: str
    dropped: int
    why: str
    skipped: str = ""


def ran(wish: Wish, told: Told) -> Ran:
    """Run it; ``told`` is called with each step as it begins.

    :raises CannotRun: it went wrong.
    """
    with tempfile.TemporaryDirectory(prefix="netlab-lab-") as folder:
        outcome = _outcome(wish, Path(folder), told)
        if "refused" in outcome:
            outcome = _outcome(evolve(wish, machine=True), Path(folder), told)
        if "failed" in outcome:
            raise CannotRun(outcome["failed"])
        if "skipped" in outcome:
            return Ran(None, (), "machine", 0, outcome["skipped"], outcome["skipped"])
        capture = (Path(folder) / CAPTURE).read_bytes() if outcome["captured"] else None
        seen = tuple(events.read((Path(folder) / EVENTS).read_text("utf-8")))
        return Ran(capture, seen, outcome["network"], outcome.get("dropped", 0), outcome.get("why", ""))


def _outcome(wish: Wish, folder: Path, told: Told) -> Mapping[str, Any]:
    asked = {
        "name": wish.name,
        "from": None if wish.folder is None else str(Path(wish.folder).absolute()),
        "student": wish.whose.student,
        "seed": wish.whose.seed,
        "quick": wish.whose.quick,
        "machine": wish.machine,
        "capture": wish.capture,
        "folder": str(folder),
    }
    # A group of its own: whatever of it is left in the end is ended. Its input is its lifeline.
    process = subprocess.Popen(
        [sys.executable, "-m", "netlab.lab.bench", json.dumps(asked)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        return _followed(process, told)
    finally:
        _end(process)


def _followed(process: "subprocess.Popen[bytes]", told: Told) -> Mapping[str, Any]:
    """Read what it says, until its last line."""
    assert process.stdout is not None and process.stderr is not None
    said = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
    output, errors = said
    reading = set(said)
    while reading:
        for descriptor in select.select(list(reading), [], [])[0]:
            data = os.read(descriptor, 65_536)
            said[descriptor] += data
            if not data:
                reading.discard(descriptor)
        *lines, said[output] = said[output].split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace")
            if text.startswith(DONE):
                return dict(json.loads(text[len(DONE) :]))
            if text.startswith(STEP):
                number, _, words = text[len(STEP) :].partition(" ")
                told(int(number), words)
    raise CannotRun(f"the bench ended by itself: {said[errors].decode('utf-8', 'replace').strip()[-2_000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it, and what it left behind."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()
