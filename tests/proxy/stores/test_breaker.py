"""When what fails is left alone, and when it is tried again."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.proxy.backoff import Backoff
from netlab.proxy.stores.breaker import Breaker

BACKOFF = Backoff(first=1.0, factor=2.0, longest=8.0, jitter=0.5)


def breaker() -> Breaker:
    """One without jitter, to which nothing happened yet."""
    return Breaker(BACKOFF, lambda: 0.0)


class BreakerTests(SynchronousTestCase):
    """`Breaker`."""

    def test_lets_through(self) -> None:
        """While nothing fails any number of calls may be made."""
        it = breaker()
        self.assertTrue(all(it.allows(0.0) for _ in range(5)))
        self.assertEqual(it.state(0.0), "working")

    def test_one_tries(self) -> None:
        """After a failure nobody may, and after the pause one."""
        it = breaker()
        it.failed("slow", 10.0)
        self.assertEqual([it.allows(now) for now in (10.0, 10.9, 11.0, 11.0, 99.0)], [False, False, True, False, False])
        it.succeeded()
        self.assertTrue(it.allows(99.0) and it.allows(99.0))

    def test_pauses_grow(self) -> None:
        """Each failed try makes the pause longer up to the longest; a success makes it short again."""
        it = breaker()
        now, pauses = 0.0, []
        for _ in range(6):
            it.failed("slow", now)
            pauses.append(it._until - now)
            now = it._until
            self.assertTrue(it.allows(now))
        self.assertEqual(pauses, [1.0, 2.0, 4.0, 8.0, 8.0, 8.0])
        it.succeeded()
        it.failed("slow", now)
        self.assertFalse(it.allows(now + 0.9))
        self.assertTrue(it.allows(now + 1.0))

    def test_together(self) -> None:
        """Calls that were under way together fail together, and make one pause, whose reason is the first's."""
        it = breaker()
        for problem in ("first", "second", "third"):
            it.failed(problem, 5.0)
        self.assertEqual(it.state(5.0), "first; it is tried again in 1.0 s")
        self.assertEqual(it.state(7.0), "first; it is tried again with the next request")

    def test_given_up(self) -> None:
        """When the try is given up, the next call tries."""
        it = breaker()
        it.failed("slow", 0.0)
        self.assertTrue(it.allows(1.0))
        it.abandoned()
        self.assertTrue(it.allows(1.0))
        self.assertFalse(it.allows(1.0))

    def test_jitter(self) -> None:
        """Chance shortens a pause, by half at most."""
        it = Breaker(BACKOFF, lambda: 1.0)
        it.failed("slow", 0.0)
        self.assertFalse(it.allows(0.49))
        self.assertTrue(it.allows(0.5))

    @given(st.lists(st.sampled_from(["failed", "succeeded", "abandoned", "wait"]), max_size=50))
    def test_never_stuck(self, outcomes: list[str]) -> None:
        """However calls go, some time after the last one another is let through."""
        it, now = breaker(), 0.0
        for outcome in outcomes:
            if outcome == "wait":
                now += 1.0
            elif it.allows(now):
                if outcome == "failed":
                    it.failed("slow", now)
                else:
                    getattr(it, outcome)()
        self.assertTrue(it.allows(now + BACKOFF.longest))
