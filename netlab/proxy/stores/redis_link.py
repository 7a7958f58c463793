"""The connection to a Redis server, made when it is needed; the protocol is txredisapi's."""

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure

from netlab.common.errors import NetlabError

if TYPE_CHECKING:
    from netlab.proxy.stores.redis_protocol import CheckedProtocol


class RedisUnreachable(NetlabError):
    """There is no connection to Redis, or it broke."""


@frozen
class RedisAddress:
    """Where a Redis server is, the number of the database there, and who asks."""

    host: str = "127.0.0.1"
    port: int = 6379
    database: int = 0
    password: str | None = field(default=None, repr=False)
    user: str | None = None

    @property
    def url(self) -> str:
        """The URL, without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis://{'…@' if self.password else ''}{host}:{self.port}/{self.database}"

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        """Where to connect; a name is looked up each time."""
        if isIPv6Address(self.host):
            return TCP6ClientEndpoint(reactor, self.host, self.port)
        if isIPAddress(self.host):
            return TCP4ClientEndpoint(reactor, self.host, self.port)
        return HostnameEndpoint(reactor, self.host, self.port)


class RedisLink:
    """Calls go over one connection, in order; there is no connection, and no attempt at one, but for a call.

    Their Deferreds fail with `RedisUnreachable` when there is none, and with ``txredisapi.ResponseError`` for an
    error that Redis gave. They don't end by themselves: who has waited long enough calls `abort`.

    :raises ImportError: txredisapi is not installed.
    """

    def __init__(self, address: RedisAddress, reactor: Any) -> None:
        from netlab.proxy.stores.redis_protocol import CheckedFactory

        self._endpoint = address.endpoint(reactor)
        self._factory = CheckedFactory(address.password, address.user, address.database)
        self._attempt: Deferred[Any] | None = None
        #: The connection of the attempt, and the same once Redis has accepted the password and the database.
        self._begun: CheckedProtocol | None = None
        self._usable: CheckedProtocol | None = None
        #: Every connection that is not gone yet.
        self._open: set[CheckedProtocol] = set()
        self._waiters: list[Deferred[CheckedProtocol]] = []
        self._closed: list[Deferred[None]] = []

    def call(self, *words: bytes | str | int) -> Deferred[Any]:
        """Send a command; its answer, bulk strings as bytes."""
        if self._usable is not None:
            return _send(self._usable, words)
        waiter: Deferred[Any] = Deferred(self._waiters.remove)
        self._waiters.append(waiter)
        waiter.addCallback(_send, words)
        if self._attempt is None:
            self._attempt = self._endpoint.connect(self._factory)
            self._attempt.addCallbacks(
                self._connected, lambda failure: self._give_up(failure.getErrorMessage().rstrip("."))
            )
        return waiter

    def abort(self, why: str) -> None:
        """Drop the connection, or the attempt at one; every call that is waiting fails."""
        self._give_up(why)
        for protocol in list(self._open):
            protocol.leave(why)

    def close(self) -> Deferred[None]:
        """Close the connection; fires when there is none."""
        self._give_up("the store was stopped")
        closed: Deferred[None] = Deferred()
        self._closed.append(closed)
        for protocol in self._open:
            protocol.transport.loseConnection()
        self._tell_closed()
        return closed

    def _connected(self, protocol: "CheckedProtocol") -> None:
        """There is a connection; Redis still has to accept the password and the database."""
        protocol.transport.setTcpNoDelay(True)
        self._begun = protocol
        self._open.add(protocol)
        protocol.whenDisconnected().addCallback(self._gone)
        protocol.useless.addCallback(partial(self._useless, protocol))
        protocol.refused.addCallback(partial(self._useless, protocol))
        protocol.whenConnected().addCallback(self._ready)

    def _ready(self, protocol: "CheckedProtocol") -> None:
        if protocol is self._begun:
            self._attempt = None
            self._usable = protocol
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.callback(protocol)

    def _useless(self, protocol: "CheckedProtocol", why: str) -> None:
        if protocol is self._begun:
            self._give_up(why)

    def _gone(self, protocol: "CheckedProtocol") -> None:
        self._open.discard(protocol)
        self._tell_closed()

    def _give_up(self, why: str) -> None:
        """Forget the connection and the attempt at it."""
        attempt, self._attempt = self._attempt, None
        waiters, self._waiters = self._waiters, []
        self._begun = self._usable = None
        if attempt is not None:
            attempt.cancel()
        for waiter in waiters:
            waiter.errback(Failure(RedisUnreachable(why)))

    def _tell_closed(self) -> None:
        if not self._open:
            closed, self._closed = self._closed, []
            for waiter in closed:
                waiter.callback(None)


def _send(protocol: "CheckedProtocol", words: tuple[bytes | str | int, ...]) -> Deferred[Any]:
    return maybeDeferred(protocol.execute_command, *words).addErrback(partial(_in_our_words, protocol))


def _in_our_words(protocol: "CheckedProtocol", failure: Failure) -> Failure:
    """The failure of a call, as `RedisUnreachable` unless Redis itself gave the error.

    After an answer that cannot be read, no later one can be trusted.
    """
    import txredisapi

    if failure.check(txredisapi.ResponseError) or not failure.check(txredisapi.RedisError):
        return failure
    if not failure.check(txredisapi.ConnectionError):
        protocol.leave("what it answered cannot be read")
    return Failure(RedisUnreachable(protocol.reason or failure.getErrorMessage()))
