"""Round-trip times summed up, in memory that does not grow with them."""

from math import sqrt
from operator import mul, sub

from attrs import frozen

from netlab.icmp.quantiles import Quantiles

#: Times that wait until they are summed up together, which is much cheaper than one by one.
_BATCH = 256


@frozen
class Times:
    """Round-trip times in nanoseconds, summed up.

    ``mdev`` is their standard deviation, as iputils calls it; ``jitter`` is the mean difference between one and the
    next, `None` while there is only one.
    """

    min: int
    avg: float
    median: float
    p95: int
    max: int
    mdev: float
    jitter: float | None


class RoundTrips:
    """Takes round-trip times, in nanoseconds, as they come."""

    __slots__ = ("_deviation", "_differences", "_last", "_max", "_mean", "_min", "_new", "_quantiles")

    def __init__(self) -> None:
        self._quantiles = Quantiles()
        self._new: list[int] = []
        self._min = self._max = self._last = 0
        # Mean and sum of squared deviations, joined as Chan, Golub and LeVeque do: no sum grows until its digits are
        # lost.
        self._mean = self._deviation = 0.0
        self._differences = 0

    def add(self, rtt: int) -> None:
        """Take one more."""
        self._new.append(rtt)
        if len(self._new) >= _BATCH:
            self._settle()

    @property
    def last(self) -> int:
        """The newest; 0 before there is one."""
        return self._new[-1] if self._new else self._last

    def summary(self) -> Times | None:
        """All of them summed up; `None` while there are none."""
        self._settle()
        count = self._quantiles.total
        if not count:
            return None
        return Times(
            min=self._min,
            avg=self._mean,
            median=min(max(self._quantiles.median(), self._min), self._max),
            p95=min(max(self._quantiles.percentile(95), self._min), self._max),
            max=self._max,
            mdev=sqrt(max(0.0, self._deviation) / count),
            jitter=self._differences / (count - 1) if count > 1 else None,
        )

    def _settle(self) -> None:
        """Sum up what has come."""
        new, count = self._new, self._quantiles.total
        if not new:
            return
        if not count:
            self._min = self._last = new[0]
        self._min, self._max = min(self._min, *new), max(self._max, *new)
        self._differences += sum(map(abs, map(sub, new, [self._last, *new])))
        number, whole, squares = len(new), sum(new), sum(map(mul, new, new))
        distance, total = whole / number - self._mean, count + number
        self._deviation += (squares * number - whole**2) / number + distance**2 * count * number / total
        self._mean += distance * number / total
        self._last = new[-1]
        self._quantiles.extend(new)
        new.clear()
