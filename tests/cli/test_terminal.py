"""What may reach a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.terminal import error_text
from netlab.common.printable import printable


class TextTests(SynchronousTestCase):
    """Texts from peers are shown, not obeyed."""

    def test_plain(self) -> None:
        """Ordinary texts stay as they are, whatever their language."""
        for text in ("max(2, 3) + 3", "שלום", "π ≈ 3"):
            self.assertEqual(printable(text), text)

    def test_commands(self) -> None:
        """What a terminal would obey, or would not show, is escaped."""
        self.assertEqual(printable("\x1b[2J\r\n\x07"), r"\x1b[2J\r\n\x07")
        self.assertEqual(printable("a\u202eb\u200b"), r"a\u202eb\u200b")
        self.assertEqual(printable("\x9b1m\ud800"), r"\x9b1m\ud800")

    @given(st.text())
    def test_always_printable(self, text: str) -> None:
        """Nothing gets through."""
        self.assertTrue(printable(text).isprintable())

    def test_one_line(self) -> None:
        """In a pipe an error is one line, however many it has; at a terminal some more are shown."""
        message = "bad\n1 +\n   ^\n" + "more\n" * 50
        self.assertEqual(error_text(message, terminal=False), "bad")
        self.assertEqual(error_text(message, terminal=True), "bad\n1 +\n   ^\nmore")
        self.assertEqual(error_text("bad", "1 +\n   ^", terminal=True), "bad\n1 +\n   ^")
        self.assertEqual(error_text("bad", "1 +\n   ^", terminal=False), "bad")

    def test_short(self) -> None:
        """A peer's text does not fill the screen."""
        self.assertEqual(len(error_text("x" * 60_000, terminal=True)), 501)
