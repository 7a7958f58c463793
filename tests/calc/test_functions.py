"""The tables of operators, functions and constants, and the guards before them."""

import builtins
import math
import operator
import random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.errors import BudgetExceeded
from netlab.calc.functions import CONSTANTS, FUNCTIONS, OPERATORS, SIGNS, BinaryOperator, Function
from tests.calc.cases import tries
from tests.calc.expressions import BY_NAME, BY_SYMBOL

MODULES = {"math": math, "builtins": builtins}
#: Integers whose products and powers are around the limit.
integers = st.integers(-10, 10) | st.builds(
    lambda bits, sign: sign << bits, st.integers(0, 9_000), st.sampled_from([1, -1, 3, -3])
)


def allowed(what: BinaryOperator | Function, *arguments: object, work: int = 3_000_000) -> bool:
    """Whether the guard lets these arguments through."""
    assert what.guard is not None
    try:
        what.guard(Meter(Budget(max_work=work)), *arguments)
    except BudgetExceeded:
        return False
    return True


class TableTests(SynchronousTestCase):
    """What protocols.md §1 lists, and nothing else."""

    def test_symbols(self) -> None:
        """Six operators, two signs, nine functions, three constants."""
        self.assertEqual([what.symbol for what in OPERATORS], ["+", "-", "*", "/", "%", "**"])
        self.assertEqual([what.symbol for what in SIGNS], ["-", "+"])
        self.assertEqual(
            [what.name for what in FUNCTIONS], ["sin", "cos", "tan", "sqrt", "log", "max", "min", "pow", "rand"]
        )
        self.assertEqual(CONSTANTS, {"PI": math.pi, "TAU": math.tau, "E": math.e})

    def test_python(self) -> None:
        """Each is computed by the function of Python that pickles name."""
        for what in (*OPERATORS, *SIGNS):
            self.assertIs(what.apply, getattr(operator, what.python_name))
        for function in FUNCTIONS:
            if function.module:
                self.assertIs(function.apply, getattr(MODULES[function.module], function.name))

    def test_right(self) -> None:
        """Only ``**`` associates to the right."""
        self.assertEqual([what.symbol for what in OPERATORS if what.right_associative], ["**"])


class GuardTests(SynchronousTestCase):
    """A guard never refuses what would have fitted, nor lets through what takes long."""

    @given(integers, integers)
    @tries(200)
    def test_product(self, left: int, right: int) -> None:
        """A product is refused if and only if it has more bits than allowed."""
        fits = (left * right).bit_length() <= 16_384
        if fits:
            self.assertTrue(allowed(BY_SYMBOL["*"], left, right))
        elif (left * right).bit_length() > 16_385:
            self.assertFalse(allowed(BY_SYMBOL["*"], left, right))

    @given(integers, st.integers(-5, 3_000))
    @tries(200)
    def test_power(self, base: int, exponent: int) -> None:
        """A power that fits is let through, and one of twice as many bits as fit is not."""
        for what in (BY_SYMBOL["**"], BY_NAME["pow"]):
            if exponent <= 0 or abs(base) <= 1 or base.bit_length() * exponent <= 16_384:
                self.assertTrue(allowed(what, base, exponent))
            elif (base.bit_length() - 1) * exponent > 16_384:
                self.assertFalse(allowed(what, base, exponent))

    def test_other_numbers(self) -> None:
        """Floats and complex numbers take no time to speak of, and cost nothing."""
        for symbol in ("*", "%", "**"):
            for arguments in ((1e300, 10**4_000), (10**4_000, 1e300), (1j, 10**4_000), (2.0, 2.0)):
                self.assertTrue(allowed(BY_SYMBOL[symbol], *arguments, work=1))

    def test_small_is_free(self) -> None:
        """Everyday integers are not counted."""
        meter = Meter(Budget(max_work=1))
        for symbol in ("*", "%", "**"):
            guard = BY_SYMBOL[symbol].guard
            assert guard is not None
            guard(meter, 12, 12)
            guard(meter, 2**200, 2)
        self.assertEqual(meter.work, 0)

    def test_remainder(self) -> None:
        """A remainder costs by the length of quotient and divisor, and by 0 it costs nothing."""
        remainder = BY_SYMBOL["%"]
        self.assertTrue(allowed(remainder, 10**4_000, 0, work=2_000))
        self.assertTrue(allowed(remainder, 10**3_000, 10**4_000, work=1))
        self.assertTrue(allowed(remainder, 10**4_000, 10**4_000 - 1, work=1))
        self.assertFalse(allowed(remainder, 2**16_000, 2**8_000, work=2 * 200**2))

    def test_pow(self) -> None:
        """Any number of arguments, of any kind, meets the guard of ``pow`` and passes on to Python's own error."""
        for arguments in ((), (1,), (1, 2, 3, 4), (1.5, 2, 3), (2, 3, 0), (2, -1, 0), (2, 3, -7), (2, 3, 1.5)):
            self.assertTrue(allowed(BY_NAME["pow"], *arguments))

    def test_pow_costs(self) -> None:
        """Squarings, inverses and the first remainder are all counted."""
        power = BY_NAME["pow"]
        self.assertFalse(allowed(power, 3, 2**2_000, 2**2_000, work=2_000 * 6 * 60**2))
        self.assertFalse(allowed(power, 3, -1, 2**3_000, work=64 * 100**2))
        self.assertFalse(allowed(power, 2**16_000, 1, 2**8_000, work=2 * 200**2))
        self.assertTrue(allowed(power, 3, 2**64, 2**64, work=10_100))


class RandomTests(SynchronousTestCase):
    """``rand``'s own function is whoever evaluates it."""

    def test_none(self) -> None:
        """The table has none; `random.Random.uniform` takes what ``rand`` takes."""
        self.assertIsNone(BY_NAME["rand"].apply)
        self.assertTrue(1 <= random.Random(1).uniform(1, 2) <= 2)
