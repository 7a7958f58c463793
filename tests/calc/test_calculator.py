"""The whole service without its sockets: a request frame in, a response out."""

import json
import pickle
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget
from netlab.calc.calculator import CachePolicy, Calculator, Reply
from netlab.calc.codecs import json_body, pickle_write
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.errors import LengthTooShort
from netlab.calc.header import (
    CLIENT_ERROR,
    FOREVER,
    HEADER_LENGTH,
    MAX_PACKET,
    SERVER_ERROR,
    SUCCESS,
    Header,
    encode_packet,
)
from netlab.calc.messages import Answer, Failure, Success
from netlab.calc.parser import parse
from tests.calc.cases import for_each, mutated, peak_memory, tries
from tests.calc.codecs import malicious
from tests.calc.expressions import never
from tests.calc.vectors import VECTORS


def packet_of(reply: Reply) -> bytes:
    """The packet as it is sent, its time stamp 0."""
    return bytes(4) + reply.tail


def header_of(reply: Reply) -> Header:
    """The header of a response."""
    return Header.decode(packet_of(reply))


def answer_of(reply: Reply) -> Answer:
    """What a response says, in whichever codec."""
    body = packet_of(reply)[HEADER_LENGTH:]
    return json_body.read_answer(body) if body[:1] == b"{" else read_answer(body)


def request(body: bytes, *, steps: bool = True, **fields: Any) -> bytes:
    """A request's packet."""
    return encode_packet(body, **{"timestamp": 5, "request": True, "steps": steps, "cache": True, **fields})


def in_json(text: str, **fields: Any) -> bytes:
    """A request for a text, in JSON."""
    return request(json_body.write_expression(text), **fields)


def in_pickle(text: str, **fields: Any) -> bytes:
    """A request for a text, in pickle."""
    return request(pickle_write.write_expression(parse(text)), **fields)


CODECS = {"json": in_json, "pickle": in_pickle}


