"""The two pipes between a program and the watchdog that is its child (`netlab.watchdog.notes`)."""

import contextlib
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from netlab.watchdog.errors import NoNote
from netlab.watchdog.notes import MAX_LINE, Note, read_note, write_note


class Notes(LineOnlyReceiver):
    """One side's ends of the pipes.

    :param heard: gets each note of the other side; what is none is left alone.
    :param gone: is called once the other side is gone, or has closed its ends.
    """

    delimiter = b"\n"
    MAX_LENGTH = MAX_LINE
    transport: Any = None

    def __init__(self, heard: Callable[[Note], None], gone: Callable[[], object]) -> None:
        self._heard = heard
        self._gone = gone
        self._closing: list[Deferred[None]] = []

    def open(self, reactor: Any, inward: int, outward: int) -> None:
        """Take the two descriptors, and begin to read."""
        StandardIO(self, stdin=inward, stdout=outward, reactor=reactor)  # type: ignore[call-arg] # not Windows' own

    def tell(self, note: Note) -> None:
        """Write a note, if there are ends to write to."""
        if self.transport is not None:
            self.transport.write(write_note(note))

    def close(self) -> "Deferred[None]":
        """Close our ends once everything is written; fires when that is done."""
        closed: Deferred[None] = Deferred()
        if self.transport is None:
            closed.callback(None)
        else:
            self._closing.append(closed)
            self.transport.loseConnection()
        return closed

    # ---- what Twisted calls

    def lineReceived(self, line: bytes) -> None:
        """A line has come."""
        with contextlib.suppress(NoNote):
            self._heard(read_note(line))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The pipes are closed."""
        self.transport = None
        self._gone()
        closing, self._closing = self._closing, []
        for closed in closing:
            closed.callback(None)
