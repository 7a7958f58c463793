"""The file server: who is connected, what they share, and what they are answered."""

import time
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.common.reaper import Reaper
from netlab.common.serving import ServedFactory
from netlab.common.turns import Turns
from netlab.web.access_file import AccessLog
from netlab.web.access_log import Asked, Exchange
from netlab.web.connection import WebProtocol
from netlab.web.limits import Limits
from netlab.web.request import Heads, Request
from netlab.web.response import Repeated, Response
from netlab.web.site import Site

#: With so few connections nobody else is served while one waits for the end of a turn.
_FEW = 2


class WebFactory(ServedFactory[WebProtocol]):
    """Makes the connections of one file server.

    :param clock: the reactor, for every timer.
    :param access: is told of everything; `None` for nobody.
    :param wall: unix seconds, for the access log.
    :param measure: seconds on a fine clock, for how long answering takes.
    """

    log = Logger(namespace="netlab.web")

    def __init__(
        self,
        site: Site,
        clock: IReactorTime,
        limits: Limits | None = None,
        access: AccessLog | None = None,
        *,
        wall: Callable[[], float] = time.time,
        measure: Callable[[], float] = time.perf_counter,
    ) -> None:
        limits = limits or Limits()
        super().__init__(clock, limits)
        self.limits: Limits = limits
        self.heads = Heads()
        self.repeated = Repeated()
        self.site = site
        self.turns = Turns(clock, measure)
        self.idle: Reaper[WebProtocol] = Reaper(clock, limits.idle_timeout, WebProtocol.is_silent)
        self.begun: Reaper[WebProtocol] = Reaper(clock, limits.request_timeout, WebProtocol.is_late)
        self.sending: Reaper[WebProtocol] = Reaper(clock, limits.send_timeout, WebProtocol.is_stuck)
        self.timers = [self.idle, self.begun, self.sending, self.turns]
        self._access = access
        self._wall = wall
        #: Who has answers that leave at the end of this turn.
        self._answering: list[WebProtocol] = []

    def connection(self) -> WebProtocol:
        """A new connection."""
        return WebProtocol(self)

    def stop(self) -> Deferred[None]:
        """Finish what has begun on every connection; then nothing is open any more."""
        return super().stop().addCallback(lambda _: self.site.close())

    def respond(self, connection: WebProtocol, request: Request) -> Response:
        """Answer a request; a fault of ours is logged with its traceback and answered without."""
        try:
            return self.site.respond(request)
        except Exception:
            self.log.failure("{{{peer}}} A fault of ours while answering", peer=connection.peer)
            return Response(self.site.apologize())

    def turn_ends(self, connection: WebProtocol) -> None:
        """Have all connections send together what they answered in this turn, if there are several.

        The first byte that a sleeping peer is sent costs us its waking. Between answers there is time for it to fall
        asleep again; sent in one go, it wakes once for all of them, which is worth more than the time they wait.
        """
        if len(self._connections) <= _FEW:
            self.look_again()
            connection.send_all()
            return
        if not self._answering:
            self._clock.callLater(0, self._send_all)
        self._answering.append(connection)

    def _send_all(self) -> None:
        self.look_again()
        answering, self._answering = self._answering, []
        for connection in answering:
            connection.send_all()

    def look_again(self) -> None:
        """What is answered from here on is answered by a new look at the files."""
        self.repeated.turn_ends()
        self.site.turn_ends()

    # ---- what connections say

    def opened(self, connection: WebProtocol) -> None:
        """A connection is there."""
        super().opened(connection)
        if self._access is not None:
            self._access.opened(connection.peer, self._wall())

    def answered(self, connection: WebProtocol, asked: Asked) -> None:
        """Tell of an answer."""
        if self._access is not None:
            self._access.exchange(Exchange(connection.peer, self._wall(), asked))

    def closed(self, connection: WebProtocol, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        for watch in (self.idle, self.begun, self.sending):
            watch.drop(connection)
        if self._access is not None:
            why = connection.why or reason.getErrorMessage()
            self._access.closed(connection.peer, self._wall(), connection.requests, why)
        # The last thing: when the daemon stops, what the last connection needed, the access log too, ends in here.
        super().closed(connection, reason)
