"""The cache itself: a request's answer, from what is stored or from an upstream, and the decision behind it."""

import math
from collections.abc import Callable

from attrs import define, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.calc.header import FOREVER, SERVER_ERROR, Header
from netlab.proxy.decide import Decision, Forward, StaleRules, decide, decide_storing, may_serve_stale, may_share
from netlab.proxy.entry import Entry, key_of
from netlab.proxy.errors import UpstreamError, told
from netlab.proxy.freshness import Clocks, Limits, age_of
from netlab.proxy.pool import Pool
from netlab.proxy.singleflight import SingleFlight
from netlab.proxy.stores.tiers import Tiers


@frozen
class Question:
    """A request: its key, its packet, its header."""

    key: bytes
    frame: bytes
    header: Header

    @classmethod
    def of(cls, frame: bytes) -> "Question":
        """The question that a packet asks."""
        return cls(key_of(frame), frame, Header.decode(frame))


@frozen
class Answer:
    """A whole response packet with the decision that led to it; `None` where that says why there is none.

    ``entry`` is what is stored of it, if it came from the cache or went there.
    """

    decision: Decision
    packet: bytes | None
    entry: Entry | None = None


@define
class _Fetched:
    """An upstream's answer, and whether anyone for whom it was fetched has stored it."""

    entry: Entry
    stored: bool = False


class Cache:
    """Answers requests.

    :param clocks: now, on both clocks.
    """

    log = Logger(namespace="netlab.proxy")

    def __init__(
        self, store: Tiers, pool: Pool, clocks: Callable[[], Clocks], limits: Limits, stale: StaleRules
    ) -> None:
        self.limits = limits
        self._store = store
        self._pool = pool
        self._clocks = clocks
        self._stale = stale
        self._flights: SingleFlight[bytes, _Fetched] = SingleFlight()

    def answer(self, question: Question) -> Answer | Deferred[Answer]:
        """Answer a request: at once if what is at hand serves it, else by a Deferred that fails for our faults only."""
        found = self._store.get(question.key) if question.header.cache else None
        if not isinstance(found, Deferred):
            decision = self._decide(found, question.header)
            if found is not None and decision.hit:
                return Answer(decision, found.packet, found)
        return Deferred.fromCoroutine(self._answer(question, found))

    async def _answer(self, question: Question, found: Entry | Deferred[Entry | None] | None) -> Answer:
        """The answer to what memory alone does not serve, given what it has or is being looked for behind it."""
        if found is not None and not isinstance(found, Deferred) and question.header.max_age:
            found = self._store.get_newer(question.key)
        entry = await found if isinstance(found, Deferred) else found
        decision = self._decide(entry, question.header)
        if entry is not None and decision.hit:
            return Answer(decision, entry.packet, entry)
        if entry is not None and may_serve_stale(decision, self._stale.while_revalidate):
            Deferred.fromCoroutine(self._fetched(decision, question)).addErrback(self._not_revalidated)
            return Answer(evolve(decision, forward=None, stale="revalidate"), entry.packet)
        return await self._fetched_or_stale(decision, question, entry)

    def _decide(self, entry: Entry | None, request: Header) -> Decision:
        return decide(entry, request, self._clocks(), self.limits)

    async def _fetched_or_stale(self, decision: Decision, question: Question, entry: Entry | None) -> Answer:
        """The answer of an upstream; or, when it is an error and the rules allow it, what is stored."""
        try:
            answer = await self._fetched(decision, question)
        except UpstreamError as error:
            answer = Answer(evolve(decision, failed=told(error)), None)
        status = SERVER_ERROR if answer.packet is None else Header.decode(answer.packet).status
        if entry is None or status < SERVER_ERROR or not may_serve_stale(decision, self._stale.if_error):
            return answer
        why = answer.decision.failed or f"the upstream answered with status {status}"
        return Answer(evolve(answer.decision, stale="error", failed=why), entry.packet)

    async def _fetched(self, decision: Decision, question: Question) -> Answer:
        """The answer of an upstream, to a request that is made for all who want the same now."""
        if decision.forward is Forward.BYPASS or question.header.max_age == 0:
            return self._settled(decision, question, await self._ask(question))
        flight, begins = self._flights.join(question.key, lambda: Deferred.fromCoroutine(self._ask(question)))
        fetched = await flight
        if begins:
            return self._settled(decision, question, fetched)
        if may_share(fetched.entry, question.header, self._clocks(), self.limits):
            return self._settled(evolve(decision, collapsed=True), question, fetched)
        return self._settled(evolve(decision, collapsed=False), question, await self._ask(question))

    async def _ask(self, question: Question) -> _Fetched:
        packet = await self._pool.ask(question.frame)
        return _Fetched(Entry.of(packet, self._clocks().monotonic))

    def _settled(self, decision: Decision, question: Question, fetched: _Fetched) -> Answer:
        """The upstream's answer, which is stored if its server and this client let it be."""
        entry, now = fetched.entry, self._clocks()
        decided = decide_storing(decision, question.header, entry, now, self.limits)
        if not decided.stored:
            return Answer(decided, entry.packet)
        if not fetched.stored:
            fetched.stored = True
            self._store.put(question.key, entry, self._useful(entry, now))
        return Answer(decided, entry.packet, entry)

    def _useful(self, entry: Entry, now: Clocks) -> float:
        """For how many seconds a new entry may be of use from now on, stale times included."""
        max_age = self.limits.clamp(entry.max_age)
        if max_age == FOREVER:
            return math.inf
        return max_age - age_of(entry, now) + max(self._stale.if_error, self._stale.while_revalidate)

    def _not_revalidated(self, failure: Failure) -> None:
        """The stale answer was sent already; upstreams that fail are told of by the pool."""
        if not failure.check(UpstreamError):
            self.log.failure("A fault of ours while fetching an answer anew", failure)
