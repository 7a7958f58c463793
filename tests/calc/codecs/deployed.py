"""Stand-ins for the modules of the deployed programs, so that real pickles can be made and loaded in tests."""

import contextlib
import copyreg
import math
import operator
import random
import sys
from collections.abc import Iterator
from enum import Enum
from types import MethodType, ModuleType
from typing import Any

from netlab.calc.expression import BinaryExpression, Constant, Expression, FunctionCall, NamedConstant, UnaryExpression
from netlab.calc.messages import Failure

calculator = ModuleType("calculator")
api = ModuleType("api")


def _deployed(module: ModuleType, name: str, base: type) -> Any:
    made = type(name, (base,), {"__module__": module.__name__})
    setattr(module, name, made)
    return made


class _Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


for _name in (
    *("Constant", "NamedConstant", "BinaryExpr", "UnaryExpr", "FunctionCallExpr"),
    *("BinaryOperator", "UnaryOperator", "Function"),
):
    _deployed(calculator, _name, _Plain)
CalculatorServerError = _deployed(api, "CalculatorServerError", Exception)
CalculatorClientError = _deployed(api, "CalculatorClientError", Exception)


class Associativity(Enum):
    """Which of two equal operators is done first."""

    LEFT = 0
    RIGHT = 1

    def __reduce_ex__(self, protocol: Any) -> Any:
        """By value, as Python 3.11 has it."""
        return (Associativity, (self.value,))


Associativity.__module__ = "calculator"
calculator.Associativity = Associativity  # type: ignore[attr-defined]

_BINARY = {
    symbol: calculator.BinaryOperator(symbol=symbol, function=function, associativity=Associativity(symbol == "**"))
    for symbol, function in {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "%": operator.mod,
        "**": operator.pow,
    }.items()
}
_UNARY = {
    symbol: calculator.UnaryOperator(symbol=symbol, function=function)
    for symbol, function in {"-": operator.neg, "+": operator.pos}.items()
}
_FUNCTIONS = {
    function.__name__: calculator.Function(name=function.__name__, function=function)
    for function in (math.sin, math.cos, math.tan, math.sqrt, math.log, max, min, pow)
}
_NAMED = {
    name: calculator.NamedConstant(name=name, value=value)
    for name, value in {"PI": math.pi, "TAU": math.tau, "E": math.e}.items()
}


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """While this lasts, `import calculator` and `import api` find the stand-ins.

    Twisted has Python pickle bound methods its own way, which no deployed client does; it is set aside too.
    """
    twisted_way = copyreg.dispatch_table.pop(MethodType, None)
    before = {name: sys.modules.get(name) for name in ("calculator", "api")}
    sys.modules |= {"calculator": calculator, "api": api}
    try:
        yield
    finally:
        if twisted_way is not None:
            copyreg.dispatch_table[MethodType] = twisted_way
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def expression(node: Expression, source: random.Random | None = None) -> Any:
    """Our tree as the deployed clients have it; ``rand`` is ``source``'s."""
    functions = dict(_FUNCTIONS)
    if source is not None:
        functions["rand"] = calculator.Function(name="rand", function=source.uniform)

    def made(node: Expression) -> Any:
        match node:
            case Constant(value):
                return calculator.Constant(value=value)
            case NamedConstant(name):
                return _NAMED[name]
            case UnaryExpression(sign, operand):
                return calculator.UnaryExpr(operator=_UNARY[sign.symbol], operand=made(operand))
            case BinaryExpression(left, what, right):
                return calculator.BinaryExpr(
                    left_operand=made(left), operator=_BINARY[what.symbol], right_operand=made(right)
                )
            case FunctionCall(function, arguments):
                return calculator.FunctionCallExpr(function=functions[function.name], args=[*map(made, arguments)])

    return made(node)


_ERRORS = {
    **{error.__name__: error for error in (ZeroDivisionError, TypeError, ValueError, OverflowError)},
    "CalculatorServerError": CalculatorServerError,
    "CalculatorClientError": CalculatorClientError,
}


def error(failure: Failure) -> Exception:
    """A failure as the exception that the deployed programs make of it."""
    made = (error(item) if isinstance(item, Failure) else item for item in failure.arguments)
    exception: Exception = _ERRORS[failure.kind](*made)
    return exception
