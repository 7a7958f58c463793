"""Statistics against Python's own, and their memory."""

from __future__ import annotations

import itertools
import statistics
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.icmp.quantiles import EXACT, Quantiles
from netlab.icmp.series import MAX_SPANS, Series
from netlab.icmp.statistics import RoundTrips

times = st.integers(0, 60 * 10**9)


class RoundTripTests(SynchronousTestCase):
    """Times summed up."""

    def test_none(self) -> None:
        """Without an answer there is no summary; with one there is no jitter."""
        found = RoundTrips()
        self.assertIsNone(found.summary())
        found.add(5)
        summary = found.summary()
        assert summary is not None
        self.assertEqual((summary.min, summary.avg, summary.median, summary.p95, summary.max), (5, 5, 5, 5, 5))
        self.assertEqual((summary.mdev, summary.jitter), (0, None))

    @given(st.lists(times, min_size=2, max_size=60))
    def test_model(self, values: list[int]) -> None:
        """Few values: all figures are exact."""
        found = RoundTrips()
        for value in values:
            found.add(value)
        summary = found.summary()
        assert summary is not None and summary.jitter is not None
        self.assertEqual((summary.min, summary.max, found.last), (min(values), max(values), values[-1]))
        self.assertEqual(summary.median, statistics.median(values))
        self.assertEqual(summary.p95, sorted(values)[ceil(len(values) * 0.95) - 1])
        self.assertApproximates(summary.avg, statistics.fmean(values), 1e-3)
        self.assertApproximates(summary.mdev, statistics.pstdev(values), max(1e-3, 1e-6 * max(values)))
        jitter = statistics.fmean(abs(a - b) for a, b in itertools.pairwise(values))
        self.assertApproximates(summary.jitter, jitter, 1e-3)


class QuantileTests(SynchronousTestCase):
    """Many values: nearly exact, in bounded memory."""

    @settings(max_examples=20)
    @given(st.randoms(use_true_random=False), st.integers(10, 36))
    def test_nearly_exact(self, random: object, bits: int) -> None:
        """To a thousandth, from values of few digits to those of many."""
        values = [random.getrandbits(bits) for _ in range(EXACT + 500)]  # type: ignore[attr-defined]
        found = Quantiles()
        found.extend(values[:700])
        found.extend(values[700:])
        ordered = sorted(values)
        for place in (0, 10, len(values) // 2, len(values) - 1):
            self.assertApproximates(found.at(place), ordered[place], ordered[place] / 1_000)

    def test_memory(self) -> None:
        """A hundred thousand different values take no more counts than there are roundings of them."""
        found = Quantiles()
        for value in range(0, 10**11, 10**6):
            found.extend([value])
        self.assertIsNone(found._exact)
        self.assertLess(len(found._counts), 12_000)
        self.assertEqual(found.total, 100_000)
        self.assertRaises(IndexError, found.at, 100_000)


class SeriesTests(SynchronousTestCase):
    """What pictures are drawn from."""

    def test_short(self) -> None:
        """At first each request stands for itself."""
        series = Series()
        series.answered(0.0, 5)
        series.lost(1.0)
        self.assertEqual([(span.start, span.mean, span.lost) for span in series.spans], [(0.0, 5, 0), (1.0, None, 1)])

    def test_long(self) -> None:
        """However long, a bounded number of spans, and no extreme and no loss is dropped."""
        series = Series()
        for second in range(100_000):
            if second % 1_000 == 7:
                series.lost(second)
            else:
                series.answered(second, 50_000 if second == 70_001 else 100 + second % 3)
        self.assertLessEqual(len(series.spans), MAX_SPANS)
        self.assertEqual(sum(span.lost for span in series.spans), 100)
        self.assertEqual(sum(span.answered for span in series.spans), 99_900)
        self.assertEqual(max(span.high for span in series.spans), 50_000)
        self.assertEqual(min(span.low for span in series.spans if span.answered), 100)
        starts = [span.start for span in series.spans]
        self.assertEqual(starts, sorted(starts))

    def test_lost_and_answered_joined(self) -> None:
        """A span without an answer takes the times of the one that joins it."""
        series = Series()
        for _ in range(MAX_SPANS // 2):
            series.lost(0.0)
            series.answered(1.0, 9)
        series.answered(2.0, 9)
        first = series.spans[0]
        self.assertEqual((first.low, first.high, first.lost, first.answered), (9, 9, 1, 1))
