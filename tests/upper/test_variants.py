"""The servers as data."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from netlab.upper.variants import VARIANTS


class VariantTests(SynchronousTestCase):
    """The table as data."""

    def test_table(self) -> None:
        """The five servers are those of protocols.md §2."""
        self.assertEqual(
            [(v.name, v.receive_size, v.repeat, v.delay, v.messages) for v in VARIANTS.values()],
            [
                ("session", 100, 1, 0.0, 2),
                ("v1", 1024, 1, 0.0, None),
                ("v2", 5, 1, 0.0, None),
                ("v3", 1024, 1000, 0.0, None),
                ("v4", 1024, 1, 5.0, None),
            ],
        )

    def test_words(self) -> None:
        """Each says what it does."""
        self.assertEqual(str(VARIANTS["v3"]), "v3: recv(1024), upper case × 1,000, send; until the client closes")
        self.assertEqual(
            str(evolve(VARIANTS["v4"], messages=3)), "v4: wait 5 s, recv(1024), upper case, send; 3 times, then close"
        )

    def test_limits(self) -> None:
        """What cannot be is no variant."""
        for wrong in ({"receive_size": 0}, {"repeat": 0}, {"delay": -1.0}, {"delay": float("nan")}, {"messages": 0}):
            self.assertRaises(ValueError, evolve, VARIANTS["v1"], **wrong)
