"""Computing a program: exactly Python's arithmetic, within a budget."""

import operator
from collections.abc import Callable, Sequence

from netlab.calc.budget import Meter
from netlab.calc.errors import EvaluationError
from netlab.calc.expression import Number
from netlab.calc.functions import Apply
from netlab.calc.program import Operation, Program
from netlab.calc.steps import Steps

#: What ``rand(a, b)`` calls: a number between its two arguments, as `random.Random.uniform`.
Uniform = Callable[..., float]


def evaluate(program: Program, meter: Meter, uniform: Uniform, steps: Steps | None = None) -> Number:
    """The value of a program; ``steps``, if given, is shown every operation.

    :raises EvaluationError: the arithmetic failed, as in ``1 / 0``.
    :raises BudgetExceeded: it would cost too much or grow too large.
    """
    numbers: list[Number] = []
    for operation in program.operations:
        numbers += operation.constants
        if steps is not None:
            steps.before(operation)
        first = len(numbers) - operation.arity
        value = _reduce(operation, numbers[first:], meter, uniform)
        numbers[first:] = (value,)
        if steps is not None:
            steps.after(operation, value)
    return numbers[0] if numbers else program.rest[0]


def _reduce(operation: Operation, arguments: Sequence[Number], meter: Meter, uniform: Uniform) -> Number:
    what = operation.what
    if what.guard is not None:
        what.guard(meter, *arguments)
    apply = what.apply or uniform
    try:
        value: Number = apply(*arguments)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise _as_deployed(error, apply, arguments) from None
    if type(value) is int:
        meter.budget.check_bits(value.bit_length())
    return value


def _as_deployed(error: Exception, apply: Apply, arguments: Sequence[Number]) -> EvaluationError:
    """The error in the words of Python 3.11, which deployed servers send, whichever Python computes here."""
    known = error.args
    if isinstance(error, ZeroDivisionError):
        known = (_zero_division(apply, arguments),)
    elif isinstance(error, ValueError) and apply is not pow:
        known = ("math domain error",)
    return EvaluationError(type(error).__name__, tuple(item if isinstance(item, int) else str(item) for item in known))


def _zero_division(apply: Apply, arguments: Sequence[Number]) -> str:
    kinds = {type(argument) for argument in arguments}
    if apply is operator.pow or apply is pow:
        return "0.0 to a negative or complex power" if complex in kinds else "0.0 cannot be raised to a negative power"
    if apply is operator.mod:
        return "float modulo" if float in kinds else "integer modulo by zero"
    if complex in kinds:
        return "complex division by zero"
    return "division by zero" if kinds == {int} and apply is operator.truediv else "float division by zero"
