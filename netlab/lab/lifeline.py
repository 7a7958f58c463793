"""Glue: a descriptor whose end tells that whoever started this process is gone."""

import os
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IReadDescriptor)
class Lifeline:
    """Stops the reactor when there is nothing more to read."""

    def __init__(self, reactor: Any, descriptor: int) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._stopped = False

    def watch(self) -> None:
        """Begin."""
        self._reactor.addReader(self)

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def logPrefix(self) -> str:
        """Who this is, for Twisted's log."""
        return "lifeline"

    def doRead(self) -> None:
        """Something came, which nobody wants, or the end."""
        if not os.read(self._descriptor, 4096):
            self._reactor.removeReader(self)
            self._stop()

    def connectionLost(self, reason: Failure) -> None:
        """The end, as poll(2) tells of a pipe that nobody writes to any more; or the reactor ends by itself."""
        self._stop()

    def _stop(self) -> None:
        if self._reactor.running and not self._stopped:
            self._stopped = True
            self._reactor.stop()
