"""Glue: the programs that an experiment runs, what they say and when, and their end."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from netlab.lab.errors import CannotRun
from netlab.lab.events import ERROR, EXIT, MAX_EVENTS, MAX_TEXT, OUTPUT, Event
from netlab.lab.waiting import Patience

#: Seconds that a daemon may take to listen or to stop, and any one command. Only a broken one needs so long.
PATIENCE, LONG = 30.0, 180.0
#: Seconds in which what an ended program has written is read, though its own children keep its pipes open.
_LAST_WORDS = 0.5
_KINDS = {1: OUTPUT, 2: ERROR}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Record:
    """All events of an experiment so far."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def add(self, source: str, kind: str, text: str, at: int | None = None) -> None:
        """One more, now or at a time in ns; beyond the limit they are dropped."""
        if len(self.events) < MAX_EVENTS:
            self.events.append(Event(time.time_ns() if at is None else at, source, kind, text[:MAX_TEXT]))


class Program(ProcessProtocol):
    """A running program; each line that it says is an event."""

    def __init__(self, name: str, record: Record, clock: Any) -> None:
        self.name = name
        self.code: int | None = None
        self._record = record
        self._clock = clock
        self._rest = {1: b"", 2: b""}
        self._lines: list[str] = []
        self._heeded: list[tuple[str, int, Deferred[None]]] = []
        self._ended: list[Deferred[None]] = []
        self._lingering: Any = None

    async def says(self, text: str, times: int = 1) -> None:
        """Wait until it has said something with ``text`` in it so often.

        :raises CannotRun: it ended before that, or takes too long.
        """
        if self._count(text) < times:
            heeded: Deferred[None] = Deferred()
            self._heeded.append((text, times, heeded))
            self._check_end()
            await Patience(self._clock, PATIENCE, f"{self.name} did not say {text!r}").on(heeded)

    async def ends(self, seconds: float = LONG) -> int:
        """Wait for its end; its exit code, as a shell has it.

        :raises CannotRun: it takes too long.
        """
        if self.code is None:
            ended: Deferred[None] = Deferred()
            self._ended.append(ended)
            await Patience(self._clock, seconds, f"{self.name} did not end").on(ended)
        assert self.code is not None
        return self.code

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.code is None and self.transport is not None:
            try:
                self.transport.signalProcess(number)
            except ProcessExitedAlready:
                return

    @property
    def last_words(self) -> str:
        """The last line that it said, which is where programs say what went wrong."""
        return next((line for line in reversed(self._lines) if line.strip()), "it said nothing")

    # ---- what Twisted calls

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N803 - Twisted names it
        """It said something."""
        *lines, rest = (self._rest[childFD] + data).split(b"\n")
        self._rest[childFD] = rest[:MAX_TEXT]
        for line in lines:
            self._said(childFD, line)

    def processExited(self, reason: Failure) -> None:
        """It has ended; what it started itself may still hold its output, and is not waited for."""
        assert self.transport is not None
        self._lingering = self._clock.callLater(_LAST_WORDS, self.transport.loseConnection)

    def processEnded(self, reason: Failure) -> None:
        """It has ended, and nothing of it is still to be read."""
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        for descriptor, rest in self._rest.items():
            if rest:
                self._said(descriptor, rest)
        error: Any = reason.value
        code = 0 if isinstance(error, ProcessDone) else error.exitCode
        self.code = 128 + (error.signal or 0) if code is None else code
        self._record.add(self.name, EXIT, str(self.code))
        for ended in self._ended:
            if not ended.called:
                ended.callback(None)
        self._check_end()

    # ---- inside

    def _said(self, descriptor: int, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        if len(self._lines) < MAX_EVENTS:
            self._lines.append(text[:MAX_TEXT])
        self.keep(_KINDS[descriptor], text)
        for wanted, times, heeded in self._heeded:
            if not heeded.called and self._count(wanted) >= times:
                heeded.callback(None)

    def keep(self, kind: str, text: str) -> None:
        """Keep a line as an event."""
        self._record.add(self.name, kind, text)

    def _count(self, text: str) -> int:
        return sum(text in line for line in self._lines)

    def _check_end(self) -> None:
        if self.code is not None:
            for _, _, heeded in self._heeded:
                if not heeded.called:
                    heeded.errback(CannotRun(f"{self.name} ended with {self.code}: {self.last_words}"))


class Daemon(Program):
    """A daemon: its log comes from a file of its own (``--log-json``), so its output is no event."""

    def keep(self, kind: str, text: str) -> None:
        """Nothing to keep."""


def start(reactor: Any, program: Program, words: Sequence[str], folder: Path) -> None:
    """Start a program in ``folder``, with no input.

    :raises CannotRun: there is none of that name.
    """
    path = found(words[0])
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"}
    environment["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", os.defpath)))
    inputs = os.open(os.devnull, os.O_RDONLY)
    try:
        reactor.spawnProcess(
            program, path, [path, *words[1:]], environment, str(folder), childFDs={0: inputs, 1: "r", 2: "r"}
        )
    finally:
        os.close(inputs)


def found(name: str) -> str:
    """The program ``name``: beside this Python, or in the PATH.

    :raises CannotRun: there is none.
    """
    beside = Path(sys.executable).parent / name
    path = str(beside) if beside.exists() else shutil.which(name)
    if path is None:
        raise CannotRun(f"there is no program {name!r}, neither beside {sys.executable} nor in the PATH")
    return path


def browser() -> str | None:
    """A browser that can go without a screen; `None` if there is none."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)
