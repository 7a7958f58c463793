"""Infix text to trees: the same trees as Python makes, errors with their place."""

import ast
import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget
from netlab.calc.errors import BudgetExceeded, CalcError, SyntaxRefused
from netlab.calc.expression import Constant, Expression, NamedConstant
from netlab.calc.parser import parse
from tests.calc.cases import for_each, peak_memory, tries
from tests.calc.expressions import bracketed, shape, trees

_SYMBOLS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.USub: "-",
    ast.UAdd: "+",
}


def python_shape(node: Any) -> Any:
    """The shape of Python's own tree for the same text."""
    match node:
        case ast.Constant(value):
            return (type(value).__name__, repr(value))
        case ast.Name(name):
            return name
        case ast.UnaryOp(what, operand):
            return (_SYMBOLS[type(what)], python_shape(operand))
        case ast.BinOp(left, what, right):
            return (python_shape(left), _SYMBOLS[type(what)], python_shape(right))
        case ast.Call(ast.Name(name), arguments):
            return (name, tuple(map(python_shape, arguments)))
    raise AssertionError(ast.dump(node))


def as_python(text: str) -> Any:
    """How Python itself reads a text."""
    return python_shape(ast.parse(text, mode="eval").body)


operands = st.sampled_from(["1", "2.5", "PI", "E", "sin(1)", "(1 + 2)", "max(1 - 2, -3 ** 2)", "(-1)"])
signs = st.text("+-", max_size=3)
operators = st.sampled_from(["+", "-", "*", "/", "%", "**"])
#: Operands with signs before them and operators between them, no brackets but those of an operand.
sequences = st.builds(
    lambda first, rest: "".join(first) + "".join(f" {what} {sign}{operand}" for what, sign, operand in rest),
    st.tuples(signs, operands),
    st.lists(st.tuples(operators, signs, operands), max_size=8),
)


class PrecedenceTests(SynchronousTestCase):
    """The grammar is Python's."""

    @given(sequences)
    @tries(500)
    def test_sequences(self, text: str) -> None:
        """Without brackets, every order of operators and signs is the tree that Python makes."""
        self.assertEqual(shape(parse(text)), as_python(text))

    @given(trees(max_leaves=20))
    @tries(200)
    def test_bracketed(self, tree: Expression) -> None:
        """With brackets around everything, a text is the tree that it was made from."""
        self.assertEqual(shape(parse(bracketed(tree))), shape(tree))

    @given(sequences, sequences, operators)
    @tries(100)
    def test_in_brackets(self, left: str, right: str, what: str) -> None:
        """Groups and arguments begin anew."""
        text = f"({left}) {what} pow({right}, ({left}), 2) {what} ({right})"
        self.assertEqual(shape(parse(text)), as_python(text))

    @for_each(
        {
            "signs and powers": ("-2 ** 2", ("-", (("int", "2"), "**", ("int", "2")))),
            "a sign in an exponent": ("2 ** -1", (("int", "2"), "**", ("-", ("int", "1")))),
            "from the right": ("2 ** 3 ** 2", (("int", "2"), "**", (("int", "3"), "**", ("int", "2")))),
            "from the left": ("3 - 2 - 1", ((("int", "3"), "-", ("int", "2")), "-", ("int", "1"))),
            "signs and products": ("-2 * 3", (("-", ("int", "2")), "*", ("int", "3"))),
            "no space": ("1--1", (("int", "1"), "-", ("-", ("int", "1")))),
            "a call of nothing": ("max()", ("max", ())),
            "a call of nothing in a call": ("max(min(), 1)", ("max", (("min", ()), ("int", "1")))),
            "space before a bracket": ("max (1)", ("max", (("int", "1"),))),
            "brackets in brackets": ("(((1)))", ("int", "1")),
        }
    )
    def test_known(self, case: tuple[str, Any]) -> None:
        """A few of them, by hand."""
        text, expected = case
        self.assertEqual(shape(parse(text)), expected)


class OperandTests(SynchronousTestCase):
    """Numbers and names."""

    @for_each(
        {
            str(place): text
            for place, text in enumerate(["0", "12", "1.5", "1.", ".5", "1e5", "1E5", "1.5e-5", ".5e5", "1e400", "00"])
        }
    )
    def test_numbers(self, text: str) -> None:
        """Digits alone are an integer, anything else a float."""
        node = parse(text)
        assert isinstance(node, Constant)
        self.assertEqual(node.value, float(text))
        self.assertIs(type(node.value), int if text.isdigit() else float)

    def test_long_number(self) -> None:
        """An integer may have more digits than Python's `int` takes."""
        node = parse("1" + "0" * 4_500)
        assert isinstance(node, Constant)
        self.assertEqual(node.value, 10**4_500)

    @for_each(("pi", "PI", "Pi", "pI", "tau", "TAU", "Tau", "e", "E"))
    def test_constants(self, text: str) -> None:
        """Constants in any case; their name is in capitals."""
        node = parse(text)
        assert isinstance(node, NamedConstant)
        self.assertEqual(node.name, text.upper())


