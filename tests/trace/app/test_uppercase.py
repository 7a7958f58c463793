"""Uppercase servers: which answer belongs to which bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.app.repeats import Repeats
from netlab.trace.app.uppercase import UpperTalk
from tests.trace.app.talking import CLIENT, SERVER, Line, only, talk
from tests.trace.frames import ACK, RST

SECOND = 1_000_000_000


def upper(line: Line) -> UpperTalk:
    """The facts of an uppercase conversation."""
    application = only(line)
    assert application.protocol == "upper", application
    facts: UpperTalk = application.facts
    return facts


class VariantTests(SynchronousTestCase):
    """What a conversation is recognised by."""

    def test_pieces(self) -> None:
        """Answers of five bytes to what came in one segment are those of V2, whatever is joined after the first."""
        facts = upper(talk((CLIENT, b"World! Hello, World!"), (SERVER, b"WORLD"), (SERVER, b"! HELLO, WORLD!")))
        self.assertEqual(facts.variant, "v2")
        self.assertEqual([one.request.length for one in facts.answers], [5, 15])

    def test_delay(self) -> None:
        """An answer after five seconds to everything that came meanwhile is V4's."""
        line = Line().open().say(CLIENT, b"a" * 130, b"a" * 390).wait(5 * SECOND).say(SERVER, b"A" * 520).close()
        facts = upper(line)
        self.assertEqual(facts.variant, "v4")
        self.assertEqual([sign.what for sign in facts.evidence][:2], ["delay", "answered_together"])
        self.assertEqual(facts.answers[0].request.packets, 2)

    def test_unanswered(self) -> None:
        """What was sent and never answered is told, and the variant is not guessed."""
        facts = upper(talk((CLIENT, b"hello"), (SERVER, b"HELLO"), (CLIENT, b"more"), port=12345))
        self.assertEqual(facts.unanswered.length if facts.unanswered else 0, 4)
        self.assertIsNone(facts.variant)

    def test_echo(self) -> None:
        """The same bytes, or other ones, are no upper case."""
        for said in (b"hello", b"HELLx", b"HELLO there"):
            self.assertEqual(only(talk((CLIENT, b"hello"), (SERVER, said), port=7)).protocol, "bytes")

    def test_late_letters(self) -> None:
        """Who has not one small letter among the first 1,024 bytes is not kept for the comparison."""
        for first, protocol in ((b"7" * 1_024, "bytes"), (b"7" * 1_023 + b"a", "upper")):
            line = talk((CLIENT, first + b"hello"), (SERVER, first.upper() + b"HELLO"))
            self.assertEqual(only(line).protocol, protocol)

    def test_already_upper(self) -> None:
        """Bytes that are upper case already tell nothing, on any port."""
        self.assertEqual(only(talk((CLIENT, b"42"), (SERVER, b"42"), port=12345)).protocol, "bytes")


class RepeatTests(SynchronousTestCase):
    """Answers many times as long as what they answer."""

    def test_cut_short(self) -> None:
        """Of an answer that was reset, only what came counts."""
        line = (
            Line()
            .open()
            .say(CLIENT, b"Hello, World!")
            .say(SERVER, b"HELLO, WORLD!" * 70 + b"HEL")
            .segment(CLIENT, RST | ACK)
        )
        (answer,) = upper(line).answers
        self.assertEqual((answer.factor, answer.complete, answer.answer.length), (70, False, 913))

    def test_two_messages(self) -> None:
        """Two messages that were received one by one, and two that were received together."""
        one_by_one = b"ABC" * 1000 + b"DE" * 1000
        parts = Repeats(b"ABCDE", one_by_one, [3, 5]).explained()
        self.assertEqual([part[:5] for part in parts], [(0, 3, 0, 3000, 1000), (3, 5, 3000, 5000, 1000)])
        parts = Repeats(b"ABCDE", b"ABCDE" * 1000, [3, 5]).explained()
        self.assertEqual([part[:2] for part in parts], [(0, 5)])

    @given(
        st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5),
        st.integers(min_value=2, max_value=30),
    )
    def test_any(self, messages: list[bytes], factor: int) -> None:
        """Whatever was received how, the explanation adds up to the answer."""
        request, answered = b"".join(messages), b"".join(message * factor for message in messages)
        ends = [sum(map(len, messages[: count + 1])) for count in range(len(messages))]
        parts = Repeats(request, answered, ends).explained()
        said = b"".join(request[start:stop] * times for start, stop, _begin, _end, times, whole in parts if whole)
        self.assertTrue(answered.startswith(said))
        self.assertTrue(parts)

    def test_made_for_it(self) -> None:
        """An answer that fits again and again, until it does not, is given up in time."""
        repeats = Repeats(b"A" * 100_000, b"A" * 2_000_000 + b"B", list(range(1, 100_000)))
        self.assertEqual(repeats.explained(), [])
