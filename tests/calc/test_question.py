"""Requests made from texts, and responses read from frames."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs import json_body, pickle_write
from netlab.calc.codecs.choice import Codec
from netlab.calc.errors import AnswerMismatch, BodyError, PickleRefused, RequestAsResponse, SyntaxRefused, UnknownCodec
from netlab.calc.header import FOREVER, Header, encode_packet
from netlab.calc.messages import Answer, Failure, Success
from netlab.calc.question import Question, ask, check_place, read
from netlab.common.errors import LocalError

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "calc_vectors.json").read_text("utf-8"))


def no_state() -> tuple[object, ...]:
    """A random state that nobody should ask for."""
    raise AssertionError("this expression is not random")


def response(answer: Answer, status: int = 200, *, request: bool = False) -> bytes:
    """A response frame in pickle."""
    return encode_packet(pickle_write.write_answer(answer), timestamp=1000, status=status, request=request)


class AskTests(SynchronousTestCase):
    """A text becomes a packet, or is refused before anything is sent."""

    def test_as_deployed(self) -> None:
        """Of the texts with a recorded request in protocol 4, each gives that request, header included."""
        same = 0
        for vector in VECTORS:
            if vector["protocol"] == 4 and "rand" not in vector["text"]:
                recorded = bytes.fromhex(vector["request"])
                header = Header.decode(recorded)
                age = None if header.max_age == FOREVER else header.max_age
                question = ask(vector["text"], no_state, steps=header.steps, cache=header.cache, max_age=age)
                same += question.packet(header.timestamp) == recorded
        self.assertGreater(same, 20)

    def test_rand_carries_a_state(self) -> None:
        """Deployed servers draw from the state that comes with ``rand``; in JSON there is none."""
        source = random.Random(7)
        question = ask("rand(1, 2)", source.getstate)
        self.assertGreater(question.length, 2_500)
        self.assertLess(ask("rand(1, 2)", no_state, codec=Codec.JSON).length, 50)

    def test_header(self) -> None:
        """Every wish is in the header, and the time is cut to whole seconds."""
        question = ask("1 + 1", no_state, steps=False, max_age=60, codec=Codec.JSON)
        packet = question.packet(1234.9)
        self.assertEqual(Header.decode(packet), Header(1234, len(packet), True, False, True, 0, 60))
        self.assertEqual(json.loads(packet[12:]), {"expression": "1 + 1"})
        self.assertEqual(question.length, len(packet))
        self.assertEqual(Header.decode(ask("1", no_state, cache=False).packet(0)).max_age, 0)

    def test_max_age(self) -> None:
        """No limit is infinity or none; what 16 bits cannot say is refused."""
        for age, expected in ((None, FOREVER), (math.inf, FOREVER), (0, 0), (65_534, 65_534)):
            self.assertEqual(ask("1", no_state, max_age=age).max_age, expected)
        for age in (-1, 65_535, 0.5, math.nan):
            self.assertRaises(LocalError, ask, "1", no_state, max_age=age)

    def test_syntax(self) -> None:
        """What is no expression is known without a server."""
        self.assertRaises(SyntaxRefused, ask, "2 +", no_state, codec=Codec.JSON)

    def test_too_large(self) -> None:
        """What fits into no packet is refused, as text before it is read, as pickle after."""
        self.assertRaises(LocalError, ask, "1" * 70_000, no_state)
        self.assertRaises(LocalError, ask, "+".join("9" * 2_500), no_state)

    def test_as_large_as_a_packet(self) -> None:
        """The client's own budget allows what any server may: it refuses nothing that fits."""
        self.assertGreater(ask("1" * 20_000, no_state).length, 8_000)
        self.assertGreater(ask("-" * 60_000 + "1", no_state, codec=Codec.JSON).length, 60_000)


class ReadTests(SynchronousTestCase):
    """A frame becomes a response, or an error of its own."""

    def setUp(self) -> None:
        """Have a question to be answered."""
        self.question = ask("1 + 2", no_state)

    def test_success(self) -> None:
        """The answer, the header, the lengths and the age are there."""
        found = read(self.question, response(Success(3, ("1 + 2", "3"))))
        self.assertEqual(found.answer, Success(3, ("1 + 2", "3")))
        self.assertEqual((found.header.status, found.response_length), (200, 44))
        self.assertEqual(found.request_length, self.question.length)
        self.assertEqual((found.age(1060.5), found.age(900)), (60.5, 0.0))

    def test_failure(self) -> None:
        """An error that the server reports is an answer, with any status of an error."""
        failure = Failure("ZeroDivisionError", ("division by zero",))
        for status in (400, 500):
            self.assertEqual(read(self.question, response(failure, status)).answer, failure)

    def test_any_codec(self) -> None:
        """A server may answer in the other codec: the first byte says which."""
        body = json_body.write_answer(Success(3), Meter(Budget()))
        self.assertEqual(read(self.question, encode_packet(body, timestamp=0, status=200)).answer, Success(3))

    def test_missing_steps(self) -> None:
        """Steps that were asked for and left out are noticed, but not where there are none."""
        self.assertTrue(read(self.question, response(Success(3))).steps_missing)
        self.assertFalse(read(ask("pi", no_state), response(Success(3))).steps_missing)
        self.assertFalse(read(ask("1 + 2", no_state, steps=False), response(Success(3))).steps_missing)
        self.assertFalse(read(self.question, response(Failure("ValueError", ()), 400)).steps_missing)

    def test_mismatch(self) -> None:
        """A status that contradicts the body leaves open which of the two is true."""
        for answer, status in ((Success(3), 400), (Success(3), 0), (Failure("ValueError", ("x",)), 200)):
            self.assertRaises(AnswerMismatch, read, self.question, response(answer, status))

    def test_bad_bodies(self) -> None:
        """Bodies that are no answer are refused, a pickle that would run something among them."""
        for body, kind in (
            (b"", UnknownCodec),
            (b"hello", UnknownCodec),
            (b"{}", BodyError),
            (b"\x80\x04cposix\nsystem\n(S'true'\ntR.", PickleRefused),
        ):
            self.assertRaises(kind, read, self.question, encode_packet(body, timestamp=0, status=200))

    def test_place(self) -> None:
        """A request is no response."""
        check_place(response(Success(3)))
        self.assertRaises(RequestAsResponse, check_place, Question("1", b"").packet(0))
