"""How much one request may cost. Every limit is checked before the work that it bounds is done."""

from attrs import field, frozen, validators

from netlab.calc.errors import BudgetExceeded
from netlab.calc.header import MAX_BODY

_positive = validators.ge(1)

#: CPython keeps integers in digits of 30 bits; costs are counted in products of two digits.
_DIGIT_BITS = 30


@frozen
class Budget:
    """The limits of one request.

    The defaults keep the worst request under 10 ms on one core of an ordinary machine; ``scripts/bench calc``
    measures that. 16,384 bits are 4,933 decimal digits, a little more than Python itself will print by default.
    """

    #: Bits of an integer, be it a constant, an intermediate value or the result.
    max_bits: int = field(default=16_384, validator=_positive)
    #: Numbers, names, operators and calls, a shared part counted each time it is used.
    max_nodes: int = field(default=768, validator=_positive)
    #: Operators and calls within one another.
    max_depth: int = field(default=512, validator=_positive)
    #: Characters of all step texts together; more cannot be sent in one packet.
    max_step_text: int = field(default=MAX_BODY, validator=validators.and_(validators.ge(0), validators.le(MAX_BODY)))
    #: Digit products (about a nanosecond each) that big integers may cost, printing them included.
    max_work: int = field(default=2_500_000, validator=_positive)
    #: Opcodes in a pickle. The longest chain of additions that ``max_nodes`` allows has 8,871.
    max_opcodes: int = field(default=9_216, validator=_positive)

    def check_nodes(self, nodes: int) -> None:
        """Refuse an expression of more than ``max_nodes`` nodes."""
        if nodes > self.max_nodes:
            raise BudgetExceeded(f"the expression has more than {self.max_nodes:,} nodes")

    def check_depth(self, depth: int) -> None:
        """Refuse an expression nested deeper than ``max_depth``."""
        if depth > self.max_depth:
            raise BudgetExceeded(f"the expression is nested more than {self.max_depth:,} deep")

    def check_bits(self, bits: int) -> None:
        """Refuse an integer of more than ``max_bits`` bits; ``bits`` may be a lower bound of what it would have."""
        if bits > self.max_bits:
            raise BudgetExceeded(f"an integer of {_count(bits)} bits passes the limit of {self.max_bits:,}")


class Meter:
    """What the evaluation of one request has spent of its `Budget`."""

    __slots__ = ("budget", "work")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.work = 0

    def spend(self, work: int) -> None:
        """Count ``work`` digit products, before they are done.

        :raises BudgetExceeded: all work together passes ``max_work``.
        """
        self.work += work
        if self.work > self.budget.max_work:
            raise BudgetExceeded("the arithmetic on big integers costs more than one request may")


def digits(bits: int) -> int:
    """In how many digits CPython keeps an integer of ``bits`` bits, at least 1."""
    return bits // _DIGIT_BITS + 1


def _count(number: int) -> str:
    """A count as a person reads it, and short however large: 9 ** 9 ** 9 asks for a number of bits with digits."""
    return f"{number:,}" if number < 10**12 else "over 10**12"
