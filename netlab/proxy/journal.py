"""What the proxy did of late, and how often it has done what."""

from collections import Counter, deque
from collections.abc import Iterator

from attrs import frozen

from netlab.proxy.decide import Decision
from netlab.proxy.freshness import Clocks, Limits, freshness
from netlab.proxy.front import Hot

#: How many decisions are remembered for ``netlab proxy explain``.
_MOST = 200


@frozen
class Record:
    """One request and what became of it; ``time`` is unix seconds, lengths are bytes of whole packets."""

    time: float
    peer: str
    key: bytes
    decision: Decision
    request_length: int
    response_length: int
    status: int


class Journal:
    """The last records, and counts of everything since the start."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._recent: deque[Record | tuple[float, float, str, Hot]] = deque(maxlen=_MOST)
        self._hot_hits = 0
        self._counts: Counter[str] = Counter()

    def hot_hit(self, wall: float, monotonic: float, peer: str, hot: Hot) -> None:
        """Note a hit that was answered at once; the sum is only done if somebody asks."""
        self._hot_hits += 1
        self._recent.append((wall, monotonic, peer, hot))

    def note(self, record: Record) -> None:
        """Note any other request."""
        decision = record.decision
        self._recent.append(record)
        self._counts["hit" if decision.forward is None else f"fwd={decision.forward.value}"] += 1
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
                wall, monotonic, peer, hot = item
                yield hit_record(Clocks(wall, monotonic), peer, hot, self._limits)


def hit_record(now: Clocks, peer: str, hot: Hot, limits: Limits) -> Record:
    """The record of a hit that was answered at once, with the sum done afterwards."""
    total = freshness(hot.entry, hot.max_age, now, limits)
    response = len(hot.entry.packet)
    return Record(now.wall, peer, hot.key, Decision(None, total), hot.request_length, response, hot.reply.status)
