"""The rules of deadlines, with time as a number."""

from twisted.trial.unittest import SynchronousTestCase

from netlab.common.deadlines import Deadlines


class DeadlinesTests(SynchronousTestCase):
    """Keys expire a period after their last touch, and in that order."""

    def setUp(self) -> None:
        self.deadlines: Deadlines[str] = Deadlines(10.0)

    def test_expires_in_order_of_touch(self) -> None:
        """A touch moves a key behind all others."""
        for key, now in (("a", 0.0), ("b", 1.0), ("a", 2.0)):
            self.deadlines.touch(key, now)
        self.assertEqual(self.deadlines.next(), 11.0)
        self.assertEqual(self.deadlines.expired(10.9), [])
        self.assertEqual(self.deadlines.expired(12.0), ["b", "a"])
        self.assertIsNone(self.deadlines.next())

    def test_expired_are_taken_out(self) -> None:
        """A key is late once, not at every look."""
        self.deadlines.touch("a", 0.0)
        self.assertEqual(self.deadlines.expired(10.0), ["a"])
        self.assertEqual(self.deadlines.expired(20.0), [])
        self.assertNotIn("a", self.deadlines)

    def test_dropped_never_expire(self) -> None:
        """What has ended is not late, and dropping what is not there is no error."""
        self.deadlines.touch("a", 0.0)
        self.deadlines.drop("a")
        self.deadlines.drop("b")
        self.assertEqual(self.deadlines.expired(99.0), [])
