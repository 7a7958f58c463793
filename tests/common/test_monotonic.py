"""Timers keep their time when the system's clock is set."""

import time

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.monotonic import use_monotonic_clock


class MonotonicTests(SynchronousTestCase):
    """A reactor of its own, so that the one the tests run in stays as it is."""

    def reactor(self) -> IReactorTime:
        """A reactor that was never installed or run."""
        from twisted.internet.selectreactor import SelectReactor

        reactor = SelectReactor()
        self.addCleanup(reactor.disconnectAll)
        return reactor

    def test_the_clock_is_set(self) -> None:
        """What the system's clock says does not come into it any more: set back an hour, a timer still fires."""
        reactor = self.reactor()
        use_monotonic_clock(reactor)
        fired: list[bool] = []
        reactor.callLater(0, fired.append, True)
        self.patch(time, "time", lambda: 0.0)
        reactor.runUntilCurrent()
        self.assertEqual(fired, [True])
        self.assertApproximates(reactor.seconds(), time.monotonic(), 60)

    def test_timers_set_before(self) -> None:
        """A timer that was set before keeps what time it has left."""
        reactor = self.reactor()
        call = reactor.callLater(1_000, lambda: None)
        use_monotonic_clock(reactor)
        self.assertApproximates(call.getTime() - time.monotonic(), 1_000, 60)
        call.cancel()

    def test_a_clock_of_its_own(self) -> None:
        """A test's clock goes on being turned by hand."""
        clock = Clock()
        use_monotonic_clock(clock)
        clock.advance(5)
        self.assertEqual(clock.seconds(), 5)

    def test_twice(self) -> None:
        """Two services may both ask for it."""
        reactor = self.reactor()
        call = reactor.callLater(1_000, lambda: None)
        use_monotonic_clock(reactor)
        use_monotonic_clock(reactor)
        self.assertApproximates(call.getTime() - time.monotonic(), 1_000, 60)
        call.cancel()
