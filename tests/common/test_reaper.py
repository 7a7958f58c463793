"""One timer for many deadlines."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.reaper import Reaper


class ReaperTests(SynchronousTestCase):
    """Late keys are called, with one delayed call at most, and none when nothing is watched."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.late: list[str] = []
        self.reaper: Reaper[str] = Reaper(self.clock, 10.0, self.late.append)

    def test_late(self) -> None:
        """A key that is never touched again is late after its period."""
        self.reaper.touch("a")
        self.clock.advance(9.9)
        self.assertEqual(self.late, [])
        self.clock.advance(0.2)
        self.assertEqual(self.late, ["a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_touch_postpones(self) -> None:
        """A touch gives a whole period; `begin` does not."""
        self.reaper.begin("a")
        self.clock.advance(6)
        self.reaper.begin("a")
        self.reaper.touch("b")
        self.clock.advance(4)
        self.assertEqual(self.late, ["a"])
        self.clock.advance(6)
        self.assertEqual(self.late, ["a", "b"])

    def test_one_timer(self) -> None:
        """A thousand keys cost one delayed call."""
        for number in range(1000):
            self.reaper.touch(str(number))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_touch_while_late(self) -> None:
        """A callback may begin to watch again without a second timer appearing."""

        def again(key: str) -> None:
            reaper.touch(key)

        reaper: Reaper[str] = Reaper(self.clock, 10.0, again)
        reaper.touch("a")
        self.clock.advance(10)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_stop(self) -> None:
        """Stopping ends the timer, also when it is called twice."""
        self.reaper.touch("a")
        self.reaper.stop()
        self.reaper.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
