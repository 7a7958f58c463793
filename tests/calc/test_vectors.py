"""The 71 golden exchanges: to the deployed programs nothing has changed, byte for byte."""

import pickle

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget
from netlab.calc.calculator import Calculator
from netlab.calc.codecs import pickle_write
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import EvaluationError
from netlab.calc.expression import Expression
from netlab.calc.framing import FrameReader
from netlab.calc.header import HEADER_LENGTH, LAYOUT, Header
from netlab.calc.messages import ERROR_MODULES, Failure, Success
from netlab.calc.parser import parse
from tests.calc.cases import for_each
from tests.calc.codecs import deployed
from tests.calc.expressions import never, ours
from tests.calc.vectors import VECTORS, Vector

READER = ExpressionReader(Budget())


class VectorTests(SynchronousTestCase):
    """Each exchange, looked at from every side."""

    def says(self, vector: Vector, expression: Expression) -> None:
        """The expression has the recorded value and steps, or ends in the recorded error."""
        if vector.error:
            error = self.assertRaises(EvaluationError, ours, expression)
            self.assertEqual([ERROR_MODULES[error.kind], error.kind, list(error.arguments)], list(vector.error))
            return
        value, texts = ours(expression)
        self.assertEqual(repr(value), vector.result)
        if vector.steps:
            self.assertEqual(texts, vector.steps)

    def test_all_are_here(self) -> None:
        """None was lost on the way into the repository."""
        self.assertEqual(len(VECTORS), 71)
        self.assertEqual({vector.protocol for vector in VECTORS.values()}, {2, 3, 4, 5})

    @for_each(VECTORS)
    def test_response(self, vector: Vector) -> None:
        """The whole response is the recorded one: length, flags, status, max-age and every byte of the body."""
        reply = Calculator(never).reply(vector.request)
        response = bytes(4) + reply.tail
        header = Header.decode(response)
        expected = Header(
            0, vector.response_length, vector.cache, vector.show_steps, False, vector.status, vector.max_age
        )
        self.assertEqual(header, expected)
        self.assertEqual(len(response), vector.response_length)
        self.assertEqual(response[HEADER_LENGTH:], vector.body)
        self.assertEqual(LAYOUT.pack(*LAYOUT.unpack_from(response)), response[:HEADER_LENGTH])
        self.assertEqual(reply.status, vector.status)

    @for_each(VECTORS)
    def test_remembered(self, vector: Vector) -> None:
        """A calculator that remembers says the same a second time, whatever the time stamp."""
        calculator = Calculator(never, memory=1_000_000)
        first = calculator.reply(vector.request)
        self.assertIs(calculator.reply(b"\xff" * 4 + vector.request[4:]), first)

    @for_each(VECTORS)
    def test_framing(self, vector: Vector) -> None:
        """Each recorded request is one frame."""
        reader = FrameReader()
        self.assertEqual(reader.feed(vector.request), [vector.request])
        self.assertIsNone(reader.fault)

    @for_each(VECTORS)
    def test_read(self, vector: Vector) -> None:
        """The recorded pickle is read as the expression that was meant."""
        self.says(vector, READER.read(vector.request_body))

    @for_each(VECTORS)
    def test_parse(self, vector: Vector) -> None:
        """The text, read by our parser, says the same as the tree that the deployed client made of it."""
        self.says(vector, parse(vector.text))

    @for_each({label: vector for label, vector in VECTORS.items() if vector.protocol == 4})
    def test_write(self, vector: Vector) -> None:
        """What we send for the text is what the deployed client sent."""
        self.assertEqual(pickle_write.write_expression(parse(vector.text)), vector.request_body)

    @for_each(VECTORS)
    def test_read_answer(self, vector: Vector) -> None:
        """Our client understands the recorded answer, and what it understood is written as the same bytes."""
        answer = read_answer(vector.body)
        if vector.error:
            self.assertEqual(answer, Failure(vector.error[1], tuple(vector.error[2])))
        else:
            assert isinstance(answer, Success)
            self.assertEqual((repr(answer.result), list(answer.steps)), (vector.result, vector.steps))
        self.assertEqual(pickle_write.write_answer(answer), vector.body)

    @for_each(VECTORS)
    def test_deployed_client(self, vector: Vector) -> None:
        """The deployed client, which simply loads the pickle, gets exactly its tuple or its exception."""
        body = (bytes(4) + Calculator(never).reply(vector.request).tail)[HEADER_LENGTH:]
        with deployed.installed():
            loaded = pickle.loads(body)
        if vector.error:
            module, name, arguments = vector.error
            self.assertEqual((type(loaded).__module__, type(loaded).__name__), (module, name))
            self.assertEqual(list(loaded.args), arguments)
        else:
            result, steps = loaded
            self.assertEqual((repr(result), steps), (vector.result, vector.steps))

    @for_each({label: vector for label, vector in VECTORS.items() if vector.old_steps})
    def test_old_steps(self, vector: Vector) -> None:
        """Where the old server garbled its brackets we do not: same length of list, other texts, same result."""
        assert vector.old_steps is not None
        self.assertEqual(len(vector.old_steps), len(vector.steps))
        self.assertNotEqual(vector.old_steps, vector.steps)
        self.assertEqual(vector.old_steps[-1].strip("()"), vector.steps[-1].strip("()"))
