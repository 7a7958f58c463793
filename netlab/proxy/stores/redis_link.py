"""The connection to a Redis server, made when it is needed; the protocol is txredisapi's."""

from functools import partial
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from netlab.common.errors import NetlabError


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
        if ":" in self.host:
            return TCP6ClientEndpoint(reactor, self.host, self.port)
        if self.host.replace(".", "").isdigit():
            return TCP4ClientEndpoint(reactor, self.host, self.port)
        return HostnameEndpoint(reactor, self.host, self.port)


class RedisLink:
    """Calls go over one connection, in order; there is no connection, and no attempt at one, but for a call.

    Their Deferreds fail with `RedisUnreachable` when there is none, and with ``txredisapi.ResponseError`` for an
    error that Redis gave. They don't end by themselves: who has waited long enough calls `abort`.
    """

    def __init__(self, address: RedisAddress, reactor: Any, protocol: Any) -> None:
        self._endpoint = address.endpoint(reactor)
        self._factory = _RedisFactory(address, protocol)
        self._attempt: Deferred[Any] | None = None
        #: The connection of the attempt, and the same once Redis has accepted the password and the database.
        self._begun: Any = None
        self._usable: Any = None
        #: Every connection that is not gone yet.
        self._open: set[Any] = set()
        self._waiters: list[Deferred[Any]] = []
        self._closed: list[Deferred[None]] = []

    def call(self, *words: bytes | str | int) -> Deferred[Any]:
        """Send a command; its answer, bulk strings as bytes."""
        if self._usable is not None:
            return maybeDeferred(self._usable.execute_command, *words).addErrback(_unreachable)
        waiter: Deferred[Any] = Deferred(self._waiters.remove)
        self._waiters.append(waiter)
        waiter.addCallback(lambda protocol: protocol.execute_command(*words)).addErrback(_unreachable)
        if self._attempt is None:
            self._attempt = self._endpoint.connect(self._factory)
            self._attempt.addCallbacks(self._connected, lambda failure: self._give_up(failure.getErrorMessage()))
        return waiter

    def abort(self, why: str) -> None:
        """Drop the connection, or the attempt at one; every call that is waiting fails."""
        self._give_up(why)
        for protocol in list(self._open):
            protocol.transport.abortConnection()

    def close(self) -> Deferred[None]:
        """Close the connection; fires when there is none."""
        self._give_up("the store was stopped")
        closed: Deferred[None] = Deferred()
        self._closed.append(closed)
        for protocol in self._open:
            protocol.transport.loseConnection()
        self._tell_closed()
        return closed

    def _connected(self, protocol: Any) -> None:
        """There is a connection; Redis still has to accept the password and the database."""
        self._begun = protocol
        self._open.add(protocol)
        protocol.factory.refused.addCallback(partial(self._refused, protocol))
        protocol.whenDisconnected().addCallback(self._lost)
        protocol.whenConnected().addCallback(self._ready)

    def _ready(self, protocol: Any) -> None:
        if protocol is self._begun:
            self._attempt = None
            self._usable = protocol
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.callback(protocol)

    def _refused(self, protocol: Any, why: str) -> None:
        if protocol is self._begun:
            self._give_up(why)

    def _lost(self, protocol: Any) -> None:
        self._open.discard(protocol)
        if protocol is self._begun:
            self._give_up("Redis closed the connection")
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


class _RedisFactory(Factory):
    """Makes txredisapi's protocol as its own factories do, but leaves connecting to the link."""

    noisy = False

    def __init__(self, address: RedisAddress, protocol: Any) -> None:
        self._address = address
        self._protocol = protocol

    def buildProtocol(self, _: IAddress | None) -> Any:
        """A protocol that leaves bytes as they are."""
        address = self._address
        protocol = self._protocol(
            charset=None,
            convertNumbers=False,
            password=address.password,
            username=address.user or None,
            dbid=address.database or None,
        )
        protocol.factory = _Reports(Deferred())
        return protocol


@frozen(eq=False)
class _Reports:
    """What txredisapi's protocol takes for its factory, and tells when Redis refuses the password or the database."""

    refused: "Deferred[str]"
    isLazy: bool = False  # noqa: N815 - txredisapi's name

    def stopTrying(self) -> None:  # noqa: N802
        """Nothing is tried by itself."""

    def connectionError(self, why: str) -> None:  # noqa: N802
        """Redis refused."""
        self.refused.callback(why)


def _unreachable(failure: Failure) -> Failure:
    """The failure of a call, in this module's words unless Redis itself gave the error."""
    import txredisapi

    if failure.check(txredisapi.ConnectionError, txredisapi.InvalidResponse, txredisapi.InvalidData):
        return Failure(RedisUnreachable(failure.getErrorMessage()))
    return failure
