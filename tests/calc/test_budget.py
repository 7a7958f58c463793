"""What one request may cost, and that it is refused before it is computed."""

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter, digits
from netlab.calc.errors import BudgetExceeded, SyntaxRefused
from netlab.calc.header import MAX_BODY
from netlab.calc.numbers import integer_text
from netlab.calc.parser import parse
from tests.calc.cases import for_each, peak_memory
from tests.calc.expressions import ours, value_of

_MIB = 2**20
HUGE = integer_text(9**4_000)


class LimitTests(SynchronousTestCase):
    """The limits themselves."""

    @for_each(("max_bits", "max_nodes", "max_depth", "max_work", "max_opcodes"))
    def test_positive(self, name: str) -> None:
        """A limit of nothing, or less, is a mistake of whoever sets it."""
        self.assertEqual(getattr(Budget(**{name: 1}), name), 1)
        self.assertRaises(ValueError, Budget, **{name: 0})
        self.assertRaises(ValueError, Budget, **{name: -1})

    def test_step_text(self) -> None:
        """No steps at all may be wanted; more than a packet holds cannot be."""
        self.assertEqual(Budget(max_step_text=0).max_step_text, 0)
        self.assertEqual(Budget(max_step_text=MAX_BODY).max_step_text, MAX_BODY)
        self.assertRaises(ValueError, Budget, max_step_text=-1)
        self.assertRaises(ValueError, Budget, max_step_text=MAX_BODY + 1)

    def test_checks(self) -> None:
        """Each limit can be reached and not passed; the error has the limit in it."""
        budget = Budget(max_bits=1_000, max_nodes=2_000, max_depth=3_000)
        for check, limit in ((budget.check_bits, 1_000), (budget.check_nodes, 2_000), (budget.check_depth, 3_000)):
            check(limit)
            error = self.assertRaises(BudgetExceeded, check, limit + 1)
            self.assertIn(f"{limit:,}", str(error))

    def test_short_words(self) -> None:
        """However large an integer would be, the error about it is short."""
        self.assertIn("over 10**12 bits", str(self.assertRaises(BudgetExceeded, Budget().check_bits, 9**9**5)))
        self.assertIn("20,000 bits", str(self.assertRaises(BudgetExceeded, Budget().check_bits, 20_000)))

    def test_meter(self) -> None:
        """All work of a request is counted together."""
        meter = Meter(Budget(max_work=10))
        meter.spend(4)
        meter.spend(6)
        self.assertEqual(meter.work, 10)
        self.assertRaises(BudgetExceeded, meter.spend, 1)

    def test_digits(self) -> None:
        """At least one, and one more every 30 bits."""
        self.assertEqual([digits(bits) for bits in (0, 1, 29, 30, 60)], [1, 1, 1, 2, 3])


class RefusedTests(SynchronousTestCase):
    """Requests that would take hours or gigabytes are refused at once."""

    def refused(self, text: str) -> None:
        """It is refused by its budget, in little memory, with a short reason."""

        def compute() -> None:
            error = self.assertRaises(BudgetExceeded, lambda: ours(parse(text)))
            self.assertLess(len(str(error)), 200)

        self.assertLess(peak_memory(compute), 32 * _MIB)

    @for_each(
        {
            "nines": "9 ** 9 ** 9",
            "more nines": "9 ** 9 ** 9 ** 9",
            "a power of a power": "(9**9999)**9999",
            "a long chain of powers": "((((((9 ** 99) ** 9) ** 9) ** 9) ** 9) ** 9) ** 9",
            "a negative base": "(-9) ** 99999999",
            "pow of two": "pow(9, pow(9, 9))",
            "pow of two with a sign": "pow(-3, 99999)",
            "a product": f"{HUGE} * {HUGE}",
            "a square": "(2 ** 16000) ** 2",
            "a modular power": "pow(3, 9**4000, 7**5000)",
            "a modular power with a long exponent": "pow(3, 2**16000, 7**1000)",
            "a modular power with a long modulus": "pow(3, 2**5000, 2**16000 + 1)",
            "a modular inverse": "pow(3**5000, -1, 2**16000 + 1)",
            "many inverses": " + ".join(["pow(3, -1, 7**600)"] * 200),
            "many remainders": " + ".join(["7**5000 % 3**2600"] * 40),
            "many products": " + ".join(["3**5000 * 3**5000"] * 40),
            "many digits": "+".join([HUGE] * 17),
            "a literal": "1" + "0" * 60_000,
            "a long sum": "+".join("1" * 32_000),
            "deep brackets": "(" * 65_000,
            "deep signs": "-" * 65_000,
            "deep signs with an end": "-" * 60_000 + "1",
            "deep brackets with an end": "(" * 32_000 + "1" + ")" * 32_000,
            "deep calls": "sin(" * 10_000 + "1" + ")" * 10_000,
            "deep powers": "1" + "**1" * 20_000,
            "many arguments": "max(" + "1," * 30_000 + "1)",
        }
    )
    def test_refused(self, text: str) -> None:
        """It is refused."""
        self.refused(text)

    @for_each(
        {
            "the power of one": ("1 ** 999999999999", 1),
            "the power of minus one": ("(-1) ** 999999999999", -1),
            "the power of nothing": ("0 ** 999999999999", 0),
            "a root": ("2 ** -99999", 0.0),
            "an inverse": ("pow(3, -1, 7)", 5),
            "a modular power": ("pow(3, 99999, 1000007)", pow(3, 99999, 1000007)),
            "a remainder": ("10**4000 % 7", 10**4000 % 7),
            "a product with nothing": ("9**4000 * 0", 0),
            "the last that fits": ("2 ** 16383", 2**16383),
            "zeros in front": ("0" * 60_000 + "7", 7),
            "an open exponent": ("1e999999999", float("inf")),
            "a small exponent": ("1e-999999999", 0.0),
        }
    )
    def test_not_refused(self, case: tuple[str, object]) -> None:
        """What looks large and is not is computed."""
        text, value = case
        self.assertEqual(ours(parse(text))[0], value)

    def test_one_bit_more(self) -> None:
        """16,384 bits fit, 16,385 do not, however they come about."""
        for text in ("2 ** 16384", "2 ** 16383 + 2 ** 16383", "2 ** 16383 * 2", "-(2**16383) - 2**16383"):
            self.refused(text)
        self.assertEqual(value_of(parse("2 ** 16383 + (2 ** 16383 - 1)")), 2**16384 - 1)

    def test_junk_behind(self) -> None:
        """A text is refused for its size before all of it is read."""
        self.assertRaises(BudgetExceeded, parse, "1+" * 20_000 + "$")
        self.assertRaises(SyntaxRefused, parse, "1+" * 200 + "$")

    def test_longest(self) -> None:
        """The longest chain that the default budget lets through is computed, its steps left out."""
        value, texts = ours(parse("+".join("1" * 384)))
        self.assertEqual((value, texts), (384, None))
        self.assertRaises(BudgetExceeded, lambda: ours(parse("+".join("1" * 386))))
