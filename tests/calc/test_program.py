"""Expressions flattened into operations: the texts and gaps that steps are spliced from."""

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.errors import BudgetExceeded
from netlab.calc.expression import BinaryExpression, Constant, Expression, FunctionCall, UnaryExpression
from netlab.calc.parser import parse
from netlab.calc.program import Program, flatten
from tests.calc.cases import for_each, peak_memory, tries
from tests.calc.expressions import BY_NAME, BY_SYMBOL, SIGN_BY_SYMBOL, Model, any_numbers, trees


def flat(expression: Expression | str, **limits: int) -> Program:
    """The program of an expression or of a text."""
    node = parse(expression) if isinstance(expression, str) else expression
    return flatten(node, Meter(Budget(**limits)))


class TextTests(SynchronousTestCase):
    """The whole text, as the deployed server prints it."""

    @for_each(
        {
            "a number": ("7", "7"),
            "a name": ("pi", "PI"),
            "none around the whole": ("((1 + 2))", "1 + 2"),
            "every binary operation": ("1 + 2 * 3 - 4", "(1 + (2 * 3)) - 4"),
            "no doubled pair in a call": ("sin(1 + 2)", "sin(1 + 2)"),
            "several arguments": ("max(1 + 2, 3)", "max((1 + 2), 3)"),
            "no arguments": ("max()", "max()"),
            "a sign around a number": ("-1", "-(1)"),
            "a sign around a name": ("+pi", "+(PI)"),
            "a sign around an operation": ("-(1 + 2)", "-(1 + 2)"),
            "signs": ("--+1", "-(-(+(1)))"),
            "a sign in an operation": ("-1 + -2", "-(1) + -(2)"),
            "a call in a sign": ("-sin(-1)", "-(sin(-(1)))"),
            "a call in a call": ("sin(max(1, 2))", "sin(max(1, 2))"),
            "powers": ("2 ** 3 ** 2", "2 ** (3 ** 2)"),
            "floats": ("1e5 + 1e-7 + 1e22", "(100000.0 + 1e-07) + 1e+22"),
        }
    )
    def test_text(self, case: tuple[str, str]) -> None:
        """Brackets around every binary operation, none twice, none around the whole."""
        text, printed = case
        self.assertEqual(flat(text).text, printed)

    @given(trees(any_numbers, max_leaves=20))
    @tries(200)
    def test_model(self, tree: Expression) -> None:
        """The same text as a simple recursive printer gives."""
        self.assertEqual(flat(tree).text, Model(tree).text(True))

    @given(trees(any_numbers, max_leaves=20))
    @tries(100)
    def test_gaps(self, tree: Expression) -> None:
        """Every operation ends where the next gap begins: the tails go through the text from left to right."""
        program = flat(tree)
        tails = [operation.tail for operation in program.operations]
        self.assertEqual(tails, sorted(tails))
        self.assertEqual(tails[-1:] or [len(program.text)], [len(program.text)])
        self.assertEqual(bool(program.rest), not program.operations)


class RepeatableTests(SynchronousTestCase):
    """Whether an answer may be kept."""

    def test_rand(self) -> None:
        """One ``rand`` anywhere makes the whole not repeatable."""
        self.assertTrue(flat("max(1, sin(2)) + pi").repeatable)
        self.assertTrue(flat("1").repeatable)
        self.assertFalse(flat("1 + max(2, -rand(1, 2))").repeatable)


class BudgetTests(SynchronousTestCase):
    """Trees are measured here whatever they came from."""

    def test_nodes(self) -> None:
        """Each node counts, a shared one each time."""
        shared = Constant(1)
        tree = BinaryExpression(shared, BY_SYMBOL["+"], FunctionCall(BY_NAME["max"], (shared, shared)))
        self.assertTrue(flat(tree, max_nodes=5))
        self.assertRaises(BudgetExceeded, flat, tree, max_nodes=4)

    def test_bomb(self) -> None:
        """A tree that is exponentially larger than what it is made of is never walked to its end."""
        tree: Expression = Constant(1)
        for _ in range(200):
            tree = BinaryExpression(tree, BY_SYMBOL["+"], tree)
        self.assertLess(peak_memory(lambda: self.assertRaises(BudgetExceeded, flat, tree)), 2**22)

    def test_depth(self) -> None:
        """Operations within one another; beside one another they are not deep."""
        sign = SIGN_BY_SYMBOL["-"]
        deep = UnaryExpression(sign, UnaryExpression(sign, Constant(1)))
        self.assertTrue(flat(BinaryExpression(deep, BY_SYMBOL["-"], deep), max_depth=3))
        self.assertRaises(BudgetExceeded, flat, BinaryExpression(deep, BY_SYMBOL["-"], deep), max_depth=2)
        self.assertTrue(flat(Constant(1), max_depth=1))

    def test_bits(self) -> None:
        """An integer is measured, also where nothing is computed with it."""
        self.assertTrue(flat(Constant(255), max_bits=8))
        self.assertRaises(BudgetExceeded, flat, Constant(256), max_bits=8)
        self.assertRaises(BudgetExceeded, flat, Constant(-256), max_bits=8)

    def test_very_deep(self) -> None:
        """With a budget that allows it, a tree may be far deeper than Python's own stack."""
        tree: Expression = Constant(1)
        for _ in range(20_000):
            tree = UnaryExpression(SIGN_BY_SYMBOL["-"], tree)
        program = flat(tree, max_depth=20_000, max_nodes=20_001)
        self.assertEqual(program.text, "-(" * 20_000 + "1" + ")" * 20_000)
