"""Round-trip times over any time in bounded memory, for pictures: what is old is told less finely."""

from attrs import define

#: When there are so many spans, two and two become one.
MAX_SPANS = 1_024


@define
class Span:
    """What happened in a while: the requests ``first`` and after; times in nanoseconds, and their number.

    ``start`` is a time of the clock that the caller reads.
    """

    start: float
    low: int = 0
    high: int = 0
    total: int = 0
    answered: int = 0
    lost: int = 0

    def add(self, rtt: int) -> None:
        """Count an answer."""
        self.low = min(self.low, rtt) if self.answered else rtt
        self.high = max(self.high, rtt)
        self.total += rtt
        self.answered += 1

    @property
    def mean(self) -> float | None:
        """The mean time; `None` without an answer."""
        return self.total / self.answered if self.answered else None

    def join(self, later: "Span") -> None:
        """Take in the span that follows."""
        if later.answered:
            self.low = min(self.low, later.low) if self.answered else later.low
            self.high = max(self.high, later.high)
        self.total += later.total
        self.answered += later.answered
        self.lost += later.lost


class Series:
    """The spans of one target, in the order of time; at first each has one request, and never any is dropped."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._each = 1
        self._filled = 0

    def answered(self, now: float, rtt: int) -> None:
        """A request was answered."""
        self._span(now).add(rtt)

    def lost(self, now: float) -> None:
        """A request was lost."""
        self._span(now).lost += 1

    def _span(self, now: float) -> Span:
        """The span for what happens now."""
        if not self.spans or self._filled >= self._each:
            if len(self.spans) >= MAX_SPANS:
                self._thin()
            self.spans.append(Span(now))
            self._filled = 0
        self._filled += 1
        return self.spans[-1]

    def _thin(self) -> None:
        """Make two and two spans one."""
        for span, later in zip(self.spans[::2], self.spans[1::2], strict=True):
            span.join(later)
        self.spans = self.spans[::2]
        self._each *= 2
