"""The two pipes between a program and the watchdog that is its child (`netlab.watchdog.notes`)."""

import contextlib
import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.watchdog.errors import NoNote
from netlab.watchdog.notes import MAX_LINE, Note, Request, read_note, write_note


class _Pipes(StandardIO):
    """Two descriptors as one transport. Twisted's own, made for the standard ones, closes neither of them."""

    def __init__(self, protocol: Protocol, inward: int, outward: int, reactor: Any) -> None:
        self._reactor = reactor
        self._descriptors = {"read": inward, "write": outward}
        super().__init__(protocol, stdin=inward, stdout=outward, reactor=reactor)  # type: ignore[call-arg]

    def childConnectionLost(self, fd: str, reason: Failure) -> None:
        """One of them is done with, and the reactor has let go of it.

        A reactor that has stopped lets go of everything, of some things twice, and needs them open.
        """
        descriptor = self._descriptors.pop(fd, None)
        if descriptor is not None and self._reactor.running:
            os.close(descriptor)
        super().childConnectionLost(fd, reason)  # type: ignore[misc] # mypy sees the StandardIO of Windows


@implementer(IPushProducer)
class Notes(LineOnlyReceiver):
    """One side's ends of the pipes.

    While the other side does not read, it is told of no requests: there will be newer ones.

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
        self._held = False

    def open(self, reactor: Any, inward: int, outward: int) -> None:
        """Take the two descriptors, and begin to read."""
        _Pipes(self, inward, outward, reactor)

    def tell(self, note: Note) -> None:
        """Write a note, if there are ends to write to."""
        if self.transport is not None and not (self._held and isinstance(note, Request)):
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

    def say_no_more(self) -> None:
        """Close the pipe to the other side, and read on."""
        if self.transport is not None:
            self.transport.loseWriteConnection()

    # ---- what Twisted calls

    def connectionMade(self) -> None:
        """The pipes are open."""
        self.transport.registerProducer(self, True)

    def pauseProducing(self) -> None:
        """The other side does not read."""
        self._held = True

    def resumeProducing(self) -> None:
        """It has read."""
        self._held = False

    def stopProducing(self) -> None:
        """The pipe takes no more; `connectionLost` follows."""

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
