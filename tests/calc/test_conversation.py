"""The client's side of a connection, without one: order, the window, the trial, what ends it."""

from __future__ import annotations

import itertools
from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import pickle_write
from netlab.calc.conversation import Conversation
from netlab.calc.errors import BodyError, LengthTooShort, RequestAsResponse, UnexpectedAnswer
from netlab.calc.header import encode_packet
from netlab.calc.messages import Success
from netlab.calc.question import Question, Response
from netlab.common.errors import LocalError, RemoteError
from tests.calc.cases import tries


def question(number: int) -> Question:
    """A question that is recognized by its body."""
    return Question(str(number), b"q%d" % number)


def answer(number: int) -> bytes:
    """The answer to it."""
    return encode_packet(pickle_write.write_answer(Success(number)), timestamp=0, status=200)


def numbers(data: bytes) -> list[int]:
    """Which questions were sent."""
    found = []
    while data:
        (length,) = unpack_from("!H", data, 4)
        found.append(int(data[13:length]))
        data = data[length:]
    return found


class ConversationTests(SynchronousTestCase):
    """What is sent when, and whose answer is whose."""

    def asked(self, count: int, window: int = 64) -> Conversation:
        """A conversation with questions 1 to ``count`` waiting; their tickets are these numbers."""
        conversation = Conversation(window)
        self.assertEqual([conversation.ask(question(number)) for number in range(1, count + 1)], [*range(1, count + 1)])
        return conversation

    def proven(self, count: int, window: int = 64) -> Conversation:
        """The same after the first two were answered."""
        conversation = self.asked(count, window)
        conversation.send(0)
        conversation.feed(answer(1) + answer(2))
        return conversation

    def results(self, conversation: Conversation, data: bytes) -> dict[int, object]:
        """The results in what arrives, by ticket; the text of the error where a body cannot be read."""
        return {
            ticket: outcome.answer.result
            if isinstance(outcome, Response) and isinstance(outcome.answer, Success)
            else type(outcome).__name__
            for ticket, outcome in conversation.feed(data)
        }

    def test_two_first(self) -> None:
        """Two go together, and nothing more until both are answered; then as many as the window has room for."""
        conversation = self.asked(100)
        self.assertEqual(numbers(conversation.send(0)), [1, 2])
        self.assertEqual(self.results(conversation, answer(1)), {1: 1})
        self.assertEqual(conversation.send(0), b"")
        self.assertTrue(conversation.in_doubt)
        self.assertFalse(conversation.pipelines)
        self.assertEqual(self.results(conversation, answer(2)), {2: 2})
        self.assertTrue(conversation.pipelines)
        self.assertFalse(conversation.in_doubt)
        self.assertEqual(numbers(conversation.send(0)), [*range(3, 67)])

    def test_one_proves_nothing(self) -> None:
        """A server that answered questions one at a time may still drop the second of two."""
        conversation = Conversation()
        for number in (1, 2, 3):
            conversation.ask(question(number))
            self.assertEqual(numbers(conversation.send(0)), [number])
            self.assertEqual(self.results(conversation, answer(number)), {number: number})
        self.assertFalse(conversation.pipelines)

    def test_late_second(self) -> None:
        """A question asked while one is under way waits: two have to leave together to prove anything."""
        conversation = self.asked(1)
        conversation.send(0)
        conversation.ask(question(2))
        self.assertEqual(conversation.send(0), b"")
        self.results(conversation, answer(1))
        self.assertEqual(numbers(conversation.send(0)), [2])

    def test_window(self) -> None:
        """Never more than the window is under way, and each answer makes room for one."""
        conversation = self.proven(9, window=3)
        self.assertEqual(numbers(conversation.send(0)), [3, 4, 5])
        self.assertEqual(conversation.send(0), b"")
        self.results(conversation, answer(3) + answer(4))
        self.assertEqual(numbers(conversation.send(0)), [6, 7])
        self.assertEqual(conversation.under_way, 3)

    def test_window_of_one(self) -> None:
        """One after another, for as long as it lasts; a window of none is a mistake."""
        conversation = self.asked(3, window=1)
        for number in (1, 2, 3):
            self.assertEqual(numbers(conversation.send(0)), [number])
            self.assertEqual(self.results(conversation, answer(number)), {number: number})
        self.assertRaises(LocalError, Conversation, 0)

    def test_withdrawn_before(self) -> None:
        """What was withdrawn before it was sent is not sent."""
        conversation = self.asked(3)
        conversation.withdraw(2)
        self.assertEqual(numbers(conversation.send(0)), [1, 3])
        self.assertEqual(self.results(conversation, answer(1) + answer(3)), {1: 1, 3: 3})

    def test_withdrawn_after(self) -> None:
        """What was withdrawn too late keeps its place, so that the others keep theirs."""
        conversation = self.asked(2)
        conversation.send(0)
        conversation.withdraw(1)
        self.assertEqual(self.results(conversation, answer(1) + answer(2)), {1: 1, 2: 2})

    def test_unreadable_body(self) -> None:
        """A body that cannot be read costs one answer and nothing else."""
        conversation = self.asked(2)
        conversation.send(0)
        bad = encode_packet(b"?", timestamp=0, status=200)
        self.assertEqual(self.results(conversation, bad + answer(2)), {1: "UnknownCodec", 2: 2})
        self.assertIsNone(conversation.fault)
        self.assertTrue(conversation.pipelines)

    def test_faults(self) -> None:
        """What leaves no trust in the order ends everything, after the answers that came before it."""
        for data, kind in (
            (bytes(12), LengthTooShort),
            (question(1).packet(0), RequestAsResponse),
            (answer(2) + answer(3), UnexpectedAnswer),
        ):
            conversation = self.asked(2)
            conversation.send(0)
            found = self.results(conversation, answer(1) + data)
            self.assertEqual(found, {1: 1, 2: 2} if kind is UnexpectedAnswer else {1: 1})
            self.assertIsInstance(conversation.fault, kind)
            self.assertEqual(conversation.feed(answer(2)), [])
            conversation.ask(question(3))
            self.assertEqual(conversation.send(0), b"")

    @given(st.lists(st.integers(0, 400)), st.integers(1, 9))
    @tries(50)
    def test_any_split(self, cuts: list[int], window: int) -> None:
        """However TCP cuts the answers, each goes to its question."""
        conversation = self.asked(9, window)
        found: dict[int, object] = {}
        while sent := numbers(conversation.send(0)):
            data = b"".join(map(answer, sent))
            places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
            for start, end in itertools.pairwise(places):
                found |= self.results(conversation, data[start:end])
        self.assertEqual(found, {number: number for number in range(1, 10)})

    @given(st.binary(max_size=200))
    @tries(100)
    def test_junk(self, data: bytes) -> None:
        """Whatever comes is an answer or one of our errors."""
        conversation = self.asked(2)
        conversation.send(0)
        for _, outcome in conversation.feed(data):
            self.assertIsInstance(outcome, BodyError)
        self.assertTrue(conversation.fault is None or isinstance(conversation.fault, RemoteError))
