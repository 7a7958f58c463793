"""Round-trip times summed up, in memory that does not grow with them."""

from math import sqrt

from attrs import frozen

from netlab.icmp.quantiles import Quantiles


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

    __slots__ = ("_deviation", "_differences", "_last", "_max", "_mean", "_min", "_quantiles")

    def __init__(self) -> None:
        self._quantiles = Quantiles()
        self._min = self._max = self._last = 0
        # Mean and sum of squared deviations, updated in Welford's way: no sum grows until its digits are lost.
        self._mean = self._deviation = 0.0
        self._differences = 0

    def add(self, rtt: int) -> None:
        """Take one more."""
        before = self._quantiles.total
        self._quantiles.add(rtt)
        if before:
            if rtt < self._min:
                self._min = rtt
            elif rtt > self._max:
                self._max = rtt
            self._differences += abs(rtt - self._last)
        else:
            self._min = self._max = rtt
        self._last = rtt
        distance = rtt - self._mean
        self._mean += distance / (before + 1)
        self._deviation += distance * (rtt - self._mean)

    @property
    def last(self) -> int:
        """The newest; 0 before there is one."""
        return self._last

    def summary(self) -> Times | None:
        """All of them summed up; `None` while there are none."""
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