class ErrorTests(SynchronousTestCase):
    """What is no expression is refused, with the column and the reason."""

    @for_each(
        {
            "nothing": ("", 1, "the text ends"),
            "space": ("   ", 4, "the text ends"),
            "an operator at the end": ("1 +", 4, "the text ends"),
            "an operator in front": ("* 1", 1, "found '*'"),
            "two operators": ("1 * / 2", 5, "found '/'"),
            "two numbers": ("1 2", 3, "operator is missing before '2'"),
            "a number and a name": ("2pi", 2, "operator is missing before 'pi'"),
            "a number and a call": ("2sin(1)", 2, "operator is missing before 'sin'"),
            "a number and a group": ("2(3)", 2, "operator is missing before '('"),
            "two groups": ("(2)(3)", 4, "operator is missing before '('"),
            "a call of a call": ("sin(1)(2)", 7, "operator is missing before '('"),
            "never closed": ("(1 + (2)", 1, "never closed"),
            "a call never closed": ("1 + sin(2", 8, "never closed"),
            "the inner one never closed": ("sin(1) + (2 * (3 + 4)", 10, "never closed"),
            "never opened": ("1 + 2)", 6, "never opened"),
            "empty brackets": ("()", 2, "found ')'"),
            "a comma alone": (",", 1, "found ','"),
            "a comma outside": ("1, 2", 2, "comma belongs only"),
            "a comma in a group": ("(1, 2)", 3, "comma belongs only"),
            "a comma in a group in a call": ("max((1, 2))", 7, "comma belongs only"),
            "a comma at the end": ("max(1,)", 7, "found ')'"),
            "a comma in front": ("max(,1)", 5, "found ','"),
            "two commas": ("max(1,,2)", 7, "found ','"),
            "a function alone": ("sin + 1", 1, "is a function"),
            "a function in capitals": ("SIN(1)", 1, "'SIN' is unknown"),
            "a constant called": ("pi(2)", 1, "is a constant"),
            "an unknown name": ("1 + x", 5, "'x' is unknown; the names are sin, cos"),
            "an unknown function": ("exec(1)", 1, "'exec' is unknown"),
            "a very long name": ("a" * 500, 1, "'aaaaaaaaaaaaaaaaaaaa…' is unknown"),
            "an attribute": ("PI.real", 3, "'.' has no place"),
            "a text": ("'1'", 1, "has no place"),
            "an assignment": ("PI = 3", 4, "'=' has no place"),
            "a list": ("[1]", 1, "'[' has no place"),
            "Python's own division": ("7 // 2", 4, "found '/'"),
            "a complex number": ("1j", 2, "operator is missing before 'j'"),
            "hexadecimal": ("0x1f", 2, "operator is missing before 'x1f'"),
            "underscores": ("1_000", 2, "operator is missing before '_000'"),
        }
    )
    def test_refused(self, case: tuple[str, int, str]) -> None:
        """The column counts from 1, the caret stands under it, and the reason names what was found."""
        text, column, words = case
        error = self.assertRaises(SyntaxRefused, parse, text)
        self.assertEqual(error.column, column)
        self.assertIn(words, str(error))
        if len(text) < 30:
            self.assertEqual(error.caret, f"{text}\n{' ' * (column - 1)}^")


class BudgetTests(SynchronousTestCase):
    """A text is measured while it is read."""

    def test_nodes(self) -> None:
        """Numbers, names, signs, operators and calls; brackets and commas are free."""
        text = "max((((1))), 2, -PI)"
        self.assertTrue(parse(text, Budget(max_nodes=5)))
        self.assertRaises(BudgetExceeded, parse, text, Budget(max_nodes=4))

    def test_depth(self) -> None:
        """What waits for its end at one time."""
        self.assertTrue(parse("---1", Budget(max_depth=3)))
        self.assertRaises(BudgetExceeded, parse, "---1", Budget(max_depth=2))
        self.assertTrue(parse("1 - 1 - 1 - 1", Budget(max_depth=1)))

    def test_bits(self) -> None:
        """An integer is measured by its digits, before they are read."""
        self.assertTrue(parse("9" * 4_900))
        self.assertRaises(BudgetExceeded, parse, "9" * 5_000)

    @for_each({"brackets": "(" * 65_000, "signs": "-" * 65_000, "a sum": "1+" * 32_000, "names": "a " * 32_000})
    def test_memory(self, text: str) -> None:
        """The longest texts take little memory, whatever is wrong with them."""

        def read() -> None:
            self.assertRaises(CalcError, parse, text)

        self.assertLess(peak_memory(read), 8 * 2**20)


class JunkTests(SynchronousTestCase):
    """Texts at random."""

    @given(
        st.text(max_size=40)
        | st.text("0123456789.eE+-*/%(), \tpisnmaxow", max_size=40)
        | st.lists(
            st.sampled_from(["1", "2.5", "pi", "sin(", "max(", "(", ")", ",", "+", "-", "*", "/", "**", "%", "e"])
        ).map(" ".join)
    )
    @tries(1_000)
    def test_junk(self, text: str) -> None:
        """Only our own errors, whose column is in the text; what is an expression here is one in Python too."""
        try:
            node = parse(text)
        except SyntaxRefused as error:
            self.assertTrue(1 <= error.column <= len(text) + 1)
            return
        except BudgetExceeded:
            return
        with contextlib.suppress(SyntaxError):
            again = ast.parse(f"({text.strip().upper().replace('SIN', 'sin')})", mode="eval").body
            self.assertEqual(str(shape(node)).upper(), str(python_shape(again)).upper())
