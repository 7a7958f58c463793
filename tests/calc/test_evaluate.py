"""Values: Python's own arithmetic, and its errors in the words of the deployed server."""

import math
import sys
from typing import Any

from hypothesis import assume, given
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.errors import BudgetExceeded, EvaluationError
from netlab.calc.evaluate import evaluate
from netlab.calc.expression import BinaryExpression, Constant, Expression
from netlab.calc.messages import ERROR_MODULES
from netlab.calc.parser import parse
from netlab.calc.program import flatten
from tests.calc.cases import for_each, tries
from tests.calc.expressions import BY_SYMBOL, any_numbers, bracketed, python_value, same, trees, value_of

#: The Python whose words the deployed servers use.
_OLD_WORDS = sys.version_info[:2] == (3, 11)


class PythonTests(SynchronousTestCase):
    """Against Python's own `eval`."""

    def agrees(self, tree: Expression) -> None:
        """The same value of the same type, or the same error."""
        try:
            value = value_of(tree)
        except BudgetExceeded:
            assume(False)
        except EvaluationError as error:
            with self.assertRaises((ArithmeticError, TypeError, ValueError)) as caught:
                python_value(bracketed(tree))
            self.assertEqual(type(caught.exception).__name__, error.kind)
            if _OLD_WORDS:
                self.assertEqual(caught.exception.args, error.arguments)
        else:
            expected = python_value(bracketed(tree))
            self.assertTrue(same(value, expected), bracketed(tree))

    @given(trees(max_leaves=8))
    @tries(500)
    def test_values(self, tree: Expression) -> None:
        """Random trees of all operators, functions and constants."""
        self.agrees(tree)

    @given(trees(any_numbers.filter(math.isfinite), max_leaves=3))
    @tries(500)
    def test_small(self, tree: Expression) -> None:
        """Small trees, so that many get to their end; numbers below zero too."""
        self.agrees(tree)

    @for_each({f"{left} {right}": (left, right) for left in range(7) for right in range(7)})
    def test_pairs(self, pair: tuple[int, int]) -> None:
        """Every operator and function of two, on every pair of the numbers where something special happens."""
        special = (0, 0.0, -1, 2.5, 10**400, 1e308, (-8) ** (1 / 3))
        left, right = (special[place] for place in pair)
        for what in BY_SYMBOL.values():
            self.agrees_on(left, what.symbol, right)

    def agrees_on(self, left: Any, symbol: str, right: Any) -> None:
        """The same for one operation on two numbers, complex ones included."""
        tree = BinaryExpression(Constant(left), BY_SYMBOL[symbol], Constant(right))
        if isinstance(right, int) and right > 100 and symbol in ("**", "*") and isinstance(left, int):
            return
        self.agrees(tree)


class WordTests(SynchronousTestCase):
    """Errors in the words of Python 3.11, whichever Python computes."""

    @for_each(
        {
            text: (text, kind, arguments)
            for text, kind, arguments in (
                ("1 / 0", "ZeroDivisionError", ("division by zero",)),
                ("1 / 0.0", "ZeroDivisionError", ("float division by zero",)),
                ("1.0 / 0", "ZeroDivisionError", ("float division by zero",)),
                ("(-8) ** 0.5 / 0", "ZeroDivisionError", ("complex division by zero",)),
                ("1 % 0", "ZeroDivisionError", ("integer modulo by zero",)),
                ("1.0 % 0", "ZeroDivisionError", ("float modulo",)),
                ("0 ** -1", "ZeroDivisionError", ("0.0 cannot be raised to a negative power",)),
                ("0.0 ** -1", "ZeroDivisionError", ("0.0 cannot be raised to a negative power",)),
                ("pow(0, -1)", "ZeroDivisionError", ("0.0 cannot be raised to a negative power",)),
                ("0 ** ((-8) ** 0.5)", "ZeroDivisionError", ("0.0 to a negative or complex power",)),
                ("log(8, 1)", "ZeroDivisionError", ("float division by zero",)),
                ("log(0)", "ValueError", ("math domain error",)),
                ("log(-1)", "ValueError", ("math domain error",)),
                ("log(2, 0)", "ValueError", ("math domain error",)),
                ("sqrt(-1)", "ValueError", ("math domain error",)),
                ("sqrt(-1.5)", "ValueError", ("math domain error",)),
                ("sin(1e308 * 10)", "ValueError", ("math domain error",)),
                ("pow(2, -1, 4)", "ValueError", ("base is not invertible for the given modulus",)),
                ("pow(2, 3, 0)", "ValueError", ("pow() 3rd argument cannot be 0",)),
                ("1e308 ** 2", "OverflowError", (34, "Numerical result out of range")),
                ("10 ** 400 * 1.5", "OverflowError", ("int too large to convert to float",)),
                ("sin(10 ** 400)", "OverflowError", ("int too large to convert to float",)),
                ("10 ** 400 / 3", "OverflowError", ("integer division result too large for a float",)),
                ("max()", "TypeError", ("max expected at least 1 argument, got 0",)),
                ("max(1)", "TypeError", ("'int' object is not iterable",)),
                ("sin(1, 2)", "TypeError", ("math.sin() takes exactly one argument (2 given)",)),
            )
        }
    )
    def test_words(self, case: tuple[str, str, tuple[str | int, ...]]) -> None:
        """Kind and arguments, as a deployed client expects them."""
        text, kind, arguments = case
        error = self.assertRaises(EvaluationError, value_of, parse(text))
        self.assertEqual((error.kind, error.arguments), (kind, arguments))

    def test_known_kinds(self) -> None:
        """Each kind is one that can be sent."""
        self.assertLessEqual({"ZeroDivisionError", "ValueError", "OverflowError", "TypeError"}, set(ERROR_MODULES))


class RandomTests(SynchronousTestCase):
    """``rand`` asks whoever evaluates."""

    def test_arguments(self) -> None:
        """With its two arguments, each time it is met."""
        asked = []

        def uniform(low: float, high: float) -> float:
            asked.append((low, high))
            return low + len(asked)

        self.assertEqual(value_of(parse("rand(1, 2) + rand(3, 4) * 10"), uniform=uniform), 52)
        self.assertEqual(asked, [(1, 2), (3, 4)])

    def test_wrong_arguments(self) -> None:
        """Its errors are the client's, as those of any function."""

        def uniform(low: float, high: float) -> float:
            return low

        error = self.assertRaises(EvaluationError, value_of, parse("rand(1)"), uniform=uniform)
        self.assertEqual(error.kind, "TypeError")

    def test_our_fault(self) -> None:
        """What no arithmetic raises is a fault of ours, and stays one."""

        def uniform(low: float, high: float) -> float:
            raise LookupError("no numbers today")

        self.assertRaises(LookupError, value_of, parse("rand(1, 2)"), uniform=uniform)


class CostTests(SynchronousTestCase):
    """A program is run within its meter."""

    def test_again(self) -> None:
        """It can be run again, by another meter, and gives the same."""
        program = flatten(parse("2 ** 600 % 1000 + pi"), Meter(Budget()))
        first, second = (evaluate(program, Meter(Budget()), max) for _ in range(2))
        self.assertTrue(same(first, second))

    def test_spent(self) -> None:
        """One meter counts everything."""
        program = flatten(parse("3 ** 1000 * 3 ** 1000"), Meter(Budget()))
        meter = Meter(Budget())
        evaluate(program, meter, max)
        self.assertTrue(evaluate(program, Meter(Budget(max_work=meter.work)), max))
        self.assertRaises(BudgetExceeded, evaluate, program, Meter(Budget(max_work=meter.work - 1)), max)
