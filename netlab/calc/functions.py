"""The operators, functions and constants of the protocol, and what each may cost (protocols.md §1).

``apply`` is Python's own arithmetic, so results agree with the deployed server to the last bit. ``guard`` is called
before it with the same arguments and refuses what would take too long or grow too large; `None` where the cost is
at most linear in arguments that are bounded already.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from attrs import frozen

from netlab.calc.budget import Meter, digits

Apply = Callable[..., Any]
Guard = Callable[..., None]


@frozen(eq=False)
class UnaryOperator:
    """A sign. ``python_name`` is the function in Python's ``operator`` module that pickles name."""

    symbol: str
    python_name: str
    apply: Apply
    guard: Guard | None = None


@frozen(eq=False)
class BinaryOperator:
    """An operator between two operands; a higher ``precedence`` binds tighter."""

    symbol: str
    python_name: str
    precedence: int
    apply: Apply
    guard: Guard | None = None
    right_associative: bool = False


@frozen(eq=False)
class Function:
    """A named function. ``module`` is where pickles find it; `None` for ``rand``.

    ``apply`` is `None` for ``rand``: whoever evaluates supplies the random source.
    """

    name: str
    module: str | None
    apply: Apply | None
    guard: Guard | None = None

    @property
    def repeatable(self) -> bool:
        """Whether the same arguments always give the same result."""
        return self.apply is not None


#: Below this many bits a product, a power or a decimal text costs no more than any other operation.
SMALL_BITS = 512


def _guard_product(meter: Meter, left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        left_bits, right_bits = left.bit_length(), right.bit_length()
        if left_bits + right_bits > SMALL_BITS and left_bits and right_bits:
            meter.budget.check_bits(left_bits + right_bits - 1)
            meter.spend(digits(left_bits) * digits(right_bits))


def _guard_remainder(meter: Meter, left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        quotient_bits = left.bit_length() - right.bit_length()
        if quotient_bits > SMALL_BITS:
            meter.spend(2 * digits(quotient_bits) * digits(right.bit_length()))


def _guard_power(meter: Meter, base: object, exponent: object) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        bits = base.bit_length()
        if bits > 1 and bits * exponent > SMALL_BITS:
            meter.budget.check_bits((bits - 1) * exponent + 1)
            meter.spend(digits(bits * exponent) ** 2)


def _guard_pow(meter: Meter, *arguments: object) -> None:
    """Refuse a modular power by its number of squarings, an inverse by the length of Euclid's algorithm."""
    if len(arguments) != 3 or not all(isinstance(argument, int) for argument in arguments):
        if len(arguments) == 2:
            _guard_power(meter, *arguments)
        return
    base, exponent, modulus = (int(argument) for argument in arguments)  # type: ignore[call-overload]
    square = digits(modulus.bit_length()) ** 2
    _guard_remainder(meter, base, modulus)
    meter.spend(exponent.bit_length() * (100 + 6 * square))
    if exponent < 0:
        meter.spend(160 * square)


SIGNS = (UnaryOperator("-", "neg", operator.neg), UnaryOperator("+", "pos", operator.pos))

#: A sign binds tighter than ``*`` and looser than ``**``, as in Python: ``-2 ** 2`` is -4.
SIGN_PRECEDENCE = 3

OPERATORS = (
    BinaryOperator("+", "add", 1, operator.add),
    BinaryOperator("-", "sub", 1, operator.sub),
    BinaryOperator("*", "mul", 2, operator.mul, _guard_product),
    BinaryOperator("/", "truediv", 2, operator.truediv),
    BinaryOperator("%", "mod", 2, operator.mod, _guard_remainder),
    BinaryOperator("**", "pow", 4, operator.pow, _guard_power, right_associative=True),
)

FUNCTIONS = (
    Function("sin", "math", math.sin),
    Function("cos", "math", math.cos),
    Function("tan", "math", math.tan),
    Function("sqrt", "math", math.sqrt),
    Function("log", "math", math.log),
    Function("max", "builtins", max),
    Function("min", "builtins", min),
    Function("pow", "builtins", pow, _guard_pow),
    Function("rand", None, None),
)

CONSTANTS = {"PI": math.pi, "TAU": math.tau, "E": math.e}
