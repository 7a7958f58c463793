"""The uppercase daemon: each connection a row of system calls (`netlab.upper.answering`), thousands at once."""

from typing import Any

from attrs import field, frozen, validators
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.common.addresses import address_text
from netlab.common.limits import ConnectionLimits
from netlab.common.reaper import Reaper
from netlab.common.serving import ServedFactory, ServedProtocol
from netlab.upper.answering import answering
from netlab.upper.calls import Call, Receive, Send, Wait, Witness
from netlab.upper.ending import Ending, How, count_text
from netlab.upper.performing import close, close_broken, perform
from netlab.upper.plain_socket import PlainSocket, take
from netlab.upper.variants import Variant

_GONE = Failure(ConnectionDone())


@frozen
class Limits(ConnectionLimits):
    """What clients may take of the daemon; times are seconds."""

    #: A client that sends nothing, or reads nothing of its answer, for this long is closed. The old servers waited for
    #: ever, and people look at captures meanwhile.
    idle_timeout: float = field(default=3_600.0, validator=validators.gt(0.0))


class UpperProtocol(ServedProtocol, Witness):
    """One client: its socket is taken from Twisted at once, and closed when its calls have come to their end."""

    transport: Any

    def __init__(self, service: "UpperFactory") -> None:
        self._service = service
        self._calls = answering(service.variant)
        self._sending = False
        self._running: Deferred[None] | None = None
        #: How it ended, once it has.
        self.ending: Ending | None = None

    def connectionMade(self) -> None:
        """A client is here."""
        self.peer = address_text(self.transport.getPeer())
        plain = take(self.transport, self._service.reactor)
        plain.moved = lambda: self._service.idle.touch(self)
        if self._service.no_delay:
            plain.send_at_once()
        self._service.opened(self)
        self._running = ensureDeferred(self._serve(plain))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The transport is gone, because its socket was taken."""

    async def _serve(self, plain: PlainSocket) -> None:
        try:
            how = await perform(self._calls, plain, self, self._service.reactor)
            self.ending = close(plain, how or How.CLOSED, self.why or "")
        except CancelledError:
            self.ending = close(plain, How.CLOSED, self.why or "")
        except OSError as error:
            self.ending = close_broken(plain, error)
        except Exception:
            self._service.log.failure("{{{peer}}} A fault of ours", peer=self.peer)
            self.ending = close(plain, How.CLOSED, "a fault of ours")
        self._running = None
        self._service.closed(self, _GONE)

    # ---- what the calls say

    def begins(self, call: Call) -> None:
        """Watch who keeps us waiting; our own delay is nobody's fault."""
        if isinstance(call, Wait):
            self._service.idle.drop(self)
        else:
            self._sending = isinstance(call, Send)
            self._service.idle.touch(self)

    def done(self, call: Call, data: bytes) -> None:
        """Tell of messages and answers."""
        self._sending = False
        if isinstance(call, Receive) and data:
            self._service.log_line(self, "Got", len(data))
        elif isinstance(call, Send):
            self._service.log_line(self, "Sent", call.length)

    # ---- what the daemon says

    def finish(self) -> None:
        """Send an answer that has begun, and close."""
        self._calls.close()
        if not self._sending:
            self.end("the daemon stops")
        else:
            self.why = "the daemon stops"

    def end(self, why: str) -> None:
        """Close now."""
        self.why = why
        if self._running is not None:
            self._running.cancel()


class UpperFactory(ServedFactory[UpperProtocol]):
    """The clients of one daemon.

    :param reactor: which also has the clock.
    :param no_delay: whether Nagle's algorithm is turned off.
    :param request_log: whether each message and answer is a line in the log.
    """

    log = Logger(namespace="netlab.upper")

    def __init__(
        self,
        variant: Variant,
        reactor: Any,
        limits: Limits | None = None,
        *,
        no_delay: bool = False,
        request_log: bool = True,
    ) -> None:
        limits = limits or Limits()
        super().__init__(reactor, limits)
        self.variant = variant
        self.reactor = reactor
        self.no_delay = no_delay
        self.idle: Reaper[UpperProtocol] = Reaper(reactor, limits.idle_timeout, self._is_idle)
        self.timers = [self.idle]
        self._request_log = request_log

    def startFactory(self) -> None:
        """Say what is served."""
        self.log.info("Each client gets {variant}", variant=str(self.variant))

    def connection(self) -> UpperProtocol:
        """A new connection."""
        return UpperProtocol(self)

    def closed(self, connection: UpperProtocol, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        self.idle.drop(connection)
        super().closed(connection, reason)

    def log_closed(self, connection: UpperProtocol, reason: Failure) -> None:
        """Tell how a connection ended."""
        ending = connection.ending
        self.log.info(
            "{{{peer}}} Connection {ending} ({sent} sent)",
            peer=connection.peer,
            ending=str(ending),
            sent=count_text(ending.sent) if ending else "nothing",
        )

    def log_line(self, connection: UpperProtocol, what: str, length: int) -> None:
        """Tell of a message or an answer, if they are to be told of."""
        if self._request_log:
            self.log.info(
                "{{{peer}}} {what} {count}", peer=connection.peer, what=what, count=count_text(length), length=length
            )

    def _is_idle(self, connection: UpperProtocol) -> None:
        connection.end(f"no byte sent or read for {self.idle.period:g} s")
