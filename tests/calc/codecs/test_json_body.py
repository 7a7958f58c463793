"""Bodies in JSON: what goes out comes back, and what is not of the form is refused."""

import contextlib
import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs.json_body import read_answer, read_expression, write_answer, write_expression
from netlab.calc.errors import BudgetExceeded, CalcError, JsonRefused, SyntaxRefused
from netlab.calc.expression import Expression
from netlab.calc.messages import ERROR_MODULES, Answer, Failure, Success
from netlab.calc.parser import parse
from tests.calc.cases import for_each, mutated, peak_memory, tries
from tests.calc.codecs.test_pickle_write import numbers
from tests.calc.expressions import same, shape

SAFE = 2**53 - 1


def written(answer: Answer) -> bytes:
    """The body of a response, whatever it costs."""
    return write_answer(answer, Meter(Budget(max_work=10**12)))


def read(text: str) -> Expression:
    """The expression of a request for ``text``."""
    return read_expression(write_expression(text), Budget())


class RequestTests(SynchronousTestCase):
    """``{"expression": "max(2, 3) + 3"}``."""

    def test_round_trip(self) -> None:
        """The text is parsed as it was written."""
        self.assertEqual(json.loads(write_expression("max(2, 3) + 3")), {"expression": "max(2, 3) + 3"})
        self.assertEqual(shape(read("max(2, 3) + 3")), shape(parse("max(2, 3) + 3")))

    def test_budget(self) -> None:
        """The text is read within the budget."""
        self.assertRaises(BudgetExceeded, read_expression, write_expression("1 + 1"), Budget(max_nodes=2))

    def test_syntax(self) -> None:
        """A text that is no expression is refused as text, with its column."""
        error = self.assertRaises(SyntaxRefused, read, "1 + שלום")
        self.assertEqual(error.column, 5)

    @for_each(
        {
            "no object": b"[]",
            "empty": b"{}",
            "another key": b'{"text": "1"}',
            "one key more": b'{"expression": "1", "steps": true}',
            "a key twice": b'{"expression": "1", "expression": "1"}',
            "a key twice inside": b'{"expression": {"a": 1, "a": 1}}',
            "a number": b'{"expression": 1}',
            "nothing": b'{"expression": null}',
            "a list": b'{"expression": ["1"]}',
            "not closed": b'{"expression": "1"',
            "something behind": b'{"expression": "1"} {}',
            "not UTF-8": b'{"expression": "\xff"}',
            "UTF-16": '{"expression": "1"}'.encode("utf-16-le"),
            "NaN": b'{"expression": NaN}',
            "Infinity": b'{"expression": -Infinity}',
            "a line in a text": b'{"expression": "1\n"}',
            "65,000 brackets": b'{"expression": ' + b"[" * 65_000,
            "65,000 braces": b'{"a":' * 13_000,
            "60,000 digits": b'{"expression": ' + b"9" * 60_000 + b"}",
            "an exponent of 60,000 digits": b'{"expression": 1e' + b"9" * 60_000 + b"}",
        }
    )
    def test_refused(self, body: bytes) -> None:
        """It is refused, in a short text."""
        error = self.assertRaises(JsonRefused, read_expression, body, Budget())
        self.assertLess(len(str(error)), 200)

    def test_surrogates(self) -> None:
        """Half a character can be written in JSON; the text that refuses it can still be sent."""
        error = self.assertRaises(SyntaxRefused, read_expression, b'{"expression": "1 + \\ud800"}', Budget())
        self.assertTrue(written(Failure("CalculatorClientError", (f"{error}\n{error.caret}",))).isascii())
        f"{error}\n{error.caret}".encode()


