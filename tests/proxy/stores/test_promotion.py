"""Which of two answers goes on, and how old it is from then on."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.proxy.freshness import Clocks, age_of
from netlab.proxy.stores.promotion import newer, settled
from tests.proxy.stores.cases import BEGIN, entry

WALLS = st.floats(BEGIN - 1e6, BEGIN + 1e6)
STAMPS = st.integers(BEGIN - 1_000_000, BEGIN + 1_000_000)
MONOTONIC = st.floats(0, 1e6)
CLOCKS = st.builds(Clocks, WALLS, MONOTONIC)


class PromotionTests(SynchronousTestCase):
    """`settled` and `newer`."""

    @given(STAMPS, CLOCKS)
    def test_settled(self, stamp: int, now: Clocks) -> None:
        """Its time here began when it was made by the wall clock, and not later than now."""
        found = settled(entry(timestamp=stamp), now)
        self.assertEqual(found.stored_at, now.monotonic - max(0.0, now.wall - stamp))

    @given(STAMPS, CLOCKS, WALLS, st.floats(0, 1e6))
    def test_never_younger(self, stamp: int, now: Clocks, wall: float, passed: float) -> None:
        """Whatever becomes of the wall clock, it is never younger than it was plus the time that went by."""
        before = age_of(entry(timestamp=stamp), now)
        later = Clocks(wall, now.monotonic + passed)
        self.assertGreaterEqual(age_of(settled(entry(timestamp=stamp), now), later), before + passed - 1e-3)

    @given(STAMPS, CLOCKS)
    def test_twice(self, stamp: int, now: Clocks) -> None:
        """An answer that goes from store to store grows no younger, either."""
        once = settled(entry(timestamp=stamp), now)
        self.assertAlmostEqual(settled(once, now).stored_at, once.stored_at, places=3)

    @given(STAMPS, STAMPS, CLOCKS)
    def test_the_younger_one(self, held: int, found: int, now: Clocks) -> None:
        """The younger of two answers goes on, by age and so by time stamp where clocks agree."""
        one, two = entry("one", held), entry("two", found)
        chosen = newer(one, two, now)
        self.assertEqual(age_of(chosen, now), min(age_of(one, now), age_of(two, now)))

    def test_one_of_none(self) -> None:
        """What there is goes on: that in memory as it is, that from behind settled."""
        now = Clocks(BEGIN + 5.0, 100.0)
        self.assertIsNone(newer(None, None, now))
        self.assertEqual(newer(entry(), None, now), entry())
        self.assertEqual(newer(None, entry(), now), entry(stored_at=95.0))

    def test_the_same(self) -> None:
        """Of one answer in both places the memory's goes on, which knows its age better, though it be older."""
        held = entry(stored_at=1.0)
        self.assertIs(newer(held, entry(), Clocks(BEGIN + 5.0, 100.0)), held)
