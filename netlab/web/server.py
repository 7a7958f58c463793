"""The file server: who is connected, what they share, and what they are answered."""

import time
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.common.reaper import Reaper
from netlab.common.serving import ServedFactory
from netlab.common.turns import Turns
from netlab.web.access_file import AccessLog
from netlab.web.access_log import Exchange
from netlab.web.connection import WebProtocol
from netlab.web.limits import Limits
from netlab.web.request import Request
from netlab.web.site import Response, Site

#: What the access log has for a request line that could not be read.
_NO_REQUEST = b"-"


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
        self.site = site
        self.turns = Turns(clock, measure)
        self.idle: Reaper[WebProtocol] = Reaper(clock, limits.idle_timeout, WebProtocol.is_silent)
        self.begun: Reaper[WebProtocol] = Reaper(clock, limits.request_timeout, WebProtocol.is_late)
        self.sending: Reaper[WebProtocol] = Reaper(clock, limits.send_timeout, WebProtocol.is_stuck)
        self.timers = [self.idle, self.begun, self.sending, self.turns]
        self._access = access
        self._wall = wall

    def connection(self) -> WebProtocol:
        """A new connection."""
        return WebProtocol(self)

    def respond(self, connection: WebProtocol, request: Request) -> Response:
        """Answer a request; a fault of ours is logged with its traceback and answered without."""
        try:
            return self.site.respond(request)
        except Exception:
            self.log.failure("{{{peer}}} A fault of ours while answering", peer=connection.peer)
            return Response(self.site.apologize())

    # ---- what connections say

    def opened(self, connection: WebProtocol) -> None:
        """A connection is there."""
        super().opened(connection)
        if self._access is not None:
            self._access.opened(connection.peer, self._wall())

    def answered(self, connection: WebProtocol, request: Request | None, response: Response) -> None:
        """Tell of an answer."""
        if self._access is None:
            return
        line, fields = _NO_REQUEST, {}
        if request is not None:
            line = b"%b %b HTTP/1.%d" % (request.method, request.target, request.minor)
            fields = request.fields
        reply = response.reply
        who, agent = fields.get(b"referer"), fields.get(b"user-agent")
        exchange = Exchange(connection.peer, self._wall(), line, reply.status, reply.size, who, agent)
        self._access.exchange(exchange)

    def closed(self, connection: WebProtocol, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        for watch in (self.idle, self.begun, self.sending):
            watch.drop(connection)
        super().closed(connection, reason)
        if self._access is not None:
            why = connection.why or reason.getErrorMessage()
            self._access.closed(connection.peer, self._wall(), connection.requests, why)
