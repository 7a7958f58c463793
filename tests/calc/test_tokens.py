"""Infix text cut into tokens."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.errors import SyntaxRefused
from netlab.calc.tokens import CALL, END, NAME, NUMBER, SIGN, refuse, tokens
from tests.calc.cases import for_each, tries


class TokenTests(SynchronousTestCase):
    """Kinds, texts and places."""

    def test_kinds(self) -> None:
        """One of each, with the offsets at which they begin."""
        self.assertEqual(
            list(tokens(" max (2,pi)**.5")),
            [
                (CALL, "max", 1),
                (SIGN, "(", 5),
                (NUMBER, "2", 6),
                (SIGN, ",", 7),
                (NAME, "pi", 8),
                (SIGN, ")", 10),
                (SIGN, "**", 11),
                (NUMBER, ".5", 13),
                (END, "", 15),
            ],
        )

    @for_each(
        {
            str(place): text
            for place, text in enumerate(
                ["0", "12", "1.5", "1.", ".5", "1e5", "1E5", "1e+5", "1.5e-5", ".5e5", "1.e5", "007"]
            )
        }
    )
    def test_number(self, text: str) -> None:
        """Every way to write a number is one token."""
        self.assertEqual(list(tokens(text)), [(NUMBER, text, 0), (END, "", len(text))])

    def test_longest(self) -> None:
        """A token is as long as it can be: ``***`` is a power and a product, ``1e`` a number and a name."""
        self.assertEqual([token[1] for token in tokens("***")], ["**", "*", ""])
        self.assertEqual([token[1] for token in tokens("1e")], ["1", "e", ""])
        self.assertEqual([token[1] for token in tokens("1.2.3")], ["1.2", ".3", ""])
        self.assertEqual(
            [token[:2] for token in tokens("sin cos(")], [(NAME, "sin"), (CALL, "cos"), (SIGN, "("), (END, "")]
        )

    def test_space(self) -> None:
        """Any white space of ASCII is the same, at the end too."""
        self.assertEqual([token[1] for token in tokens("1 \t\r\n\f\v+ 2 \n")], ["1", "+", "2", ""])
        self.assertEqual(list(tokens("  ")), [(END, "", 2)])
        self.assertEqual(list(tokens("")), [(END, "", 0)])

    @for_each({f"U+{ord(letter):04X}": letter for letter in "$.=!^&|[]{}'\"\\;:#@~`?<>\0\x1b\xa0é×−²١א😀\ud800"})
    def test_junk(self, letter: str) -> None:
        """A character that begins no token is refused at its column, and can be said in any encoding."""
        error = self.assertRaises(SyntaxRefused, lambda: list(tokens(f"12 {letter}")))
        self.assertEqual(error.column, 4)
        self.assertTrue(str(error).isprintable())
        f"{error}\n{error.caret}".encode()

    def test_lazy(self) -> None:
        """What nobody asks for is not read."""
        stream = tokens("1 + $")
        self.assertEqual([next(stream)[1], next(stream)[1]], ["1", "+"])

    @given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
    @tries(300)
    def test_nothing_lost(self, text: str) -> None:
        """Put together, the tokens are the text without its white space, each at its place."""
        try:
            found = list(tokens(text))
        except SyntaxRefused:
            return
        self.assertEqual(
            "".join(token[1] for token in found), "".join(text.translate({ord(c): None for c in " \t\r\n\f\v"}))
        )
        for _, token, start in found:
            self.assertEqual(text[start : start + len(token)], token)


class CaretTests(SynchronousTestCase):
    """Where it is wrong, shown in two lines."""

    def test_short(self) -> None:
        """A short text is shown whole, the caret under the place."""
        error = refuse("wrong", "1 + $ + 2", 4)
        self.assertEqual((str(error), error.caret), ("wrong, at column 5", "1 + $ + 2\n    ^"))

    def test_end(self) -> None:
        """The caret can stand behind the text."""
        self.assertEqual(refuse("wrong", "1 +", 3).caret, "1 +\n   ^")

    def test_long(self) -> None:
        """Of a long text only the surroundings are shown."""
        text = "1+" * 1_000 + "$" + "+1" * 1_000
        window, caret = refuse("wrong", text, 2_000).caret.split("\n")
        self.assertEqual((window[0], window[-1], len(window)), ("…", "…", 62))
        self.assertEqual(window[caret.index("^")], "$")

    def test_unprintable(self) -> None:
        """Control characters do not reach a terminal; the caret stays in its column."""
        window, caret = refuse("wrong", "1\n\x1b[31m$", 7).caret.split("\n")
        self.assertEqual((window, caret), ("1  [31m$", "       ^"))

    @given(st.text(max_size=200), st.data())
    @tries(200)
    def test_any(self, text: str, data: st.DataObject) -> None:
        """The caret points to the character that the window shows there."""
        start = data.draw(st.integers(0, len(text)))
        shown, caret = refuse("wrong", text, start).caret.split("\n")
        self.assertTrue(shown.isprintable())
        self.assertLessEqual(len(shown), 62)
        if start < len(text) and text[start].isprintable():
            self.assertEqual(shown[len(caret) - 1], text[start])
