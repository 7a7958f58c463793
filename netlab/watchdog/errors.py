"""What can go wrong between a watchdog and those it watches, each cause a class."""

from netlab.common.errors import ConnectionFault, LocalError, RemoteError


class UnknownMessage(RemoteError):
    """A client sent a number that the protocol does not have; where the next one begins cannot be trusted."""


class NoNote(RemoteError):
    """What came through the pipe between a program and its watchdog is none of `netlab.watchdog.notes`."""


class WatchdogGone(ConnectionFault):
    """The watchdog closed the connection, or is no more."""


class BeingEnded(WatchdogGone):
    """The watchdog has begun to end this program, whose signs of life had stopped."""


class CannotWatch(LocalError):
    """A watchdog of one's own cannot be started, or what it should start cannot.

    ``found`` is whether what should be started is there at all.
    """

    def __init__(self, reason: str, *, found: bool = True) -> None:
        super().__init__(reason)
        self.found = found


class NotProven(LocalError):
    """Nobody may be ended: which process of ours is at the other end of a connection cannot be proven."""
