"""One upstream: its connections, and the requests that wait for one."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import field, frozen, validators
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, gatherResults
from twisted.internet.error import ConnectingCancelledError, ConnectionRefusedError
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory

from netlab.proxy.errors import (
    Stopping,
    TooManyWaiting,
    UpstreamClosed,
    UpstreamError,
    UpstreamRefused,
    UpstreamSilent,
    UpstreamUnreachable,
)
from netlab.proxy.upstream_connection import UpstreamConnection

_seconds = validators.gt(0.0)
_count = validators.ge(1)

_STOPS = "the proxy stops"


@frozen
class UpstreamLimits:
    """What one upstream may take and be asked; times are seconds."""

    connect_timeout: float = field(default=3.0, validator=_seconds)
    #: From sending a request to the whole of its answer; also the longest wait for a connection to be free.
    answer_timeout: float = field(default=10.0, validator=_seconds)
    max_connections: int = field(default=8, validator=_count)
    #: Requests that may wait for a connection.
    max_waiting: int = field(default=1_000, validator=_count)
    #: Requests in flight on one connection; 1 is no pipelining.
    pipeline: int = field(default=1, validator=_count)


@frozen(eq=False)
class _Waiter:
    """A request that waits for room; ``fresh`` as in `Upstream.ask`."""

    fresh: bool
    room: Deferred[None] = field(factory=Deferred)


class Upstream:
    """One endpoint, of which a pool of connections is kept; ``name`` is how it is shown."""

    def __init__(
        self, name: str, endpoint: IStreamClientEndpoint, clock: IReactorTime, limits: UpstreamLimits | None = None
    ) -> None:
        self.name = name
        #: Called with what is wrong when bytes came that no client waits for.
        self.unasked: Callable[[UpstreamError], None] = lambda error: None
        self._endpoint = endpoint
        self._clock = clock
        self._limits = limits or UpstreamLimits()
        self._pipeline = self._limits.pipeline
        self._connections: list[UpstreamConnection] = []
        self._connecting: set[Deferred[UpstreamConnection]] = set()
        self._waiters: deque[_Waiter] = deque()
        self._stopped = False

    @property
    def busy(self) -> int:
        """How many requests are in flight or wait for a connection."""
        in_flight = sum([connection.in_flight for connection in self._connections])
        return in_flight + len(self._connecting) + len(self._waiters)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    async def ask(self, frame: bytes, *, fresh: bool = False) -> bytes:
        """Send a request and give the whole response packet.

        :param fresh: only on a connection that has not served before, so that its loss cannot be an old one.
        :raises UpstreamError: no answer came.
        """
        connection = await self._connection(fresh)
        try:
            return await connection.send(frame)
        except UpstreamClosed:
            if connection.pipelined_in_vain:
                self._pipeline = 1
            raise

    def stop(self) -> Deferred[None]:
        """Give up every connection and make no other; fires when all are gone."""
        self._stopped = True
        for waiter in list(self._waiters):
            waiter.room.cancel()
        for connecting in list(self._connecting):
            connecting.cancel()
        gone = [connection.gone for connection in self._connections]
        for connection in list(self._connections):
            connection.end(Stopping(_STOPS))
        return gatherResults(gone).addCallback(lambda _: None)

    async def _connection(self, fresh: bool) -> UpstreamConnection:
        """A connection with room for one more request."""
        if self._stopped:
            raise Stopping(_STOPS)
        if self._waiters or not self._has_room(fresh):
            await self._room(fresh)
        connection = None if fresh else self._with_room()
        return connection or await self._connect()

    def _has_room(self, fresh: bool) -> bool:
        """Whether a request would find a connection; a fresh one may take the place of one that is not used."""
        return self._may_connect() or (self._unused() if fresh else self._with_room()) is not None

    def _may_connect(self) -> bool:
        return len(self._connections) + len(self._connecting) < self._limits.max_connections

    def _unused(self) -> UpstreamConnection | None:
        return next((connection for connection in self._connections if not connection.in_flight), None)

    def _with_room(self) -> UpstreamConnection | None:
        """The connection with the fewest requests in flight, if it may have one more."""
        best = min(self._connections, key=lambda connection: connection.in_flight, default=None)
        return best if best is not None and best.in_flight < self._pipeline else None

    async def _connect(self) -> UpstreamConnection:
        limits = self._limits
        in_the_way = None if self._may_connect() else self._unused()
        made = partial(UpstreamConnection, self._clock, limits.answer_timeout, self._changed, self.unasked)
        factory = Factory.forProtocol(made)
        factory.noisy = False
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        connecting.addTimeout(limits.connect_timeout, self._clock)
        self._connecting.add(connecting)
        if in_the_way is not None:
            in_the_way.end(UpstreamUnreachable("another connection takes its place"))
        try:
            connection: UpstreamConnection = await connecting
        except Exception as error:
            self._connecting.discard(connecting)
            self._wake()
            raise self._unreachable(error) from None
        self._connecting.discard(connecting)
        self._connections.append(connection)
        return connection

    def _unreachable(self, error: Exception) -> UpstreamUnreachable | Stopping:
        """Why there is no connection, in words for a client, who need not know where upstreams are."""
        if self._stopped:
            return Stopping(_STOPS)
        if isinstance(error, ConnectionRefusedError):
            return UpstreamRefused("the connection was refused: nothing listens there")
        if isinstance(error, (TimeoutError, CancelledError, ConnectingCancelledError)):
            return UpstreamUnreachable(f"no connection came about within {self._limits.connect_timeout:g} s")
        return UpstreamUnreachable(f"no connection could be made: {str(error).rstrip('.') or type(error).__name__}")

    async def _room(self, fresh: bool) -> None:
        """Wait until there is room, after those who came before."""
        if len(self._waiters) >= self._limits.max_waiting:
            raise TooManyWaiting(f"{len(self._waiters)} requests wait for a connection, the most that may")
        waiter = _Waiter(fresh)
        waiter.room.addTimeout(self._limits.answer_timeout, self._clock)
        self._waiters.append(waiter)
        try:
            await waiter.room
        except (TimeoutError, CancelledError):
            if self._stopped:
                raise Stopping(_STOPS) from None
            raise UpstreamSilent(f"no connection was free within {self._limits.answer_timeout:g} s") from None
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _changed(self, connection: UpstreamConnection) -> None:
        if connection.ended and connection in self._connections:
            self._connections.remove(connection)
        self._wake()

    def _wake(self) -> None:
        """Let those who wait go on, in their order, as long as there is room; each takes its own at once."""
        while self._waiters and self._has_room(self._waiters[0].fresh):
            self._waiters.popleft().room.callback(None)
