"""Numbers as text: how steps show them, and integers of any length without quadratic surprises."""

from netlab.calc.budget import Meter, digits
from netlab.calc.functions import SMALL_BITS

#: CPython refuses to print or read an integer of more decimal digits at once (``sys.int_info``).
_PIECE = 4_000
_BASE = 10**_PIECE


def number_text(value: complex, meter: Meter, *, bare: bool = False) -> str:
    """The number as Python prints it, at any length.

    ``bare`` leaves out the brackets that Python puts around a complex number, where a pair stands already.

    :raises BudgetExceeded: printing it would cost too much.
    """
    if type(value) is int:
        bits = value.bit_length()
        if bits > SMALL_BITS:
            meter.spend(digits(bits) ** 2)
            return integer_text(value)
        return str(value)
    text = str(value)
    if bare and text.startswith("("):
        return text[1:-1]
    return text


def integer_text(value: int) -> str:
    """The decimal digits of ``value``, past the limit that `str` has."""
    if -_BASE < value < _BASE:
        return str(value)
    if value < 0:
        return "-" + integer_text(-value)
    pieces = []
    while value >= _BASE:
        value, piece = divmod(value, _BASE)
        pieces.append(f"{piece:0{_PIECE}d}")
    pieces.append(str(value))
    return "".join(reversed(pieces))


def integer_of(text: str) -> int:
    """The integer that decimal ``text`` (digits only) says, past the limit that `int` has."""
    value = int(text[: len(text) % _PIECE] or "0")
    for start in range(len(text) % _PIECE, len(text), _PIECE):
        value = value * _BASE + int(text[start : start + _PIECE])
    return value
