"""How a program is ended, as decisions."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.watchdog.ending import Call, Ending
from netlab.watchdog.kin import Identity

A, B, C = (Identity(number, number) for number in (10, 11, 12))


class EndingTests(SynchronousTestCase):
    """Politely, then not."""

    def setUp(self) -> None:
        self.ending = Ending(5.0, 100.0)

    def test_gone_already(self) -> None:
        """Nobody there is nothing to do."""
        decision = self.ending.look([], 100.0)
        self.assertEqual((decision.to, decision.again, decision.left), (frozenset(), None, frozenset()))
        self.assertFalse(self.ending.killed)

    def test_asked_once(self) -> None:
        """Each is asked once, newcomers as they appear, and it is over when all have gone."""
        first = self.ending.look([A], 100.0)
        self.assertEqual((first.call, first.to), (Call.ASK, {A}))
        self.assertEqual(self.ending.look([A, B], 100.1).to, {B})
        self.assertEqual(self.ending.look([B], 100.2).to, frozenset())
        self.assertIsNone(self.ending.look([], 100.3).again)
        self.assertFalse(self.ending.killed)

    def test_killed(self) -> None:
        """After the grace all are stopped until nobody new is found, and killed then."""
        self.ending.look([A], 100.0)
        self.assertEqual(self.ending.look([A], 105.0).call, Call.STOP)
        newcomer = self.ending.look([A, B], 105.01)
        self.assertEqual((newcomer.call, newcomer.to, newcomer.again), (Call.STOP, {B}, 0.0))
        last = self.ending.look([A, B], 105.02)
        self.assertEqual((last.call, last.to), (Call.KILL, {A, B}))
        self.assertTrue(self.ending.killed)

    def test_hurry(self) -> None:
        """Asked to be quick, it does not wait for the grace."""
        self.ending.look([A], 100.0)
        self.ending.hurry(101.0)
        self.assertEqual(self.ending.look([A], 101.0).call, Call.STOP)

    def test_bomb(self) -> None:
        """Who starts others faster than they are stopped is killed in the end."""
        calls = [self.ending.look([Identity(number, 1)], 105.0).call for number in range(50)]
        self.assertIn(Call.KILL, calls)

    def test_gives_up(self) -> None:
        """Who cannot be killed, because the kernel holds it, is told, and not waited for without end."""
        self.ending.look([A], 105.0)
        self.ending.look([A], 105.0)
        decision = self.ending.look([A], 110.1)
        self.assertEqual((decision.again, decision.left), (None, {A}))

    @given(st.lists(st.tuples(st.floats(0, 2), st.sets(st.sampled_from([A, B, C]))), max_size=60))
    def test_any_course(self, course: list[tuple[float, set[Identity]]]) -> None:
        """Only who lives is signalled, nobody is killed within the grace, and it never goes on for ever."""
        ending, now = Ending(5.0, 0.0), 0.0
        for seconds, living in course:
            now += seconds
            decision = ending.look(living, now)
            self.assertLessEqual(decision.to, living)
            if now < 5.0:
                self.assertIs(decision.call, Call.ASK)
            if now > 10.0 or not living:
                self.assertIsNone(decision.again)
