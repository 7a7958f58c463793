"""What a proxy did with each request: which connection upstream it caused, or that there was none.

A request that comes to a program, and the same bytes that leave it a moment later for another, are one request passed
on. That is how programs that pass requests on are found, and their upstreams. A cache that answers by itself sends
nothing: a hit is shown by packets that are not there.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from netlab.trace.app.application import Application
from netlab.trace.app.asking import Ask, asks_of
from netlab.trace.app.span import Span
from netlab.trace.closing import CERTAIN, LIKELY, POSSIBLE, REFUSED, UNANSWERED
from netlab.trace.facts import Conversation, Endpoint
from netlab.trace.passage import (
    HIT,
    MISS,
    NO_ANSWER,
    OUTAGE,
    OWN,
    SERVER_ERROR,
    Passage,
    Proof,
    passage_of,
    proof_of_status,
    proof_within,
)

if TYPE_CHECKING:
    from netlab.trace.app.plain import Turn

#: Upstream requests with the same bytes that are looked at for one request.
MAX_CANDIDATES = 64


class Packets(Protocol):
    """What is needed of a conversation's packets: their ``frames``, in order, and its ``turns``."""

    @property
    def frames(self) -> Sequence[int]:
        """The numbers of all its packets."""
        ...

    @property
    def turns(self) -> "Sequence[Turn]":
        """Who sent how much before the other answered."""
        ...


def passages(
    applications: Iterable[Application],
    conversations: Mapping[int, Conversation],
    packets: Mapping[int, Packets],
    proxies: Iterable[int] = (),
) -> tuple[Passage, ...]:
    """What was done with every request that came to a program which passes requests on, or listens on ``proxies``."""
    asks: list[Ask] = []
    for one in applications:
        conversation = conversations.get(one.conversation)
        if conversation is not None and one.facts is not None:
            asks += asks_of(one, conversation, packets[one.conversation].turns)
    asks.sort(key=lambda ask: (ask.request.first, ask.conversation, ask.index))
    return _Pairing(asks, conversations, packets, frozenset(proxies)).passages()


