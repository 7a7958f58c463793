"""What daemons of the calculator protocol have in common: who is connected, what they share, how they stop."""

import time
from abc import abstractmethod
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.calc.calculator import Reply
from netlab.calc.connection import CalcProtocol
from netlab.calc.errors import FramingError
from netlab.calc.limits import Limits
from netlab.calc.turns import Turns
from netlab.common.addresses import address_text
from netlab.common.reaper import Reaper


class ServingFactory(Factory):
    """Makes the connections of one daemon; a subclass answers.

    :param clock: the reactor, for every timer.
    :param wall: unix seconds, for the time stamps of packets.
    :param measure: seconds on a fine clock, for how long answering takes.
    :param request_log: whether each connection, request and response is a line in the log.
    """

    noisy = False
    log = Logger(namespace="netlab.calc")

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits | None = None,
        *,
        request_log: bool = True,
        wall: Callable[[], float] = time.time,
        measure: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.limits = limits or Limits()
        self.turns = Turns(clock, measure)
        self.idle: Reaper[CalcProtocol] = Reaper(clock, self.limits.idle_timeout, self._is_idle)
        self.begun: Reaper[CalcProtocol] = Reaper(clock, self.limits.packet_timeout, self._is_late)
        self.wall = wall
        self._clock = clock
        self.request_log = request_log
        self._connections: set[CalcProtocol] = set()
        self._stopped: Deferred[None] | None = None
        self._abort: IDelayedCall | None = None

    @abstractmethod
    def reply(self, connection: CalcProtocol, frame: bytes) -> Reply | Deferred[Reply]:
        """Answer one packet: now, or by a Deferred that has not fired yet and will not fail."""

    @abstractmethod
    def refuse(self, fault: FramingError) -> Reply:
        """The answer to a stream that can no longer be cut into packets."""

    def buildProtocol(self, addr: IAddress | None) -> CalcProtocol | None:
        """A connection, or `None` (Twisted closes it) when there are as many as there may be."""
        if self._stopped is not None or len(self._connections) >= self.limits.max_connections:
            self.log.warn(
                "{{{peer}}} Connection refused: {count} are open, the most that may be",
                peer=address_text(addr),
                count=len(self._connections),
            )
            return None
        return CalcProtocol(self)

    def stop(self) -> Deferred[None]:
        """Finish what has begun on every connection; fires when all are closed, at the latest ``stop_timeout`` on."""
        if self._stopped is None:
            self._stopped = Deferred()
            self._abort = self._clock.callLater(self.limits.stop_timeout, self._end_all)
            for connection in list(self._connections):
                connection.finish()
            self._check_stopped()
        return self._stopped

    # ---- what connections say

    def opened(self, connection: CalcProtocol) -> None:
        """A connection is there."""
        self._connections.add(connection)
        if self.request_log:
            self.log.info("Connection established with {peer}", peer=connection.peer)

    def closed(self, connection: CalcProtocol, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        self._connections.discard(connection)
        self.idle.drop(connection)
        self.begun.drop(connection)
        why = connection.why
        if why is None and not reason.check(ConnectionDone, ConnectionAborted):
            why = reason.getErrorMessage()
        if self.request_log or why:
            line = "{{{peer}}} Connection closed" + (": {why}" if why else "")
            self.log.info(line, peer=connection.peer, why=why)
        self._check_stopped()

    def distrust(self, connection: CalcProtocol, fault: FramingError) -> Reply:
        """Answer a stream that can no longer be cut into packets."""
        connection.why = str(fault)
        reply = self.refuse(fault)
        self.log_reply(connection, reply)
        return reply

    def log_request(self, connection: CalcProtocol, frame: bytes) -> None:
        """Tell of a request, if requests are to be told of."""
        if self.request_log:
            self.log.info("{{{peer}}} Got request of length {length} bytes", peer=connection.peer, length=len(frame))

    def log_reply(self, connection: CalcProtocol, reply: Reply) -> None:
        """Tell of a response, if requests are to be told of."""
        if self.request_log:
            self.log.info(
                "{{{peer}}} Sending response of length {length} bytes" + (": {status}, {note}" if reply.note else ""),
                peer=connection.peer,
                length=reply.length,
                status=reply.status,
                note=reply.note,
            )

    # ---- what time says

    def _is_idle(self, connection: CalcProtocol) -> None:
        if connection.waits:
            self.idle.touch(connection)
        else:
            connection.end(f"nothing asked or read for {self.limits.idle_timeout:g} s")

    def _is_late(self, connection: CalcProtocol) -> None:
        connection.end(f"a packet was not finished in {self.limits.packet_timeout:g} s")

    def _end_all(self) -> None:
        self._abort = None
        for connection in list(self._connections):
            connection.end("the daemon stops")

    def _check_stopped(self) -> None:
        if self._stopped is None or self._connections or self._stopped.called:
            return
        for owner in (self.idle, self.begun, self.turns):
            owner.stop()
        if self._abort is not None:
            self._abort.cancel()
            self._abort = None
        self._stopped.callback(None)
