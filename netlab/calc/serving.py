"""What daemons of the calculator protocol have in common: what their connections share."""

import time
from abc import abstractmethod
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.calc.calculator import Reply
from netlab.calc.connection import CalcProtocol
from netlab.calc.errors import FramingError
from netlab.calc.limits import Limits
from netlab.calc.turns import Turns
from netlab.common.reaper import Reaper
from netlab.common.serving import ServedFactory


class ServingFactory(ServedFactory[CalcProtocol]):
    """Makes the connections of one daemon; a subclass answers.

    :param clock: the reactor, for every timer.
    :param wall: unix seconds, for the time stamps of packets.
    :param measure: seconds on a fine clock, for how long answering takes.
    :param request_log: whether each connection, request and response is a line in the log.
    """

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
        limits = limits or Limits()
        super().__init__(clock, limits)
        self.limits: Limits = limits
        self.turns = Turns(clock, measure)
        self.idle: Reaper[CalcProtocol] = Reaper(clock, self.limits.idle_timeout, self._is_idle)
        self.begun: Reaper[CalcProtocol] = Reaper(clock, self.limits.packet_timeout, self._is_late)
        self.wall = wall
        self.request_log = self.connection_log = request_log
        self.timers = [self.idle, self.begun, self.turns]

    @abstractmethod
    def reply(self, connection: CalcProtocol, frame: bytes) -> Reply | Deferred[Reply]:
        """Answer one packet: now, or by a Deferred that has not fired yet and will not fail."""

    @abstractmethod
    def refuse(self, fault: FramingError) -> Reply:
        """The answer to a stream that can no longer be cut into packets."""

    def connection(self) -> CalcProtocol:
        """A new connection."""
        return CalcProtocol(self)

    # ---- what connections say

    def closed(self, connection: CalcProtocol, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        self.idle.drop(connection)
        self.begun.drop(connection)
        super().closed(connection, reason)

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