class AnswerTests(SynchronousTestCase):
    """Questions and answers."""

    @for_each(CODECS)
    def test_success(self, ask: Any) -> None:
        """A result with its steps, in the codec of the request."""
        reply = Calculator(never).reply(ask("max(2, 3) + 3"))
        self.assertEqual(answer_of(reply), Success(6, ("max(2, 3) + 3", "3 + 3", "6")))
        self.assertEqual(
            header_of(reply), Header(0, HEADER_LENGTH + len(reply.tail) - 8, True, True, False, SUCCESS, FOREVER)
        )
        self.assertEqual((reply.status, reply.note), (SUCCESS, None))
        self.assertEqual(reply.tail[8:9], ask("1")[HEADER_LENGTH:][:1])

    @for_each(CODECS)
    def test_no_steps(self, ask: Any) -> None:
        """Steps that nobody asked for are not made; a single number has none."""
        for frame, value in ((ask("2 + 3", steps=False), 5), (ask("7"), 7), (ask("7", steps=False), 7)):
            reply = Calculator(never).reply(frame)
            self.assertEqual((answer_of(reply), header_of(reply).steps, reply.note), (Success(value), False, None))

    @for_each(CODECS)
    def test_arithmetic_error(self, ask: Any) -> None:
        """Failed arithmetic is a client's error with its own type; it is as repeatable as a result."""
        reply = Calculator(never).reply(ask("1 / 0"))
        self.assertEqual(answer_of(reply), Failure("ZeroDivisionError", ("division by zero",)))
        header = header_of(reply)
        self.assertEqual(
            (header.status, header.steps, header.cache, header.max_age), (CLIENT_ERROR, False, True, FOREVER)
        )
        self.assertIn("division by zero", reply.note or "")

    @for_each(CODECS)
    def test_budget(self, ask: Any) -> None:
        """A passed budget is a client's error, and no cache may keep what depends on this calculator's options."""
        reply = Calculator(never).reply(ask("9 ** 9 ** 9"))
        self.assertEqual((header_of(reply).cache, header_of(reply).max_age), (False, 0))
        answer = answer_of(reply)
        assert isinstance(answer, Failure)
        self.assertEqual((reply.status, answer.kind), (CLIENT_ERROR, "CalculatorClientError"))
        self.assertIn("bits", answer.message)

    def test_own_budget(self) -> None:
        """The budget is the calculator's."""
        calculator = Calculator(never, Budget(max_nodes=3))
        self.assertEqual(calculator.reply(in_json("1 + 1")).status, SUCCESS)
        self.assertEqual(calculator.reply(in_json("1 + 1 + 1")).status, CLIENT_ERROR)
        self.assertEqual(calculator.reply(in_pickle("1 + 1 + 1")).status, CLIENT_ERROR)

    def test_syntax(self) -> None:
        """A text that is no expression is shown with a caret."""
        answer = answer_of(Calculator(never).reply(in_json("1 + $")))
        assert isinstance(answer, Failure)
        self.assertTrue(answer.message.endswith("\n1 + $\n    ^"), answer.message)

    @for_each({"unknown": b"GET / HTTP/1.1", "empty": b"", "text": b"1 + 1"})
    def test_unknown_codec(self, body: bytes) -> None:
        """Who speaks no codec is answered in pickle, which every deployed program reads."""
        reply = Calculator(never).reply(request(body))
        loaded = answer_of(reply)
        self.assertEqual(packet_of(reply)[HEADER_LENGTH], 0x80)
        assert isinstance(loaded, Failure)
        self.assertEqual((reply.status, loaded.kind), (CLIENT_ERROR, "CalculatorClientError"))

    def test_json_error(self) -> None:
        """Who speaks JSON is answered in it, however badly it was spoken."""
        reply = Calculator(never).reply(request(b'{"expression": 1'))
        error = json.loads(packet_of(reply)[HEADER_LENGTH:])["error"]
        self.assertEqual(error["type"], "CalculatorClientError")

    def test_big_result(self) -> None:
        """The largest result can be sent in both codecs."""
        for ask in CODECS.values():
            answer = answer_of(Calculator(never).reply(ask("2 ** 16000", steps=False)))
            self.assertEqual(answer, Success(2**16_000))


class HeaderTests(SynchronousTestCase):
    """Packets that are no requests."""

    @for_each({"success": 200, "nothing": 0, "error": 500})
    def test_response(self, status: int) -> None:
        """A response is answered with 400, nothing is computed, and no cache may keep that."""
        calculator = Calculator(never, memory=1_000_000)
        for ask in CODECS.values():
            reply = calculator.reply(ask("1 + 1", request=False, status=status))
            self.assertEqual(
                answer_of(reply), Failure("CalculatorClientError", ("Received a response instead of a request",))
            )
            header = header_of(reply)
            self.assertEqual((header.status, header.cache, header.max_age), (CLIENT_ERROR, False, 0))
            self.assertEqual(calculator.reply(ask("1 + 1")).status, SUCCESS)

    def test_response_not_remembered(self) -> None:
        """Each is refused anew."""
        calculator = Calculator(never, memory=1_000_000)
        frame = in_pickle("1 + 1", request=False)
        self.assertIsNot(calculator.reply(frame), calculator.reply(frame))

    def test_status(self) -> None:
        """A request has no status."""
        reply = Calculator(never).reply(in_pickle("1 + 1", status=200))
        self.assertEqual((reply.status, header_of(reply).cache), (CLIENT_ERROR, False))
        self.assertIn("200", reply.note or "")

    def test_refuse(self) -> None:
        """A broken stream is told why, in pickle unless it spoke JSON, and that is for no cache."""
        error = LengthTooShort("too short")
        reply = Calculator(never).refuse(error)
        self.assertEqual(answer_of(reply), Failure("CalculatorClientError", ("too short",)))
        self.assertEqual((header_of(reply).cache, header_of(reply).max_age, reply.note), (False, 0, "too short"))
        self.assertEqual(packet_of(Calculator(never).refuse(error, b"{"))[HEADER_LENGTH:][:1], b"{")

    def test_fault(self) -> None:
        """A fault of ours is 500 and says nothing more; the log has it from elsewhere."""
        for ask in CODECS.values():
            reply = Calculator(never).fault(ask("1 + 1"))
            self.assertEqual(answer_of(reply), Failure("CalculatorServerError", ("Internal server error",)))
            header = header_of(reply)
            self.assertEqual((header.status, header.cache, header.max_age), (SERVER_ERROR, False, 0))
            self.assertIsNone(reply.note)

    def test_fault_is_raised(self) -> None:
        """`Calculator.reply` leaves our own faults to whoever logs them."""

        def broken(low: float, high: float) -> float:
            raise LookupError("secret")

        self.assertRaises(LookupError, Calculator(broken).reply, in_json("rand(1, 2)"))


