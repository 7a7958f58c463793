"""Step texts, against a slow model that rebuilds and prints the tree after every reduction."""

import math
from typing import Any

from hypothesis import assume, given
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.errors import BudgetExceeded, EvaluationError
from netlab.calc.expression import BinaryExpression, Constant, Expression, FunctionCall, UnaryExpression
from netlab.calc.numbers import number_text
from netlab.calc.parser import parse
from tests.calc.cases import for_each, tries
from tests.calc.expressions import any_numbers, model_steps, ours, python_text, same, trees


def unambiguous(node: Expression) -> bool:
    """Whether a text of steps says all of it: ``-(8) ** 2`` could be the power of a sign or the sign of a power."""
    match node:
        case Constant(value):
            return math.isfinite(value)
        case UnaryExpression(_, operand):
            return unambiguous(operand)
        case FunctionCall(_, arguments):
            return all(map(unambiguous, arguments))
        case BinaryExpression(left, what, right):
            signed = isinstance(left, UnaryExpression) or (isinstance(left, Constant) and str(left.value)[0] == "-")
            return not (what.symbol == "**" and signed) and unambiguous(left) and unambiguous(right)
    return True


def computed(tree: Expression) -> tuple[Any, list[str]]:
    """Value and texts of what can be computed and whose texts fit."""
    try:
        value, texts = ours(tree)
    except (EvaluationError, BudgetExceeded):
        assume(False)
    assume(texts is not None)
    assert texts is not None
    return value, texts


class ModelTests(SynchronousTestCase):
    """Spliced texts are those of trees that are rebuilt and printed again."""

    @given(trees(any_numbers, max_leaves=6))
    @tries(500)
    def test_model(self, tree: Expression) -> None:
        """Every text, for any tree that has a value."""
        value, texts = computed(tree)
        self.assertEqual(texts, model_steps(tree))
        if texts:
            self.assertEqual(texts[-1], python_text(value))

    @given(trees(any_numbers.map(lambda number: abs(number) % 7), max_leaves=25))
    @tries(300)
    def test_larger(self, tree: Expression) -> None:
        """Larger trees of small numbers."""
        _, texts = computed(tree)
        self.assertEqual(texts, model_steps(tree))

    @given(trees(max_leaves=6))
    @tries(300)
    def test_read_again(self, tree: Expression) -> None:
        """The first text, where it says everything, has the value and the steps of the expression."""
        assume(unambiguous(tree))
        value, texts = computed(tree)
        assume(texts)
        again, texts_again = ours(parse(texts[0]))
        self.assertTrue(same(value, again), texts[0])
        assert texts_again is not None
        self.assertEqual(texts_again[-1], texts[-1])


class TextTests(SynchronousTestCase):
    """Some of them by hand."""

    @for_each(
        {
            text: (text, texts)
            for text, *texts in (
                ("7",),
                ("pi",),
                ("-pi", "-(3.141592653589793)", "-3.141592653589793"),
                ("+(3)", "+(3)", "3"),
                ("max(2, 3) + 3", "max(2, 3) + 3", "3 + 3", "6"),
                (
                    "e + 1 * pi",
                    "2.718281828459045 + (1 * 3.141592653589793)",
                    "2.718281828459045 + 3.141592653589793",
                    "5.859874482048838",
                ),
                ("(1 + 2) * e", "(1 + 2) * E", "3 * 2.718281828459045", "8.154845485377136"),
                ("max(1, e)", "max(1, 2.718281828459045)", "2.718281828459045"),
                ("-(1 - 3)", "-(1 - 3)", "-(-2)", "2"),
                ("--1", "-(-(1))", "-(-1)", "1"),
                ("(-8) ** 0.5 * 1", "(-(8) ** 0.5) * 1", "(-8 ** 0.5) * 1", None, None),
                ("-((-1) ** 0.5)", "-(-(1) ** 0.5)", "-(-1 ** 0.5)", "-(6.123233995736766e-17+1j)", None),
            )
        }
    )
    def test_texts(self, case: tuple[str, list[str | None]]) -> None:
        """Left to right, names replaced when evaluation passes them, complex numbers in one pair of brackets."""
        text, expected = case
        _, texts = ours(parse(text))
        assert texts is not None
        self.assertEqual(len(texts), len(expected))
        for found, wanted in zip(texts, expected, strict=True):
            if wanted is not None:
                self.assertEqual(found, wanted)

    def test_complex(self) -> None:
        """A complex value stands in brackets of its own, but not in two pairs."""
        value = (-8) ** 0.5
        _, texts = ours(parse("-((-8) ** 0.5) + max(1, 2)"))
        assert texts is not None
        self.assertEqual(texts[2], f"-({str(value)[1:-1]}) + max(1, 2)")
        self.assertEqual(texts[3], f"{-value} + max(1, 2)")
        self.assertTrue(texts[3].startswith("("))


class RoomTests(SynchronousTestCase):
    """What cannot be sent is not written."""

    def test_room(self) -> None:
        """All texts together may have as many characters as the budget says."""
        whole = ["1 + (2 * 3)", "1 + 6", "7"]
        room = sum(map(len, whole))
        self.assertEqual(ours(parse("1 + 2 * 3"), Budget(max_step_text=room)), (7, whole))
        for less in (room - 1, 12, 11, 10, 1, 0):
            self.assertEqual(ours(parse("1 + 2 * 3"), Budget(max_step_text=less)), (7, None))

    def test_number(self) -> None:
        """A single number has no steps, and needs no room for them."""
        self.assertEqual(ours(parse("7"), Budget(max_step_text=0)), (7, []))

    def test_long(self) -> None:
        """An expression of 65 kB of steps has its value all the same."""
        text = " + ".join(map(str, range(380)))
        self.assertEqual(ours(parse(text)), (sum(range(380)), None))

    def test_cheap(self) -> None:
        """Once they are given up, later texts are not even made: their digits cost nothing."""
        tree = parse("2 ** 16000" + " + 1" * 20)
        self.assertEqual(ours(tree, Budget(max_step_text=0)), (2**16_000 + 20, None))
        self.assertRaises(BudgetExceeded, ours, tree)

    def test_digits(self) -> None:
        """Digits that are written are paid for."""
        budget = Budget(max_work=digit_work(2**16_000) - 1)
        self.assertRaises(BudgetExceeded, ours, parse("max(2 ** 16000, 1)"), budget)


def digit_work(value: int) -> int:
    """What printing costs."""
    meter = Meter(Budget())
    number_text(value, meter)
    return meter.work
