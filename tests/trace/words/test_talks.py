"""What programs said, in words."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.words.loading import language
from netlab.trace.words.messages import MAX_STEPS, note_sentences
from netlab.trace.words.talks import application_sentences
from tests.trace.app.messages import NOW, request, response
from tests.trace.app.talking import CLIENT, SERVER, found, only, talk


def paragraph(asked: bytes, answered: bytes) -> str:
    """What is said of an exchange with the calculator."""
    application = only(talk((CLIENT, asked), (SERVER, answered)))
    return " ".join(map(language("en").say, application_sentences(application)))


class CalcTests(SynchronousTestCase):
    """The calculator protocol."""

    def test_freshness(self) -> None:
        """The proxy's sums: what is left of both limits, as numbers that add up."""
        asked = request("1 + 2", 30)
        text = paragraph(asked, response(asked, NOW - 10, 60))
        self.assertIn("The answer was made 10.000 s before it was asked for: it came out of a cache.", text)
        self.assertIn("Of the server's max-age there is left 60.000 s − age 10.504 s = 49.496 s.", text)
        self.assertIn("Of the client's max-age there is left 30.000 s − age 10.504 s = 19.496 s.", text)
        self.assertNotIn("No cache may store it", text)

    def test_stale(self) -> None:
        """An answer that is too old for its client; one that nobody limits."""
        asked = request("1 + 2", 5)
        text = paragraph(asked, response(asked, NOW - 10))
        self.assertIn("Of the client's max-age there is left 5.000 s − age 10.504 s = -5.504 s.", text)
        self.assertNotIn("server's max-age", text)
        self.assertIn("No cache may store it: nothing is left.", text)
        asked = request("1 + 2")
        self.assertIn("It is fresh for ever: neither side sets a max-age.", paragraph(asked, response(asked)))
        text = paragraph(asked[:6] + b"\x0c\0" + asked[8:], response(asked))
        self.assertIn("No cache may store it: its request says so (C=0).", text)
        self.assertNotIn("fresh for ever", text)

    def test_steps(self) -> None:
        """Each step equals the next; of many the first are told."""
        for text, expected in (
            ("max(2, 3) + 3", "It brings 3 steps: max(2, 3) + 3 = 3 + 3 = 6."),
            (" + ".join("1" * 11), " = …"),
        ):
            asked = request(text)
            notes = found(talk((CLIENT, asked), (SERVER, response(asked)))).notes()[5]
            said = " ".join(language("en").say(one) for note in notes for one in note_sentences(note))
            self.assertIn(expected, said)
            self.assertLessEqual(said.count(" = "), MAX_STEPS)
