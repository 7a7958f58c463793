"""What the proxy did of late, and how often it has done what."""

from collections import Counter, deque
from collections.abc import Iterator

from attrs import evolve, frozen

from netlab.calc.header import HEADER_LENGTH, Header
from netlab.proxy.decide import Decision
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks, Limits, freshness

#: How many decisions are remembered for ``netlab proxy explain``.
_MOST = 200

#: Who asks where no client does.
BACKGROUND = "revalidation"


@frozen
class Record:
    """One request and what became of it; ``time`` is unix seconds, lengths are bytes of whole packets.

    For one that the proxy made on its own, to renew a stale answer, ``peer`` is `BACKGROUND` and the rest says what the
    upstream answered; status and length are 0 if it did not.
    """

    time: float
    peer: str
    key: bytes
    decision: Decision
    request_length: int
    response_length: int
    status: int


#: A hit as it is noted: when, on both clocks; by whom; the request's header; the key; the answer's header, and when it
#: was stored. No packet is in it: two hundred of them might lie around for long after the memory has lost them.
_Hit = tuple[float, float, str, bytes, bytes, bytes, float | None]


class Journal:
    """The last records, and counts of everything since the start."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._recent: deque[Record | _Hit] = deque(maxlen=_MOST)
        self._hot_hits = 0
        self._counts: Counter[str] = Counter()

    def hot_hit(self, wall: float, monotonic: float, peer: str, frame: bytes, entry: Entry) -> None:
        """Note a hit that was answered at once; the sum is only done if somebody asks."""
        self._hot_hits += 1
        request, answer = frame[:HEADER_LENGTH], entry.tail[:HEADER_LENGTH]
        self._recent.append((wall, monotonic, peer, request, entry.key, answer, entry.stored_at))

    def note(self, record: Record) -> None:
        """Note any other request; those that no client made are counted apart."""
        decision = record.decision
        self._recent.append(record)
        self._counts[_outcome(decision)] += 1
        for word, holds in (
            ("stored", decision.stored),
            ("collapsed", bool(decision.collapsed)),
            (f"stale-{decision.stale}", decision.stale is not None),
            ("failed", decision.failed is not None),
        ):
            self._counts[word] += holds

    def counts(self) -> dict[str, int]:
        """How often each outcome was, by its word in `netlab.proxy.decide.cache_status`."""
        counts = {word: number for word, number in self._counts.items() if number}
        if self._hot_hits:
            counts["hit"] = counts.get("hit", 0) + self._hot_hits
        return counts

    def recent(self) -> Iterator[Record]:
        """The last records, oldest first."""
        for item in self._recent:
            if isinstance(item, Record):
                yield item
            else:
                wall, monotonic, peer, request, key, answer, stored_at = item
                entry = evolve(Entry.of(answer, stored_at), key=key)
                yield hit_record(Clocks(wall, monotonic), peer, request, entry, self._limits)


def _outcome(decision: Decision) -> str:
    if decision.background:
        return BACKGROUND
    return "hit" if decision.forward is None else f"fwd={decision.forward.value}"


def hit_record(now: Clocks, peer: str, request: bytes, entry: Entry, limits: Limits) -> Record:
    """The record of a hit that was answered at once, with the sum done afterwards; headers of both will do."""
    asked, answer = Header.decode(request), Header.decode(entry.packet)
    total = freshness(entry, asked.max_age, now, limits)
    return Record(now.wall, peer, entry.key, Decision(None, total), asked.length, answer.length, answer.status)
