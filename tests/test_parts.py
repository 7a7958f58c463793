"""What a test does when a part that it needs is missing."""

import os
from unittest import SkipTest, mock

from twisted.trial.unittest import SynchronousTestCase

from tests.parts import require_program

ABSENT = "netlab-no-such-program"


class RequireProgramTests(SynchronousTestCase):
    """`require_program` in its three outcomes."""

    def test_present(self) -> None:
        """A program that is there is given by its path."""
        self.assertTrue(os.path.isabs(require_program("sh")))

    def test_skips(self) -> None:
        """On a developer's machine a missing program skips the test, and the reason names it."""
        with mock.patch.dict(os.environ, NETLAB_REQUIRE_ALL=""):
            caught = self.assertRaises(SkipTest, require_program, ABSENT)
        self.assertIn(ABSENT, str(caught))

    def test_fails_where_all_is_required(self) -> None:
        """In CI a missing program is a failure."""
        with mock.patch.dict(os.environ, NETLAB_REQUIRE_ALL="1"):
            caught = self.assertRaises(AssertionError, require_program, ABSENT)
        self.assertIn(ABSENT, str(caught))
