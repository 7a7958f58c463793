"""The cache itself: a request's answer, from what is stored or from an upstream, and the decision behind it."""

import math
from collections.abc import Callable

from attrs import evolve, frozen
from twisted.internet.defer import Deferred

from netlab.calc.header import FOREVER, SERVER_ERROR, Header
from netlab.proxy.decide import Decision, Forward, StaleRules, decide, decide_storing, may_serve_stale
from netlab.proxy.entry import Entry, key_of
from netlab.proxy.errors import UpstreamError
from netlab.proxy.freshness import Clocks, Limits
from netlab.proxy.pool import Pool
from netlab.proxy.singleflight import SingleFlight
from netlab.proxy.stores.tiers import Tiers


@frozen
class Answer:
    """A whole response packet, or the error in its place, with the decision that led to it.

    ``entry`` is what is stored of it, if it came from the cache.
    """

    decision: Decision
    packet: bytes | None
    entry: Entry | None = None
    error: UpstreamError | None = None


class Cache:
    """Answers requests.

    :param clocks: now, on both clocks.
    """

    def __init__(
        self, store: Tiers, pool: Pool, clocks: Callable[[], Clocks], limits: Limits, stale: StaleRules
    ) -> None:
        self.limits = limits
        self._store = store
        self._pool = pool
        self._clocks = clocks
        self._stale = stale
        self._flights: SingleFlight[bytes, Answer] = SingleFlight()

    def answer(self, frame: bytes, request: Header) -> Answer | Deferred[Answer]:
        """Answer a request: at once if what is at hand serves it, else by a Deferred that does not fail."""
        key = key_of(frame)
        found = self._store.get(key) if request.cache else None
        if isinstance(found, Deferred):
            return Deferred.fromCoroutine(self._when_found(found, key, frame, request))
        decision = decide(found, request, self._clocks(), self.limits)
        if found is not None and decision.hit:
            return Answer(decision, found.packet, found)
        return Deferred.fromCoroutine(self._fetched(decision, found, key, frame, request))

    async def _when_found(self, looking: Deferred[Entry | None], key: bytes, frame: bytes, request: Header) -> Answer:
        found = await looking
        decision = decide(found, request, self._clocks(), self.limits)
        if found is not None and decision.hit:
            return Answer(decision, found.packet, found)
        return await self._fetched(decision, found, key, frame, request)

    async def _fetched(
        self, decision: Decision, found: Entry | None, key: bytes, frame: bytes, request: Header
    ) -> Answer:
        """The answer of an upstream, or what is stored where the rules for stale answers allow it."""
        if found is not None and may_serve_stale(decision, self._stale.while_revalidate):
            self._join(decision, key, frame, request)[0].addErrback(lambda _: None)
            return Answer(evolve(decision, stale="revalidate"), found.packet)
        try:
            if decision.forward is Forward.BYPASS or request.max_age == 0:
                return await self._ask(decision, key, frame, request)
            return await self._asked_together(decision, key, frame, request)
        except UpstreamError as error:
            if found is not None and may_serve_stale(decision, self._stale.if_error):
                return Answer(evolve(decision, stale="error"), found.packet)
            return Answer(evolve(decision, failed=str(error)), None, error=error)

    async def _asked_together(self, decision: Decision, key: bytes, frame: bytes, request: Header) -> Answer:
        """The answer to the one request that is made for all who want the same now.

        An answer that may not be cached was made for one client alone, so the others ask for theirs; an error of the
        server's own is everybody's.
        """
        flight, begins = self._join(decision, key, frame, request)
        answer = await flight
        if begins or answer.packet is None:
            return answer
        header = Header.decode(answer.packet)
        if not header.cache and header.status < SERVER_ERROR:
            return await self._ask(decision, key, frame, request)
        now = self._clocks()
        total = decide_storing(decision, request, Entry.of(answer.packet, now.monotonic), now, self.limits)
        return Answer(evolve(total, collapsed=True, stored=False), answer.packet)

    def _join(self, decision: Decision, key: bytes, frame: bytes, request: Header) -> tuple[Deferred[Answer], bool]:
        return self._flights.join(key, lambda: Deferred.fromCoroutine(self._ask(decision, key, frame, request)))

    async def _ask(self, decision: Decision, key: bytes, frame: bytes, request: Header) -> Answer:
        """Ask an upstream, and store its answer if both sides let it be stored."""
        packet = await self._pool.ask(frame)
        now = self._clocks()
        entry = Entry.of(packet, now.monotonic)
        decided = decide_storing(decision, request, entry, now, self.limits)
        if not decided.stored:
            return Answer(decided, packet)
        self._store.put(key, entry, self._useful(entry))
        return Answer(decided, packet, entry)

    def _useful(self, entry: Entry) -> float:
        """For how many seconds a new entry may be of use, stale times included."""
        max_age = self.limits.clamp(entry.max_age)
        if max_age == FOREVER:
            return math.inf
        return max_age + max(self._stale.if_error, self._stale.while_revalidate)
