"""The kernel's stamps in the time of the monotonic clock, with the system's clock set in between."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.icmp.ancillary import IcmpReport, report_of, stamp_of
from netlab.icmp.stamps import Stamps
from tests.icmp.peers import SECOND

HOUR = 3_600 * SECOND
UNIX = 1_800_000_000 * SECOND


class StampTests(SynchronousTestCase):
    """Times are monotonic ones; the system's clock is ``UNIX`` ahead of them."""

    def setUp(self) -> None:
        """A first reading."""
        self.stamps = Stamps()
        self.read(0)

    def read(self, now: int, ahead: int = UNIX, took: int = 100) -> None:
        """Read the clocks, which takes so long."""
        self.stamps.synchronize(now, now + took // 2 + ahead, now + took)

    def test_stamped(self) -> None:
        """The stamp says when it came, however late it is read."""
        self.read(5 * SECOND)
        self.assertEqual(self.stamps.arrival(UNIX + 2 * SECOND, SECOND, 5 * SECOND), 2 * SECOND)

    def test_without(self) -> None:
        """Without a stamp it came when it was read."""
        self.assertEqual(self.stamps.arrival(None, SECOND, 5 * SECOND), 5 * SECOND)

    def test_impossible(self) -> None:
        """A stamp from before the request, or from the future, is not believed."""
        for stamp in (UNIX, UNIX + SECOND - 20_000, UNIX + 6 * SECOND, 0, -UNIX):
            self.assertEqual(self.stamps.arrival(stamp, SECOND, 5 * SECOND), 5 * SECOND, stamp)

    def test_a_little_early(self) -> None:
        """The clocks are not read at one moment: some microseconds early is at once."""
        self.assertEqual(self.stamps.arrival(UNIX + SECOND - 900, SECOND, 5 * SECOND), SECOND)

    def test_set(self) -> None:
        """Set back an hour, forth an hour, or by a millisecond: no stamp of that turn is used, and all of the next."""
        now, ahead = SECOND, UNIX
        for step in (-HOUR, HOUR, -SECOND // 1_000, SECOND // 1_000):
            now, ahead = now + SECOND, ahead + step
            self.read(now, ahead)
            for stamp in (now + ahead - 5_000, now + ahead - step - 5_000):
                self.assertEqual(self.stamps.arrival(stamp, now - 50_000, now), now, (step, stamp))
            now += SECOND
            self.read(now, ahead)
            self.assertEqual(self.stamps.arrival(now + ahead - 5_000, now - 50_000, now), now - 5_000)

    def test_slow_readings(self) -> None:
        """A reading that something interrupted takes long, and says little; it is no sign that a clock was set."""
        self.stamps = Stamps()
        for now, took in ((0, 5_000), (SECOND, 200), (2 * SECOND, 900_000), (3 * SECOND, 100)):
            self.read(now, took=took)
            arrival = self.stamps.arrival(UNIX + now, now - SECOND, now + 100)
            self.assertApproximates(arrival, now, 5_000)

    @given(st.lists(st.tuples(st.integers(1, SECOND), st.integers(0, 10**6), st.floats(0, 1)), min_size=1, max_size=30))
    def test_never_wrong_while_the_clock_is_left_alone(self, readings: list[tuple[int, int, float]]) -> None:
        """However long readings take and wherever in them the system's clock is read, they agree and get better."""
        now, best = 0, 10**9
        stamps = Stamps()
        for pause, took, place in readings:
            now += pause
            stamps.synchronize(now, now + int(took * place) + UNIX, now + took)
            best = min(best, took)
            now += took
            arrival = stamps.arrival(UNIX + now - 1_000_000, now - 2_000_000, now)
            self.assertTrue(arrival == now or abs(arrival - (now - 1_000_000)) <= best, (arrival, now, best))


class AncillaryTests(SynchronousTestCase):
    """What the kernel tells beside a packet."""

    def test_stamp(self) -> None:
        """A timespec of two 64-bit or two 32-bit numbers."""
        self.assertEqual(stamp_of([(1, 2, b""), (1, 35, struct.pack("=qq", 5, 7))]), 5 * SECOND + 7)
        self.assertEqual(stamp_of([(1, 35, struct.pack("=ii", 5, 7))]), 5 * SECOND + 7)

    def test_error(self) -> None:
        """Who reported, what, and the MTU."""
        head = struct.pack("=IBBBBII", 113, 2, 3, 4, 0, 1_400, 0)
        report = IcmpReport("192.0.2.254", 3, 4, 1_400)
        self.assertEqual(report_of([(0, 11, head + struct.pack("=HH4B8x", 2, 0, 192, 0, 2, 254))]), report)
        head = struct.pack("=IBBBBII", 113, 3, 1, 3, 0, 0, 0)
        sender = struct.pack("=HHI16sI", 10, 0, 0, bytes(15) + b"\1", 0)
        self.assertEqual(report_of([(41, 25, head + sender)]), IcmpReport("::1", 1, 3, 0))

    def test_nothing_useful(self) -> None:
        """Errors of this machine's own, of no length, from nobody, and other things."""
        local = struct.pack("=IBBBBII", 90, 1, 0, 0, 0, 0, 0)
        for ancillary in ([], [(0, 11, local)], [(0, 11, b"")], [(1, 35, b"123")], [(9, 9, bytes(40))]):
            self.assertIsNone(report_of(ancillary))
            self.assertIsNone(stamp_of(ancillary))
        unknown = IcmpReport("unknown", 3, 1, 0)
        head = struct.pack("=IBBBBII", 113, 2, 3, 1, 0, 0, 0)
        for sender in (b"", b"\2", struct.pack("=H", 99) + bytes(30)):
            self.assertEqual(report_of([(0, 11, head + sender)]), unknown)
