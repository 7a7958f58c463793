"""How a connection ended, in words."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.upper.ending import Ending, How, count_text


class EndingTests(SynchronousTestCase):
    """Endings in words."""

    def test_words(self) -> None:
        """Each kind has its sentence."""
        for ending, words, resets in (
            (Ending(How.RESET, 5, 20), "reset by peer after 5 bytes", False),
            (Ending(How.CLOSED_BY_PEER, 1, 1), "closed by the peer after 1 byte", False),
            (Ending(How.CLOSED, 20, 13, 952), "closed here after 20 bytes with 952 unread, which sends a RST", True),
            (Ending(How.ABORTED, 0, 1), "aborted here after 0 bytes, which sends a RST", True),
            (Ending(How.CLOSED, 3, 3, reason="the daemon stops"), "closed here after 3 bytes: the daemon stops", False),
            (Ending(How.LOST, 3, 3, reason="No route to host"), "lost after 3 bytes: No route to host", False),
        ):  # fmt: skip
            self.assertEqual((str(ending), ending.resets), (words, resets))
        self.assertEqual(count_text(1_000), "1,000 bytes")
