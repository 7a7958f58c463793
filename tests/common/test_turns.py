"""The time of a turn, shared by all."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.turns import SLICE, Turns


class TurnsTests(SynchronousTestCase):
    """Time is counted, ends a turn, and comes back in the next."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.fine = 0.0
        self.turns = Turns(self.clock, lambda: self.fine)
        self.called: list[str] = []

    def test_over_until_the_next_turn(self) -> None:
        """Who used the turn up ends it for all; the next turn is whole again."""
        self.turns.spent(SLICE)
        self.assertTrue(self.turns.over)
        self.clock.advance(0)
        self.assertFalse(self.turns.over)

    def test_little_is_free(self) -> None:
        """An ordinary request costs no timer."""
        self.turns.spent(SLICE / 10)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waiting_go_on_in_order(self) -> None:
        """Who waits is called once, first come first served."""
        self.turns.wait(lambda: self.called.append("a"))
        self.turns.wait(lambda: self.called.append("b"))
        self.assertEqual(self.called, [])
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertEqual(self.called, ["a", "b"])

    def test_a_long_one_leaves_the_others_to_later_turns(self) -> None:
        """Nobody's work is put on top of a turn that is used up: timers come in between."""

        def long(name: str) -> None:
            self.called.append(name)
            self.clock.callLater(0, self.called.append, f"timer after {name}")
            self.fine += 2 * SLICE

        self.turns.wait(lambda: long("a"))
        self.turns.wait(lambda: long("b"))
        self.clock.advance(0)
        self.assertEqual(self.called, ["a", "timer after a", "b", "timer after b"])

    def test_stop(self) -> None:
        """A stopped one calls nobody and leaves no timer."""
        self.turns.wait(lambda: self.called.append("a"))
        self.turns.stop()
        self.turns.stop()
        self.clock.advance(1)
        self.assertEqual(self.called, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
