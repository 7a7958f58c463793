"""``twistd netlab-proxy``: the options of the caching proxy and the service they make."""

import time
from typing import Any

from twisted.application.service import IService
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.usage import UsageError

from netlab.calc.header import FOREVER
from netlab.calc.serving_options import SERVING_FLAGS, SERVING_PARAMETERS, limits_of
from netlab.common.daemon import DaemonOptions, option, seconds, whole
from netlab.common.endpoints import NoEndpoint, client_endpoint
from netlab.common.serving_options import daemon_service
from netlab.proxy.cache import Cache
from netlab.proxy.control import Control
from netlab.proxy.control_socket import ControlFactory, ControlService
from netlab.proxy.decide import StaleRules
from netlab.proxy.freshness import Clocks, Limits
from netlab.proxy.front import Front
from netlab.proxy.pool import Pool
from netlab.proxy.server import ProxyFactory
from netlab.proxy.services import PoolService, StoreService
from netlab.proxy.stores.base import StoreRefused
from netlab.proxy.stores.memory import Bounds, MemoryStore
from netlab.proxy.stores.tiers import Tiers
from netlab.proxy.stores.urls import second_tier
from netlab.proxy.upstream import Upstream, UpstreamLimits

_LIMITS = UpstreamLimits()
_BOUNDS = Bounds()
_DEFAULT_UPSTREAM = "tcp:127.0.0.1:9999"

_LISTEN = "Where to listen, an endpoint: tcp:9998 (all interfaces), unix:proxy.sock, systemd:domain=INET:index=0"
_STORE = "Where answers are kept besides memory: memory:, sqlite:PATH, or redis://HOST:PORT/DB, shared by many proxies"
_ERROR = "Seconds past its time for which an answer may still serve when every upstream fails (RFC 5861)"
_REVALIDATE = "Seconds past its time for which an answer may still serve while a new one is fetched (RFC 5861)"
_CONTROL = "UNIX socket for netlab proxy, which looks into the running proxy"
_ANSWER = "Seconds in which an upstream must answer"
_PIPELINE = "Requests in flight on one connection to an upstream; 1 is no pipelining"


def _path(text: str) -> str:
    """A coercion: a path."""
    if not text or "\0" in text:
        raise ValueError("the path of a UNIX socket belongs here")
    return text


class Options(DaemonOptions):
    """The command line of ``twistd netlab-proxy``."""

    daemon = "netlab-proxy"
    synopsis = "[options]"
    longdesc = (
        "A caching proxy before calculators. Each answer has a reason, and the log tells it: hit, miss, stale, and the "
        "sums that decided. Point a client at it: netlab calc --connect 127.0.0.1:9998 'max(2, 3) + 3'"
    )

    optParameters = [
        option("listen", "tcp:9998:interface=127.0.0.1", _LISTEN),
        option("store", "memory:", _STORE),
        option("max-entries", _BOUNDS.max_entries, "Answers to keep in memory", whole(0)),
        option("max-bytes", _BOUNDS.max_bytes, "Bytes that answers in memory may take, keys included", whole(0)),
        option("min-ttl", 0, "Seconds that an answer is kept at least, though its server says less", whole(0, FOREVER)),
        option("max-ttl", FOREVER, "Seconds that an answer is kept at most; 65535 is no limit", whole(0, FOREVER)),
        option("stale-if-error", 0, _ERROR, whole(0)),
        option("stale-while-revalidate", 0, _REVALIDATE, whole(0)),
        option("connect-timeout", _LIMITS.connect_timeout, "Seconds to wait for a connection to an upstream", seconds),
        option("answer-timeout", _LIMITS.answer_timeout, _ANSWER, seconds),
        option("upstream-connections", _LIMITS.max_connections, "Connections to each upstream at most", whole(1)),
        option("pipeline", _LIMITS.pipeline, _PIPELINE, whole(1)),
        option("control", None, _CONTROL, _path),
        *SERVING_PARAMETERS,
    ]
    optFlags = SERVING_FLAGS

    def __init__(self) -> None:
        super().__init__()
        self.upstreams: list[str] = []

    def opt_upstream(self, endpoint: str) -> None:
        """An upstream calculator, an endpoint; may be given many times [default: tcp:127.0.0.1:9999]."""
        self.upstreams.append(endpoint)

    def postOptions(self) -> None:
        """Check what belongs together."""
        if self["min-ttl"] > self["max-ttl"]:
            raise UsageError(f"--min-ttl {self['min-ttl']} is more than --max-ttl {self['max-ttl']}")

    def upstream_endpoints(self, reactor: Any) -> list[tuple[str, IStreamClientEndpoint]]:
        """The upstreams as they were written, and where they are.

        :raises CannotStart: one is no endpoint.
        """
        return [(text, self._client_endpoint(text, reactor)) for text in self.upstreams or [_DEFAULT_UPSTREAM]]

    def _client_endpoint(self, text: str, reactor: Any) -> IStreamClientEndpoint:
        try:
            return client_endpoint(reactor, text)
        except NoEndpoint as error:
            raise self.refused(f"--upstream {text!r} {error}") from None


def makeService(options: Options, reactor: Any = None) -> IService:
    """The daemon as a service.

    :param reactor: for tests; `None` for the one twistd runs.
    :raises CannotStart: an endpoint or the store's URL is none.
    """
    if reactor is None:
        from twisted.internet import reactor
    limits = Limits(options["min-ttl"], options["max-ttl"])
    pool = _pool(options, reactor)
    store = _store(options, reactor)
    stale = StaleRules(options["stale-if-error"], options["stale-while-revalidate"])
    cache = Cache(store, pool, _clocks, limits, stale)
    log = not options["no-request-log"]
    factory = ProxyFactory(cache, Front(store.memory, limits), reactor, limits_of(options), request_log=log)
    factory.last_calls.append(pool.stop)
    needed: list[IService] = [StoreService(store), PoolService(pool)]
    if options["control"]:
        control = Control(factory.journal, store, pool, reactor, time.perf_counter)
        needed.append(ControlService(options["control"], ControlFactory(control, reactor), reactor))
    return daemon_service(options, factory, reactor, needed)


def _pool(options: Options, reactor: Any) -> Pool:
    limits = UpstreamLimits(
        connect_timeout=options["connect-timeout"],
        answer_timeout=options["answer-timeout"],
        max_connections=options["upstream-connections"],
        pipeline=options["pipeline"],
    )
    return Pool([Upstream(*each, reactor, limits) for each in options.upstream_endpoints(reactor)], reactor)


def _store(options: Options, reactor: Any) -> Tiers:
    memory = MemoryStore(Bounds(options["max-entries"], options["max-bytes"]))
    try:
        return Tiers(memory, second_tier(options["store"], reactor, _clocks), _clocks, reactor)
    except StoreRefused as error:
        raise options.refused(f"--store: {error}") from None


def _clocks() -> Clocks:
    return Clocks(time.time(), time.monotonic())
