"""Parameters: the same for the same ID, others for others, the laboratory's own for nobody."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.draw import FIRST_PORT, MAX_STUDENT, PORTS, BadStudent, Draw, Whose, student_id
from netlab.lab.loading import experiments
from netlab.lab.steps import shell_lines

IDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20)


class DrawTests(SynchronousTestCase):
    """What is drawn."""

    def test_classic(self) -> None:
        """Nobody's parameters are those of protocols.md."""
        draw = Draw("x", Whose())
        self.assertEqual(draw.port("server", 9999), 9999)
        self.assertEqual(draw.message("m", "Hello, World!"), "Hello, World!")
        self.assertEqual(draw.filled("e", "max(2, 3) + 3", "max(#, #) + #"), "max(2, 3) + 3")
        self.assertEqual(draw.seconds("d", 5.0, 0.5), 5.0)

    def test_known(self) -> None:
        """What one ID gives never changes: reports of last year are verified next year."""
        draw = Draw("tcp-v3", Whose("123456789"))
        self.assertEqual(draw.port("server", 5050), 24_818)
        self.assertEqual(draw.message("message", "Hello, World!"), "ocean forest!")

    @settings(deadline=None, max_examples=15)
    @given(IDS, st.integers(0, 1000))
    def test_reproducible(self, student: str, seed: int) -> None:
        """The same ID and seed give the same plan, and every part of it is sound."""
        for one in experiments().values():
            first, second = (one.planned(Whose(student, seed, quick=True)) for _ in range(2))
            self.assertEqual(first[1], second[1])
            self.assertEqual(shell_lines(first[0].steps), shell_lines(second[0].steps))
            self.assertTrue(all(FIRST_PORT <= port < FIRST_PORT + PORTS for port in first[0].roles))

    @settings(deadline=None, max_examples=15)
    @given(IDS, IDS)
    def test_personal(self, one: str, other: str) -> None:
        """Two students have different parameters, in every experiment; ports of one experiment differ."""
        if one == other:
            return
        for each in experiments().values():
            mine, theirs = (each.planned(Whose(who))[1] for who in (one, other))
            self.assertEqual(len({*each.planned(Whose(one))[0].roles}), len(each.planned(Whose(one))[0].roles))
            if len(mine) > 2 or each.name.startswith("web"):
                self.assertNotEqual(mine, theirs)

    def test_messages(self) -> None:
        """A student's message is as long as the laboratory's, so that the arithmetic stays the same."""
        for length in (13, 20, 35, 130):
            drawn = Draw("x", Whose("7")).message("m", "x" * length)
            self.assertEqual(len(drawn), length)
            self.assertTrue(drawn.isascii() and drawn.isprintable() and drawn.upper() != drawn)

    def test_bad_student(self) -> None:
        """An ID that nobody could read is refused."""
        for bad in ("x" * (MAX_STUDENT + 1), "a\x1bb", "a\u202eb"):
            self.assertRaises(BadStudent, student_id, bad)
        self.assertEqual(student_id("  12 "), "12")
