"""The cache itself: a request's answer, from what is stored or from an upstream, and the decision behind it."""

import math
from collections.abc import Callable

from attrs import define, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from netlab.calc.header import FOREVER, SERVER_ERROR, Header
from netlab.proxy.decide import (
    Decision,
    Forward,
    NotStored,
    StaleRules,
    decide,
    decide_storing,
    may_serve_stale,
    may_share,
    not_stored,
)
from netlab.proxy.entry import Entry, key_of
from netlab.proxy.errors import UpstreamError, told
from netlab.proxy.freshness import Clocks, Limits, age_of
from netlab.proxy.pool import Pool
from netlab.proxy.singleflight import SingleFlight
from netlab.proxy.stores.permits import Permit
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
    """An upstream's answer, the right to store it, and whether the store took it; `None` before it was offered."""

    entry: Entry
    permit: Permit
    stored: bool | None = None


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
        #: Called when a stale answer was sent, with its request, and with what became of fetching a new one.
        self.revalidated: Callable[[Question, Answer], None] = lambda question, answer: None
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
            self._revalidate(decision, question)
            return Answer(evolve(decision, forward=None, stale="revalidate"), entry.packet)
        return await self._fetched_or_stale(decision, question, entry)

    def _decide(self, entry: Entry | None, request: Header) -> Decision:
        return decide(entry, request, self._clocks(), self.limits)

    async def _fetched_or_stale(self, decision: Decision, question: Question, entry: Entry | None) -> Answer:
        """The answer of an upstream; or, when it is an error and the rules allow it, what is stored and not purged."""
        permit = self._store.permit(question.key)
        try:
            answer = await self._fetched(decision, question)
        except UpstreamError as error:
            answer = Answer(evolve(decision, failed=told(error)), None)
        status = SERVER_ERROR if answer.packet is None else Header.decode(answer.packet).status
        usable = permit.valid and may_serve_stale(decision, self._stale.if_error)
        if entry is None or status < SERVER_ERROR or not usable:
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
        permit = self._store.permit(question.key)
        packet = await self._pool.ask(question.frame)
        return _Fetched(Entry.of(packet, self._clocks().monotonic), permit)

    def _settled(self, decision: Decision, question: Question, fetched: _Fetched) -> Answer:
        """The upstream's answer, which is stored if its server, this client and the store let it be."""
        entry, now = fetched.entry, self._clocks()
        decided = decide_storing(decision, question.header, entry, now, self.limits)
        if not decided.stored:
            return Answer(decided, entry.packet)
        objection = self._store_it(question.key, fetched, now)
        if objection is not None:
            return Answer(not_stored(decided, objection), entry.packet)
        return Answer(decided, entry.packet, entry)

    def _store_it(self, key: bytes, fetched: _Fetched, now: Clocks) -> NotStored | None:
        """Store an answer, unless another for whom it was fetched has tried; why it is not stored, if it is not."""
        if not fetched.permit.valid:
            return NotStored.PURGED
        if fetched.stored is None:
            fetched.stored = self._store.put(key, fetched.entry, self._useful(fetched.entry, now))
        return None if fetched.stored else NotStored.NO_ROOM

    def _useful(self, entry: Entry, now: Clocks) -> float:
        """For how many seconds a new entry may be of use from now on, stale times included."""
        max_age = self.limits.clamp(entry.max_age)
        if max_age == FOREVER:
            return math.inf
        return max_age - age_of(entry, now) + max(self._stale.if_error, self._stale.while_revalidate)

    def _revalidate(self, decision: Decision, question: Question) -> None:
        """Fetch a new answer while a stale one serves, unless one is on its way already."""
        if question.key not in self._flights:
            fetching = Deferred.fromCoroutine(self._fetched_for_later(evolve(decision, background=True), question))
            fetching.addErrback(lambda failure: self.log.failure("A fault of ours while revalidating", failure))

    async def _fetched_for_later(self, decision: Decision, question: Question) -> None:
        """Ask once, as nobody waits for it; what becomes of it is told."""
        try:
            answer = await self._fetched(decision, question)
        except UpstreamError as error:
            answer = Answer(evolve(decision, failed=told(error)), None)
        self.revalidated(question, answer)
