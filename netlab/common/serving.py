"""Who is connected to a daemon: no more than there may be, a line in the log for each, and how all of them end."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar
from typing import Protocol as Shape

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.common.addresses import address_text
from netlab.common.limits import ConnectionLimits

#: The part of the time for stopping after which answers are no longer waited for; the rest is for sending.
_LAST_CALL = 0.9


class ServedProtocol(Protocol):
    """A connection of a daemon, as its factory sees it: it calls ``opened`` and ``closed`` there."""

    #: Who is there, for the log.
    peer: str = ""
    #: Why we ended the connection, where we did.
    why: str | None = None
    #: What was done on it, such as ``3 requests``, for the log's last line of it.
    done: str = ""

    @abstractmethod
    def finish(self) -> None:
        """Finish what has begun, then close: the daemon stops."""

    @abstractmethod
    def end(self, why: str) -> None:
        """Close now, for a reason of ours."""


class Stoppable(Shape):
    """What has a timer, such as `netlab.common.reaper.Reaper`."""

    def stop(self) -> None:
        """End the timer."""


C = TypeVar("C", bound=ServedProtocol)


class ServedFactory(Factory, Generic[C]):
    """Makes the connections of one daemon and knows them all.

    A subclass makes them (`connection`), and drops what it keeps of one in its `closed`. What has timers is listed in
    ``timers``, and is stopped with the daemon.

    :param clock: the reactor.
    """

    noisy = False
    log = Logger(namespace="netlab.serving")
    #: Whether each connection has its lines in the log; one that we ended for a reason has its last one anyhow.
    connection_log = True

    def __init__(self, clock: IReactorTime, limits: ConnectionLimits) -> None:
        self._clock = clock
        self.limits = limits
        self._connections: set[C] = set()
        self._stopped: Deferred[None] | None = None
        self._ending: list[IDelayedCall] = []
        self.timers: list[Stoppable] = []
        #: Called when a stop has taken nearly all of its time: they end what answers are waited for, so that clients
        #: are told why before they are cut off.
        self.last_calls: list[Callable[[], object]] = []

    @abstractmethod
    def connection(self) -> C:
        """A new connection."""

    def buildProtocol(self, addr: IAddress | None) -> C | None:
        """A connection, or `None` (Twisted closes it) when there are as many as there may be."""
        if self._stopped is not None or len(self._connections) >= self.limits.max_connections:
            self.log.warn(
                "{{{peer}}} Connection refused: {count} are open, the most that may be",
                peer=address_text(addr),
                count=len(self._connections),
            )
            return None
        return self.connection()

    def stop(self) -> Deferred[None]:
        """Finish what has begun on every connection; fires when all are closed, at the latest ``stop_timeout`` on."""
        if self._stopped is None:
            self._stopped = Deferred()
            seconds = self.limits.stop_timeout
            self._ending = [
                self._clock.callLater(_LAST_CALL * seconds, self._call_last),
                self._clock.callLater(seconds, self._end_all),
            ]
            for connection in list(self._connections):
                connection.finish()
            self._check_stopped()
        return self._stopped

    # ---- what connections say

    def opened(self, connection: C) -> None:
        """A connection is there."""
        self._connections.add(connection)
        if self.connection_log:
            self.log.info("Connection established with {peer}", peer=connection.peer)

    def closed(self, connection: C, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        self._connections.discard(connection)
        self.log_closed(connection, reason)
        self._check_stopped()

    def log_closed(self, connection: C, reason: Failure) -> None:
        """Tell that a connection is gone, and why."""
        why = connection.why
        if why is None and not reason.check(ConnectionDone, ConnectionAborted):
            why = reason.getErrorMessage()
        if self.connection_log or why:
            done = " after {done}" if connection.done else ""
            line = "{{{peer}}} Connection closed" + done + (": {why}" if why else "")
            self.log.info(line, peer=connection.peer, why=why, done=connection.done)

    # ---- stopping

    def _call_last(self) -> None:
        for call in self.last_calls:
            call()

    def _end_all(self) -> None:
        for connection in list(self._connections):
            connection.end("the daemon stops")

    def _check_stopped(self) -> None:
        if self._stopped is None or self._connections or self._stopped.called:
            return
        for timer in self.timers:
            timer.stop()
        for call in self._ending:
            if call.active():
                call.cancel()
        self._stopped.callback(None)
