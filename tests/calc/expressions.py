"""Random expressions, and slow and simple models of what netlab says about them.

The models share no code with netlab: Python's own `eval` gives the values, and a tree that is rebuilt and printed
after every reduction gives the steps.
"""

import math
import operator
import sys
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from netlab.calc.budget import Budget, Meter
from netlab.calc.evaluate import evaluate
from netlab.calc.expression import (
    BinaryExpression,
    Constant,
    Expression,
    FunctionCall,
    NamedConstant,
    Number,
    UnaryExpression,
)
from netlab.calc.functions import CONSTANTS, FUNCTIONS, OPERATORS, SIGNS
from netlab.calc.program import flatten
from netlab.calc.steps import Steps

BY_SYMBOL = {what.symbol: what for what in OPERATORS}
SIGN_BY_SYMBOL = {what.symbol: what for what in SIGNS}
BY_NAME = {what.name: what for what in FUNCTIONS}

PYTHON: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "**": operator.pow,
}
NAMESPACE: dict[str, Any] = {
    "__builtins__": {},
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "sqrt": math.sqrt,
    "log": math.log,
    "max": max,
    "min": min,
    "pow": pow,
    "PI": math.pi,
    "TAU": math.tau,
    "E": math.e,
}


def never(*arguments: float) -> float:
    """The random source of what has nothing random in it."""
    raise AssertionError("nothing here is random")


# ---- strategies

#: Numbers as they can be written in a text.
written_numbers = st.one_of(
    st.integers(0, 12),
    st.integers(0, 2**70),
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 0.0, 0.5, 1e308, 10**30, 2**64]),
)
#: Numbers as a pickle can hold them.
any_numbers = st.one_of(written_numbers, st.integers(-(2**70), 2**70), st.floats())

_CALLED = [what for what in FUNCTIONS if what.apply is not None]


def trees(numbers: st.SearchStrategy[Any] = written_numbers, max_leaves: int = 10) -> st.SearchStrategy[Expression]:
    """Expressions of all shapes, without ``rand``; most calls have a number of arguments that fits."""
    names = st.sampled_from(sorted(CONSTANTS.items())).map(lambda item: NamedConstant(*item))
    return st.recursive(st.builds(Constant, numbers) | names, _larger, max_leaves=max_leaves)


def _larger(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    binary = st.builds(BinaryExpression, parts, st.sampled_from(OPERATORS), parts)
    sign = st.builds(UnaryExpression, st.sampled_from(SIGNS), parts)
    one = st.builds(FunctionCall, st.sampled_from(_CALLED), st.tuples(parts))
    any_call = st.builds(FunctionCall, st.sampled_from(_CALLED), st.lists(parts, max_size=4).map(tuple))
    return st.one_of(binary, binary, binary, sign, one, any_call)


# ---- models


def bracketed(node: Expression) -> str:
    """The expression as text that Python reads as the same tree, brackets around everything."""
    match node:
        case Constant(value):
            return f"({value})"
        case NamedConstant(name):
            return name
        case UnaryExpression(sign, operand):
            return f"({sign.symbol}{bracketed(operand)})"
        case BinaryExpression(left, what, right):
            return f"({bracketed(left)} {what.symbol} {bracketed(right)})"
        case FunctionCall(function, arguments):
            return f"{function.name}({', '.join(map(bracketed, arguments))})"


def python_value(text: str) -> Number:
    """What Python's own arithmetic makes of a text that a test made."""
    value: Number = eval(text, dict(NAMESPACE))  # noqa: S307
    return value


def python_text(value: Number) -> str:
    """What Python's own `str` says, without its limit of 4,300 digits."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return str(value)
    finally:
        sys.set_int_max_str_digits(before)


def ours(node: Expression, budget: Budget | None = None, uniform: Any = never) -> tuple[Number, list[str] | None]:
    """Netlab's value and step texts."""
    meter = Meter(budget or Budget())
    program = flatten(node, meter)
    steps = Steps(program, meter)
    return evaluate(program, meter, uniform, steps), steps.texts


def value_of(node: Expression, budget: Budget | None = None, uniform: Any = never) -> Number:
    """Netlab's value, no steps asked for."""
    meter = Meter(budget or Budget())
    return evaluate(flatten(node, meter), meter, uniform)


def shape(node: Expression) -> Any:
    """The tree as tuples that compare by value (and 1 is not 1.0, 0.0 is not -0.0)."""
    match node:
        case Constant(value):
            return (type(value).__name__, repr(value))
        case NamedConstant(name):
            return name
        case UnaryExpression(sign, operand):
            return (sign.symbol, shape(operand))
        case BinaryExpression(left, what, right):
            return (shape(left), what.symbol, shape(right))
        case FunctionCall(function, arguments):
            return (function.name, tuple(map(shape, arguments)))


def same(one: Any, other: Any) -> bool:
    """Whether two numbers are of one type and value, signs of zero included, and NaN the same as NaN."""
    return type(one) is type(other) and (one == other if type(one) is int else repr(one) == repr(other))


class Model:
    """A node that changes: a number, a name, or an operation on other nodes."""

    def __init__(self, node: Expression) -> None:
        self.value: Any = None
        self.name = ""
        self.symbol = ""
        self.parts: list[Model] = []
        match node:
            case Constant(value):
                self.value = value
            case NamedConstant(name):
                self.name = name
            case UnaryExpression(sign, operand):
                self.symbol, self.parts = sign.symbol, [Model(operand)]
            case BinaryExpression(left, what, right):
                self.symbol, self.parts = what.symbol, [Model(left), Model(right)]
            case FunctionCall(function, arguments):
                self.name, self.symbol = function.name, "()"
                self.parts = [Model(argument) for argument in arguments]

    def next(self) -> "Model | None":
        """The leftmost operation on numbers only; names that are read on the way to it become numbers."""
        if self.symbol:
            for part in self.parts:
                found = part.next()
                if found:
                    return found
            return self
        if self.name:
            self.value, self.name = NAMESPACE[self.name], ""
        return None

    def reduce(self) -> None:
        """Become the value of this operation."""
        values = [part.value for part in self.parts]
        if self.symbol == "()":
            self.value = NAMESPACE[self.name](*values)
        elif len(values) == 1:
            self.value = -values[0] if self.symbol == "-" else +values[0]
        else:
            self.value = PYTHON[self.symbol](*values)
        self.name = self.symbol = ""
        self.parts = []

    def text(self, bare: bool) -> str:
        """The expression as it stands; ``bare`` where brackets stand around it already."""
        if self.symbol == "()":
            return f"{self.name}({', '.join(part.text(len(self.parts) == 1) for part in self.parts)})"
        if len(self.parts) == 1:
            return f"{self.symbol}({self.parts[0].text(True)})"
        if self.symbol:
            inside = f"{self.parts[0].text(False)} {self.symbol} {self.parts[1].text(False)}"
            return inside if bare else f"({inside})"
        text = self.name or python_text(self.value)
        return text[1:-1] if bare and text.startswith("(") else text


def model_steps(node: Expression) -> list[str]:
    """The step texts, from a tree that is printed before each reduction and at the end."""
    model = Model(node)
    texts = []
    while (found := model.next()) is not None:
        texts.append(model.text(True))
        found.reduce()
    return [*texts, python_text(model.value)] if texts else []
