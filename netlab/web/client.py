"""A client for people who watch: each fetch tells which connection carried it, and how long that took."""

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple, cast

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred, DeferredList, ensureDeferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from netlab.common.connecting import connect_to
from netlab.common.errors import NetlabError
from netlab.web.errors import NoResponse
from netlab.web.fetching import Received, ResponseReader, Wanted


class Fetched(NamedTuple):
    """What came of one request.

    ``connection`` counts from 1, ``nth`` is the request's place on it. Times are milliseconds, from sending.
    """

    wanted: Wanted
    outcome: Received | NetlabError
    connection: int
    nth: int
    first_ms: float
    total_ms: float


@frozen
class Plan:
    """How to fetch: over how many connections at most, what to do with bodies, how long to wait.

    :param authority: what the server is called, for Host.
    :param keeps: bytes of a body to keep, `None` for none.
    :param timeout: seconds for a connection, and for each response.
    :param stay: seconds to leave each connection open at the end, for the server to close it.
    """

    authority: str
    connections: int = 1
    keeps: int | None = None
    timeout: float = 10.0
    stay: float = 0.0
    fetched: Callable[[Fetched], None] = field(default=lambda _: None)


def fetch_all(
    endpoint: IStreamClientEndpoint, reactor: IReactorTime, wanted: Iterable[Wanted], plan: Plan
) -> Deferred[list[Fetched]]:
    """Fetch everything in order, over as many connections as the plan allows and each as often as the server lets it.

    The Deferred fails with `ConnectFailed` when there is no connection; what went wrong with one fetch is its outcome.
    """
    return ensureDeferred(_Run(endpoint, reactor, list(wanted), plan).run())


class _Run:
    """One run of `fetch_all`."""

    def __init__(self, endpoint: IStreamClientEndpoint, clock: IReactorTime, wanted: list[Wanted], plan: Plan) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._plan = plan
        self._todo = deque(enumerate(wanted))
        self._done: dict[int, Fetched] = {}
        self._made = 0

    async def run(self) -> list[Fetched]:
        workers = [ensureDeferred(self._work()) for _ in range(min(self._plan.connections, len(self._todo)))]
        outcomes = await DeferredList(workers, consumeErrors=True)
        for succeeded, failure in outcomes:
            if not succeeded and not self._done:
                cast(Failure, failure).raiseException()
        return [self._done[place] for place in sorted(self._done)]

    async def _work(self) -> None:
        """Carry requests over one connection after another, until none is left."""
        while self._todo:
            connection = await self._connect()
            try:
                while self._todo and connection.is_open:
                    place, wanted = self._todo.popleft()
                    self._done[place] = fetched = await connection.fetch(wanted)
                    self._plan.fetched(fetched)
                await connection.stay()
            finally:
                await connection.close()

    async def _connect(self) -> "Connection":
        self._made += 1
        factory = Factory.forProtocol(partial(Connection, self._clock, self._plan, self._made))
        return cast(Connection, await connect_to(self._endpoint, factory, self._clock, self._plan.timeout))


class Connection(Protocol):
    """One connection to a server; one request at a time."""

    def __init__(self, clock: IReactorTime, plan: Plan, number: int) -> None:
        self._clock = clock
        self._plan = plan
        self._number = number
        self._nth = 0
        self._reader: ResponseReader | None = None
        self._whole: Deferred[None] | None = None
        self._first: float | None = None
        self._gone: Deferred[None] = Deferred()
        #: Whether another request may be sent.
        self.is_open = True

    async def fetch(self, wanted: Wanted) -> Fetched:
        """Send a request and wait for its response."""
        self._begin()
        self._reader = reader = ResponseReader(headed=wanted.method == "HEAD", keeps=self._plan.keeps)
        whole: Deferred[None] = Deferred()
        self._whole = whole
        began = self._clock.seconds()
        self._tcp.write(wanted.encode(self._plan.authority))
        outcome: Received | NetlabError
        try:
            await whole.addTimeout(self._plan.timeout, self._clock, self._late)
            assert reader.received is not None
            outcome = reader.received
            self.is_open = self.is_open and outcome.persistent and wanted.persistent
        except NetlabError as error:
            outcome, self.is_open = error, False
        finally:
            self._whole = None
        now = self._clock.seconds()
        first = now if self._first is None else self._first
        return Fetched(wanted, outcome, self._number, self._nth, (first - began) * 1000, (now - began) * 1000)

    def _begin(self) -> None:
        self._nth += 1
        self._first = None

    async def stay(self) -> None:
        """Leave it open until the server closes it, or as long as the plan says."""
        if self._gone.called or not self._plan.stay:
            return
        over: Deferred[None] = Deferred()
        timer = self._clock.callLater(self._plan.stay, over.callback, None)

        def gone(_: object) -> None:
            if timer.active():
                timer.cancel()
                over.callback(None)

        self._gone.addCallback(gone)
        await over

    async def close(self) -> None:
        """Close it, if the server has not."""
        self.is_open = False
        if not self._gone.called:
            self._tcp.loseConnection()
            self._gone.addTimeout(self._plan.timeout, self._clock, lambda *_: self._tcp.abortConnection())
            await self._gone

    # ---- what Twisted calls

    def dataReceived(self, data: bytes) -> None:
        """A part of the response."""
        if self._first is None:
            self._first = self._clock.seconds()
        if self._whole is None or self._reader is None:
            self.is_open = False
            self._tcp.abortConnection()
            return
        try:
            self._reader.feed(data)
        except NetlabError as error:
            self._fire(error)
        else:
            if self._reader.received is not None:
                self._fire(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The server has closed, or nobody can be reached any more."""
        self.is_open = False
        if self._whole is not None and self._reader is not None:
            try:
                self._reader.end()
                self._fire(None)
            except NetlabError as error:
                self._fire(error)
        if not self._gone.called:
            self._gone.callback(None)

    # ---- inside

    @property
    def _tcp(self) -> ITCPTransport:
        """The transport; TLS and UNIX transports have what is used of this interface as well."""
        return cast(ITCPTransport, self.transport)

    def _fire(self, error: NetlabError | None) -> None:
        whole, self._whole = self._whole, None
        if whole is not None and not whole.called:
            whole.callback(None) if error is None else whole.errback(error)

    def _late(self, result: Any, timeout: float) -> Any:
        if isinstance(result, Failure) and result.check(CancelledError):
            raise NoResponse(f"no whole response came within {timeout:g} s")
        return result