class _Pairing:
    """All requests of a capture, and who caused which."""

    def __init__(
        self,
        asks: list[Ask],
        conversations: Mapping[int, Conversation],
        packets: Mapping[int, Packets],
        ports: frozenset[int],
    ) -> None:
        self._asks = asks
        self._conversations = conversations
        self._packets = packets
        self._ports = ports
        self._outgoing: defaultdict[tuple[str, Hashable], list[Ask]] = defaultdict(list)
        for ask in asks:
            self._outgoing[ask.client.address, ask.key].append(ask)
        self._failed = _failed(conversations.values())
        self._taken: set[tuple[int, int]] = set()
        #: The upstreams of each proxy, and the frames of all packets that went to and from them.
        self._upstreams: defaultdict[Endpoint, set[Endpoint]] = defaultdict(set)
        self._traffic: dict[Endpoint, list[int]] = {}
        #: The frame in which a proxy gave an answer last, by proxy, request and answer.
        self._answered: dict[tuple[Endpoint, Hashable, Hashable], int] = {}

    def passages(self) -> tuple[Passage, ...]:
        """Every request to a proxy, in the order in which they came."""
        caused = [self._caused(ask) for ask in self._asks]
        for ask, found in zip(self._asks, caused, strict=True):
            if found is not None:
                self._upstreams[ask.server].add(found[0].server)
        for ask, found in zip(self._asks, caused, strict=True):
            failure = None if found else self._failure(ask)
            if failure is not None and (ask.status >= SERVER_ERROR or ask.answer is None):
                self._upstreams[ask.server].add(_server(failure))
        passed = []
        for ask, found in zip(self._asks, caused, strict=True):
            known = ask.server in self._upstreams or ask.server.port in self._ports
            if known or (ask.older and not found):
                passed.append(self._passage(ask, found))
                self._remember(ask)
        return tuple(passed)

    def _caused(self, ask: Ask) -> tuple[Ask, bool, bool] | None:
        """The request upstream that ``ask`` caused; whether another caused it, and whether it could be no other's."""
        bucket = self._outgoing.get((ask.server.address, ask.key), ())
        first = bisect_right(bucket, ask.request.first, key=lambda one: one.request.first)
        fits = [one for one in bucket[first : first + MAX_CANDIDATES] if _inside(one, ask)]
        fresh = [one for one in fits if (one.conversation, one.index) not in self._taken]
        if fresh:
            self._taken.add((fresh[0].conversation, fresh[0].index))
            return fresh[0], False, len(fits) == 1
        # Somebody asked the same a moment before, and the proxy did not ask twice.
        for one in reversed(bucket[max(0, first - MAX_CANDIDATES) : first]):
            if _shared(one, ask) and (one.conversation, one.index) in self._taken:
                return one, True, True
        return (fits[0], True, False) if fits else None

    def _passage(self, ask: Ask, found: tuple[Ask, bool, bool] | None) -> Passage:
        if found is not None:
            return self._miss(ask, *found)
        failure = self._failure(ask)
        if failure is not None:
            return self._outage(ask, failure)
        if ask.answer is None:
            return passage_of(ask, NO_ANSWER, LIKELY, ())
        quiet = self._quiet(ask, ask.answer)
        proofs = [] if quiet is None else [quiet]
        earlier = self._answered.get((ask.server, ask.key, ask.answer_key))
        if earlier is not None:
            proofs.append(Proof("answered_before", (earlier,), {}))
        if ask.older:
            proofs.append(Proof("made_earlier", (ask.answer.first,), {"older": ask.older}))
        if earlier is None and not ask.older:
            return passage_of(ask, OWN, LIKELY if quiet else POSSIBLE, (*proofs, *proof_of_status(ask)))
        sure = quiet is not None and not quiet.numbers["others"] and ask.server in self._upstreams
        return passage_of(ask, HIT, CERTAIN if sure else LIKELY, tuple(proofs))

    def _miss(self, ask: Ask, one: Ask, shared: bool, alone: bool) -> Passage:
        frames = (ask.request.first, one.request.first)
        proofs = [Proof("same_request", frames, {"same_header": int(ask.header == one.header)})]
        same = ask.answer is not None and one.answer is not None and ask.answer_key == one.answer_key
        if ask.answer and one.answer:
            if same:
                numbers = {"same_header": int(ask.answer_header == one.answer_header)}
                proofs.append(Proof("same_answer", (one.answer.first, ask.answer.first), numbers))
            proofs.append(proof_within(ask, ask.answer, one, one.answer))
        verdict = MISS
        if one.answer is None:
            closing = self._conversations[one.conversation].closing
            proofs.append(Proof("upstream_reset", tuple(item.frame for item in closing.evidence[:2]), {}))
            verdict = OUTAGE if ask.answer is not None else NO_ANSWER
        proofs += proof_of_status(ask)
        confidence = CERTAIN if same and alone else LIKELY if same else POSSIBLE
        return passage_of(ask, verdict, confidence, tuple(proofs), one, shared)

    def _outage(self, ask: Ask, failure: Conversation) -> Passage:
        closing = failure.closing
        frames = tuple(item.frame for item in closing.evidence)
        what = "refused" if closing.cause == REFUSED else "no_answer_to_syn"
        proofs = (Proof(what, frames, {"conversation": failure.number}), *proof_of_status(ask))
        sure = ask.answer is None or ask.status >= SERVER_ERROR
        return passage_of(ask, OUTAGE, CERTAIN if sure and what == "refused" else LIKELY, proofs)

    def _failure(self, ask: Ask) -> Conversation | None:
        """A connection that this program tried in vain while the client waited."""
        tried = self._failed.get(ask.server.address, ())
        first = bisect_left(tried, ask.request.first, key=lambda one: one.first)
        until = ask.answer.first if ask.answer else self._conversations[ask.conversation].last
        known = self._upstreams.get(ask.server)
        for one in tried[first : first + MAX_CANDIDATES]:
            if one.first > until:
                return None
            server = _server(one)
            if server != ask.server and (not known or server in known):
                return one
        return None

    def _quiet(self, ask: Ask, answer: Span) -> Proof | None:
        """That nothing went upstream between a request and its answer; `None` if no upstream is known."""
        if ask.server not in self._upstreams:
            return None
        frames = self._traffic.get(ask.server)
        if frames is None:
            frames = self._traffic[ask.server] = self._to_upstreams(ask.server)
        others = bisect_left(frames, answer.first) - bisect_right(frames, ask.request.last)
        numbers = {"ns": answer.began - ask.request.ended, "others": max(0, others)}
        return Proof("no_upstream_packet", (ask.request.last, answer.first), numbers)

    def _to_upstreams(self, proxy: Endpoint) -> list[int]:
        known = self._upstreams[proxy]
        frames: list[int] = []
        for number, one in self._conversations.items():
            client = one.client if one.client is not None else 0
            if one.endpoints[1 - client] in known and one.endpoints[client].address == proxy.address:
                frames += self._packets[number].frames if number in self._packets else ()
        return sorted(frames)

    def _remember(self, ask: Ask) -> None:
        if ask.answer is not None:
            self._answered[ask.server, ask.key, ask.answer_key] = ask.answer.first


def _failed(conversations: Iterable[Conversation]) -> dict[str, list[Conversation]]:
    """Connections that were refused or never answered, by the address of who tried, in order."""
    found: defaultdict[str, list[Conversation]] = defaultdict(list)
    for one in conversations:
        if one.closing.cause in (REFUSED, UNANSWERED) and one.client is not None:
            found[one.endpoints[one.client].address].append(one)
    for tried in found.values():
        tried.sort(key=lambda one: one.first)
    return dict(found)


def _server(one: Conversation) -> Endpoint:
    return one.endpoints[1 - (one.client or 0)]


def _inside(one: Ask, ask: Ask) -> bool:
    """Whether ``one`` was asked and answered while ``ask`` waited, by the program that ``ask`` went to."""
    if one.conversation == ask.conversation or one.server == ask.server:
        return False
    if ask.answer is None:
        return True
    if one.request.first > ask.answer.first:
        return False
    return one.answer is None or one.answer.first < ask.answer.last


def _shared(one: Ask, ask: Ask) -> bool:
    """Whether ``one`` was under way when ``ask`` came, and its answer was there before that of ``ask``."""
    if one.answer is None or ask.answer is None or one.server == ask.server or one.conversation == ask.conversation:
        return False
    return ask.request.last < one.answer.first < ask.answer.first and one.answer_key == ask.answer_key