class CacheTests(SynchronousTestCase):
    """What others may keep, and what is remembered here."""

    def test_policy(self) -> None:
        """Whoever runs the server says for how long; without a cache there is no age."""
        for policy, cache, max_age in (
            (CachePolicy(), True, FOREVER),
            (CachePolicy(max_age=60), True, 60),
            (CachePolicy(max_age=0), True, 0),
            (CachePolicy(cache=False), False, 0),
            (CachePolicy(cache=False, max_age=60), False, 0),
        ):
            header = header_of(Calculator(never, policy=policy).reply(in_json("1 + 1")))
            self.assertEqual((header.cache, header.max_age), (cache, max_age))

    @for_each(
        {text: text for text in ("rand(1, 2)", "1 + rand(1, 2) * 2", "rand(1, 2) / 0", "rand(1)", "1 / 0 + rand(1, 2)")}
    )
    def test_rand(self, text: str) -> None:
        """A random answer is for this one client, an error too: the next number may not fail."""
        calculator = Calculator(random.Random(1).uniform, memory=1_000_000)
        frame = in_json(text)
        reply = calculator.reply(frame)
        header = header_of(reply)
        self.assertEqual((header.cache, header.max_age), (False, 0))
        self.assertIsNot(calculator.reply(frame), reply)

    def test_rand_differs(self) -> None:
        """Each time another number."""
        calculator = Calculator(random.Random(1).uniform, memory=1_000_000)
        self.assertNotEqual(calculator.reply(in_json("rand(1, 2)")), calculator.reply(in_json("rand(1, 2)")))

    @for_each({text: text for text in ("1 + 1", "1 / 0", "1 +", "9 ** 9 ** 9")})
    def test_remembered(self, text: str) -> None:
        """The same request is answered from memory, whenever it was sent; errors too."""
        calculator = Calculator(never, memory=1_000_000)
        reply = calculator.reply(in_json(text))
        self.assertIs(calculator.reply(in_json(text, timestamp=99)), reply)
        self.assertIsNot(calculator.reply(in_json(text, steps=False)), reply)

    def test_not_remembered(self) -> None:
        """Without memory everything is computed again."""
        calculator = Calculator(never)
        self.assertIsNot(calculator.reply(in_json("1 + 1")), calculator.reply(in_json("1 + 1")))

    def test_memory(self) -> None:
        """A million bytes are a million bytes, however many answers there are."""
        calculator = Calculator(never, memory=1_000_000)

        def ask() -> None:
            for number in range(1_500):
                calculator.reply(in_json(f"{number} + " + "0" * 3_000, steps=False))

        self.assertLess(peak_memory(ask), 2_000_000)


