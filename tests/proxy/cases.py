"""What the proxy's tests share: packets, upstreams that the test plays, and a whole proxy without sockets."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.calc.connection import CalcProtocol
from netlab.calc.header import FOREVER, SUCCESS, encode_packet
from netlab.calc.limits import Limits as PeerLimits
from netlab.proxy.backoff import Backoff
from netlab.proxy.cache import Cache
from netlab.proxy.decide import StaleRules
from netlab.proxy.freshness import Clocks, Limits
from netlab.proxy.front import Front
from netlab.proxy.pool import Pool
from netlab.proxy.server import ProxyFactory
from netlab.proxy.stores.memory import Bounds, MemoryStore
from netlab.proxy.stores.tiers import Tiers
from netlab.proxy.upstream import Upstream, UpstreamLimits
from netlab.proxy.upstream_connection import UpstreamConnection
from tests.calc.test_connection import PEER, Transport

#: When the tests begin, in unix seconds.
BEGIN = 1_700_000_000


def request(body: bytes = b"{1}", **fields: Any) -> bytes:
    """A request that may be cached, for ever unless told otherwise."""
    return encode_packet(body, **{"timestamp": 7, "request": True, "cache": True, "max_age": FOREVER, **fields})


def response(body: bytes = b"{one", **fields: Any) -> bytes:
    """An answer that may be cached, for ever unless told otherwise."""
    return encode_packet(body, **{"timestamp": BEGIN, "status": SUCCESS, "cache": True, "max_age": FOREVER, **fields})


@define(eq=False)
class Line:
    """A connection to an upstream, the test being the upstream."""

    protocol: UpstreamConnection
    transport: Transport

    def received(self) -> bytes:
        """Everything that was asked, and no longer here afterwards."""
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def answer(self, *packets: bytes) -> None:
        """Say something."""
        self.protocol.dataReceived(b"".join(packets))

    def close(self) -> None:
        """Hang up."""
        self.transport.loseConnection()


@implementer(IStreamClientEndpoint)
@define(eq=False)
class Place:
    """An endpoint: ``accepts`` connections at once, refuses them, or (`None`) leaves whoever comes waiting."""

    accepts: bool | None = True
    lines: list[Line] = field(factory=list)
    attempts: int = 0

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Somebody comes."""
        self.attempts += 1
        connecting: Deferred[Any] = Deferred()
        if self.accepts is False:
            connecting.errback(Failure(ConnectionRefusedError()))
        elif self.accepts:
            protocol = factory.buildProtocol(PEER)
            assert isinstance(protocol, UpstreamConnection)
            self.lines.append(Line(protocol, Transport(protocol)))
            protocol.makeConnection(self.lines[-1].transport)
            connecting.callback(protocol)
        return connecting


class Stage:
    """A proxy whose clients, upstreams and clocks are the test's."""

    def __init__(
        self,
        places: int = 1,
        limits: Limits | None = None,
        stale: StaleRules | None = None,
        upstream: UpstreamLimits | None = None,
        second: Any = None,
        bounds: Bounds | None = None,
    ) -> None:
        self.clock = Clock()
        self.wall = float(BEGIN)
        self.places = [Place() for _ in range(places)]
        self.upstreams = [
            Upstream(f"up{number}", place, self.clock, upstream) for number, place in enumerate(self.places)
        ]
        self.pool = Pool(self.upstreams, self.clock, Backoff(first=1.0, longest=8.0, jitter=0.0), lambda: 0.0)
        self.store = Tiers(MemoryStore(bounds or Bounds()), second, self.now, self.clock)
        cache = Cache(self.store, self.pool, self.now, limits or Limits(), stale or StaleRules())
        self.factory = ProxyFactory(
            cache,
            Front(self.store.memory, limits or Limits()),
            self.clock,
            PeerLimits(idle_timeout=600.0),
            wall=lambda: self.wall,
            monotonic=self.clock.seconds,
            measure=lambda: 0.0,
        )

    @property
    def lines(self) -> list[Line]:
        """The connections to the first upstream."""
        return self.places[0].lines

    def now(self) -> Clocks:
        """Now, on both clocks."""
        return Clocks(self.wall, self.clock.seconds())

    def pass_time(self, seconds: float) -> None:
        """Let time pass, on both."""
        self.wall += seconds
        self.clock.advance(seconds)

    def client(self) -> tuple[CalcProtocol, Transport]:
        """A client that has come."""
        protocol = self.factory.buildProtocol(PEER)
        assert protocol is not None
        transport = Transport(protocol)
        protocol.makeConnection(transport)
        return protocol, transport

    def ask(self, frame: bytes) -> Transport:
        """A client that has come and asked; what it hears is in the transport."""
        protocol, transport = self.client()
        protocol.dataReceived(frame)
        return transport

    def said(self) -> list[str]:
        """What became of each request, in RFC 9211's words."""
        from netlab.proxy.decide import cache_status

        return [
            cache_status(record.decision).removeprefix("netlab-proxy; ") for record in self.factory.journal.recent()
        ]