class ResponseTests(SynchronousTestCase):
    """``{"result": 6, "steps": […]}`` or ``{"error": {…}}``."""

    def survives(self, answer: Answer) -> None:
        """What was written is read as the same, of the same type, from JSON that every reader takes."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        body = written(answer)
        json.loads(body, parse_constant=refuse)
        again = read_answer(body)
        if isinstance(answer, Success):
            assert isinstance(again, Success)
            self.assertTrue(same(again.result, answer.result))
            self.assertEqual(again.steps, answer.steps)
        else:
            self.assertEqual(again, answer)

    @given(st.builds(Success, numbers, st.lists(st.text(), max_size=4).map(tuple)))
    @tries(300)
    def test_round_trip(self, answer: Success) -> None:
        """Any number, any steps."""
        self.survives(answer)

    @for_each(
        {
            "zero": 0,
            "minus zero": -0.0,
            "the last safe": SAFE,
            "the first unsafe": SAFE + 1,
            "the last safe below": -SAFE,
            "the first unsafe below": -SAFE - 1,
            "a googol": 10**100,
            "more digits than Python reads": 7**12_000,
            "as many below zero": -(7**12_000),
            "infinity": math.inf,
            "minus infinity": -math.inf,
            "no number": math.nan,
            "complex": 1 + 2j,
            "complex with infinities": complex(math.inf, -math.inf),
            "complex without numbers": complex(math.nan, -0.0),
            "the smallest": 5e-324,
            "a float that is whole": 3.0,
        }
    )
    def test_numbers(self, value: Any) -> None:
        """The numbers that JSON has and those that it has not."""
        self.survives(Success(value, ("a",)))

    def test_forms(self) -> None:
        """As docs/json.md has them."""
        for value, form in (
            (6, "6"),
            (0.5, "0.5"),
            (2**53, '{"integer": "9007199254740992"}'),
            (math.inf, '{"float": "inf"}'),
            (-math.inf, '{"float": "-inf"}'),
            (math.nan, '{"float": "nan"}'),
            (complex(1, math.inf), '{"complex": [1.0, {"float": "inf"}]}'),
        ):
            self.assertEqual(written(Success(value)).decode(), f'{{"result": {form}, "steps": []}}')

    def test_costs(self) -> None:
        """The digits of a result are part of the budget."""
        self.assertRaises(BudgetExceeded, write_answer, Success(1 << 10_000), Meter(Budget(max_work=100)))

    @for_each({kind: kind for kind in ERROR_MODULES})
    def test_errors(self, kind: str) -> None:
        """Every error of the protocol, with a cause and without."""
        self.survives(Failure(kind, ("what happened",)))
        self.survives(Failure(kind, ("what happened", Failure("ValueError", ("why",)))))

    def test_error_forms(self) -> None:
        """Any arguments become one message; no cause, no key."""
        for arguments, error in (
            (("a",), {"message": "a"}),
            ((34, "range"), {"message": "34, range"}),
            ((), {"message": ""}),
            (("a", Failure("TypeError", ("b",))), {"message": "a", "cause": {"type": "TypeError", "message": "b"}}),
        ):
            self.assertEqual(
                json.loads(written(Failure("ValueError", arguments))), {"error": {"type": "ValueError", **error}}
            )

    def test_causes(self) -> None:
        """A chain of causes may have eight links."""
        failure = Failure("ValueError", ("root",))
        for _ in range(7):
            failure = Failure("ValueError", ("why", failure))
        self.survives(failure)
        self.assertRaises(JsonRefused, read_answer, written(Failure("ValueError", ("why", failure))))

    @for_each(
        {
            label: text.encode()
            for label, text in {
                "no object": "[]",
                "empty": "{}",
                "no steps": '{"result": 1}',
                "no result": '{"steps": []}',
                "one key more": '{"result": 1, "steps": [], "more": 1}',
                "result and error": '{"result": 1, "steps": [], "error": {"type": "ValueError", "message": ""}}',
                "steps that are a text": '{"result": 1, "steps": "1"}',
                "a step that is a number": '{"result": 1, "steps": [1]}',
                "a result that is a text": '{"result": "1", "steps": []}',
                "a result that is true": '{"result": true, "steps": []}',
                "a result that is nothing": '{"result": null, "steps": []}',
                "a result that is a list": '{"result": [1], "steps": []}',
                "an integer that is a number": '{"result": {"integer": 1}, "steps": []}',
                "an integer that is no number": '{"result": {"integer": "1.5"}, "steps": []}',
                "an integer with a plus": '{"result": {"integer": "+1"}, "steps": []}',
                "an integer of a sign": '{"result": {"integer": "-"}, "steps": []}',
                "an integer of two signs": '{"result": {"integer": "--1"}, "steps": []}',
                "an empty integer": '{"result": {"integer": ""}, "steps": []}',
                "an integer with a line": '{"result": {"integer": "1\\n"}, "steps": []}',
                "an integer in other digits": '{"result": {"integer": "١"}, "steps": []}',
                "an integer of superscripts": '{"result": {"integer": "²"}, "steps": []}',
                "a float that is a word": '{"result": {"float": "infinity"}, "steps": []}',
                "a float that is a number": '{"result": {"float": 1.5}, "steps": []}',
                "a float that is a list": '{"result": {"float": []}, "steps": []}',
                "a complex of one": '{"result": {"complex": [1.0]}, "steps": []}',
                "a complex of integers": '{"result": {"complex": [1, 2]}, "steps": []}',
                "a complex of texts": '{"result": {"complex": ["1", "2"]}, "steps": []}',
                "a complex of complexes": '{"result": {"complex": [{"complex": [1.0, 1.0]}, 1.0]}, "steps": []}',
                "an unknown number": '{"result": {"decimal": "1"}, "steps": []}',
                "two numbers": '{"result": {"integer": "1", "float": "inf"}, "steps": []}',
                "an error that is a text": '{"error": "ValueError"}',
                "an error without a type": '{"error": {"message": ""}}',
                "an error without a message": '{"error": {"type": "ValueError"}}',
                "an error with more": '{"error": {"type": "ValueError", "message": "", "more": 1}}',
                "an unknown error": '{"error": {"type": "KeyError", "message": ""}}',
                "an error of a list": '{"error": {"type": ["ValueError"], "message": ""}}',
                "a message that is a number": '{"error": {"type": "ValueError", "message": 1}}',
                "a cause that is nothing": '{"error": {"type": "ValueError", "message": "", "cause": null}}',
                "NaN": '{"result": NaN, "steps": []}',
            }.items()
        }
    )
    def test_refused(self, body: bytes) -> None:
        """It is refused."""
        self.assertRaises(JsonRefused, read_answer, body)


class JunkTests(SynchronousTestCase):
    """Bytes at random, and good bodies with a few bytes changed."""

    SEEDS = [
        write_expression("max(2, 3) + 3"),
        b'{"result": {"complex": [1.0, {"float": "nan"}]}, "steps": ["a", "b"]}',
        b'{"result": {"integer": "-9007199254740993"}, "steps": []}',
        b'{"error": {"type": "ValueError", "message": "a", "cause": {"type": "TypeError", "message": "b"}}}',
    ]

    @given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | mutated(SEEDS))
    @tries(1_000)
    def test_junk(self, junk: bytes) -> None:
        """Only our own errors, as a request and as a response."""
        with contextlib.suppress(CalcError):
            read_expression(junk, Budget())
        with contextlib.suppress(CalcError):
            read_answer(junk)

    def test_memory(self) -> None:
        """The worst bodies take memory in proportion to their size."""
        for body in (b'{"expression": ' + b"[" * 65_000, b"{" + b'"a":{' * 10_000, b'{"a":[' + b"{}," * 20_000):

            def work(body: bytes = body) -> None:
                self.assertRaises(JsonRefused, read_expression, body, Budget())

            self.assertLess(peak_memory(work), 32 * 2**20)
