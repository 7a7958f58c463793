"""What can go wrong between a watchdog and those it watches, each cause a class."""

from netlab.common.errors import LocalError, RemoteError


class UnknownMessage(RemoteError):
    """A client sent a number that the protocol does not have; where the next one begins cannot be trusted."""


class WatchdogFault(RemoteError):
    """There is no connection to a watchdog, or no longer."""


class ConnectFailed(WatchdogFault):
    """No connection came about."""


class WatchdogGone(WatchdogFault):
    """The watchdog closed the connection, or is no more."""


class CannotWatch(LocalError):
    """A watchdog of one's own cannot be started, or what it should start cannot."""


class NotProven(LocalError):
    """Nobody may be ended: which process of ours is at the other end of a connection cannot be proven."""
