"""Numbers as text, of any length."""

import math

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.errors import BudgetExceeded
from netlab.calc.numbers import integer_of, integer_text, number_text
from tests.calc.cases import tries
from tests.calc.expressions import python_text

#: Integers around the powers of ten at which a piece of the text ends.
around_pieces = st.builds(
    lambda digits, offset, sign: sign * (10**digits + offset),
    st.sampled_from([3_999, 4_000, 4_001, 8_000, 12_000]),
    st.integers(-2, 2),
    st.sampled_from([1, -1]),
)
integers = st.integers() | around_pieces | st.integers(1, 30_000).map(lambda bits: 3**bits)


class IntegerTests(SynchronousTestCase):
    """Digits, past Python's own limit."""

    @given(integers)
    @tries(100)
    def test_as_python(self, value: int) -> None:
        """The text is Python's."""
        self.assertEqual(integer_text(value), python_text(value))

    @given(integers)
    @tries(100)
    def test_round_trip(self, value: int) -> None:
        """The text is read as the same number."""
        self.assertEqual(integer_of(integer_text(abs(value))), abs(value))

    def test_read(self) -> None:
        """Zeros in front count for nothing, however many; no digits are 0."""
        self.assertEqual(integer_of("0" * 9_000 + "12"), 12)
        self.assertEqual(integer_of("0" * 4_000), 0)
        self.assertEqual(integer_of(""), 0)
        self.assertEqual(integer_of("1" + "0" * 8_000), 10**8_000)

    def test_past_the_limit(self) -> None:
        """This is what Python refuses to do at once."""
        self.assertRaises(ValueError, str, 10**5_000)
        self.assertEqual(integer_text(-(10**5_000)), "-1" + "0" * 5_000)


class TextTests(SynchronousTestCase):
    """Any number, as Python prints it."""

    def text(self, value: complex, *, bare: bool = False) -> str:
        """The text, at no matter what cost."""
        return number_text(value, Meter(Budget()), bare=bare)

    @given(st.integers() | st.floats() | st.complex_numbers())
    @tries(200)
    def test_as_python(self, value: complex) -> None:
        """Each kind is printed as `str` does."""
        self.assertEqual(self.text(value), str(value))

    def test_bare(self) -> None:
        """Only a complex number has brackets to lose, and one without a real part has none."""
        for value, text in ((1 + 2j, "1+2j"), (2j, "2j"), (complex(-0.0, 2), "-0+2j"), (-5, "-5"), (0.5, "0.5")):
            self.assertEqual(self.text(value, bare=True), text)
        self.assertEqual(self.text(math.inf, bare=True), "inf")

    def test_costs(self) -> None:
        """Long integers cost by the square of their length, short ones nothing."""
        meter = Meter(Budget())
        number_text(2**500, meter)
        number_text(0.5, meter)
        self.assertEqual(meter.work, 0)
        number_text(2**3_000, meter)
        self.assertEqual(meter.work, 101**2)

    def test_refused_before(self) -> None:
        """What would cost too much is not printed at all."""
        self.assertRaises(BudgetExceeded, number_text, 1 << 10**7, Meter(Budget()))