class RoomTests(SynchronousTestCase):
    """A response is one packet."""

    @for_each(CODECS)
    def test_too_many_steps(self, ask: Any) -> None:
        """Steps that do not fit are left out, S is cleared, the log is told, and the result is there."""
        reply = Calculator(never).reply(ask(" + ".join(map(str, range(350)))))
        self.assertEqual(answer_of(reply), Success(sum(range(350))))
        self.assertEqual((reply.status, header_of(reply).steps), (SUCCESS, False))
        self.assertIn("steps do not fit", reply.note or "")

    def test_just_too_long(self) -> None:
        """It is the packet that decides: texts that would fit but for what surrounds them are left out too."""
        lengths = set()
        for terms in range(120, 170):
            reply = Calculator(never).reply(in_pickle(" + ".join(["1"] * terms)))
            packet = packet_of(reply)
            lengths.add(len(packet))
            self.assertLessEqual(len(packet), MAX_PACKET)
            self.assertEqual(header_of(reply).length, len(packet))
            self.assertEqual(header_of(reply).steps, reply.note is None)
        self.assertGreater(max(lengths), 60_000)
        self.assertLess(min(lengths), 100)

    def test_own_limit(self) -> None:
        """A smaller limit for steps does the same."""
        reply = Calculator(never, Budget(max_step_text=3)).reply(in_json("1 + 1"))
        self.assertEqual((answer_of(reply), header_of(reply).steps), (Success(2), False))

    def test_big_result(self) -> None:
        """A result that no packet holds is refused, with a budget that let it be computed."""
        budget = Budget(max_bits=2**40, max_work=2**62)
        for ask in CODECS.values():
            reply = Calculator(never, budget).reply(ask("2 ** 600000", steps=False))
            answer = answer_of(reply)
            assert isinstance(answer, Failure)
            self.assertIn("does not fit", answer.message)

    def test_digits_cost(self) -> None:
        """In JSON the digits of a result belong to its cost; in pickle it has none."""
        calculator = Calculator(never, Budget(max_work=100_000))
        self.assertEqual(calculator.reply(in_json("10 ** 4000 + 1", steps=False)).status, CLIENT_ERROR)


class JunkTests(SynchronousTestCase):
    """Bytes at random: whatever is sent, the answer is a packet that can be read."""

    SEEDS = [
        *(vector.request for vector in VECTORS.values()),
        *(request(body) for body in (malicious.GOOD, *malicious.CORPUS.values()) if len(body) < 1_000),
        in_json("max(2, 3) + 3"),
        in_json("rand(1, 2)"),
    ]

    def is_answered(self, frame: bytes) -> None:
        """One whole packet with an answer in it."""
        reply = Calculator(random.Random(1).uniform, memory=10_000).reply(frame)
        header = header_of(reply)
        self.assertEqual(header.length, len(packet_of(reply)))
        self.assertEqual((header.request, header.status), (False, reply.status))
        answer = answer_of(reply)
        self.assertEqual(isinstance(answer, Success), reply.status == SUCCESS)
        if packet_of(reply)[HEADER_LENGTH] == 0x80 and isinstance(answer, Success):
            self.assertEqual(str(pickle.loads(packet_of(reply)[HEADER_LENGTH:])[0]), str(answer.result))

    @given(st.binary(min_size=HEADER_LENGTH, max_size=200) | st.binary(max_size=100).map(request))
    @tries(300)
    def test_random(self, frame: bytes) -> None:
        """Random frames."""
        self.is_answered(frame)

    @given(mutated(SEEDS).filter(lambda frame: len(frame) >= HEADER_LENGTH))
    @tries(1_000)
    def test_mutated(self, frame: bytes) -> None:
        """Good and malicious requests with a few bytes changed."""
        self.is_answered(frame)

    @given(st.text(max_size=30) | st.text("0123456789.e+-*/%(), maxpowrnd", max_size=30))
    @tries(300)
    def test_texts(self, text: str) -> None:
        """Random texts in JSON."""
        self.is_answered(in_json(text))
