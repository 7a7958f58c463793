"""The parameters of an experiment: the laboratory's own, or a student's, drawn from the ID by SHA-256.

Who has the ID can draw them again, so nothing about them has to be believed: a report that was copied has the ports,
messages and expressions of somebody else.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import TypeVar

from attrs import frozen

from netlab.common.errors import LocalError

#: Part of what is hashed, so that a later way of drawing gives no parameters by accident.
_SCHEME = "netlab-lab/1"
#: Ports of students lie below those that Linux gives to clients (32768), and away from those of daemons in the labs.
FIRST_PORT, PORTS = 20_000, 10_000
MAX_STUDENT = 64
MAX_SEED = 2**63 - 1
_WORDS = "river stone cloud amber forest silver meadow harbor lantern copper winter garden marble falcon ocean maple"

Value = int | float | str
T = TypeVar("T", int, float, str)


class BadStudent(LocalError):
    """A student's ID that cannot be one."""


@frozen
class Whose:
    """Whose parameters: a ``student``'s, empty for nobody's, and which of theirs (``seed``); ``quick`` shortens."""

    student: str = ""
    seed: int = 0
    quick: bool = False

    @property
    def is_personal(self) -> bool:
        """Whether the parameters are drawn; otherwise they are those of protocols.md."""
        return bool(self.student or self.seed)


def student_id(text: str) -> str:
    """A student's ID as it is hashed: less the spaces around it.

    :raises BadStudent: it is too long, or has characters that nobody sees.
    """
    text = text.strip()
    if len(text) > MAX_STUDENT or not text.isprintable():
        raise BadStudent(f"a student's ID has up to {MAX_STUDENT} visible characters")
    return text


class Draw:
    """Draws the parameters of one experiment; ``values`` are those drawn so far, by name."""

    def __init__(self, experiment: str, whose: Whose) -> None:
        self.whose = whose
        self._experiment = experiment
        self._values: dict[str, Value] = {}

    @property
    def values(self) -> Mapping[str, Value]:
        """Everything that was drawn."""
        return self._values

    def port(self, name: str, classic: int) -> int:
        """A port to listen on, another one for each name."""
        number = classic
        if self.whose.is_personal:
            number = FIRST_PORT + self._number(name) % PORTS
            while number in self._values.values():
                number = FIRST_PORT + (number + 1 - FIRST_PORT) % PORTS
        return self._kept(name, number)

    def whole(self, name: str, classic: int, least: int, most: int) -> int:
        """A whole number, from ``least`` to ``most``."""
        drawn = least + self._number(name) % (most - least + 1)
        return self._kept(name, drawn if self.whose.is_personal else classic)

    def seconds(self, name: str, classic: float, quick: float) -> float:
        """A time; a student's is up to half as long again."""
        time = quick if self.whose.quick else classic
        if self.whose.is_personal:
            time = round(time * (10 + self._number(name) % 6) / 10, 3)
        return self._kept(name, time)

    def message(self, name: str, classic: str) -> str:
        """A text to send; a student's has other words, and as many bytes."""
        if not self.whose.is_personal:
            return self._kept(name, classic)
        words = _WORDS.split()
        count = len(classic) // 4 + 2
        drawn = " ".join(words[self._number(f"{name} {place}") % len(words)] for place in range(count))
        return self._kept(name, drawn[: len(classic) - 1].rstrip().ljust(len(classic) - 1, ".") + "!")

    def filled(self, name: str, classic: str, pattern: str) -> str:
        """A text; a student's is ``pattern`` with a number from 2 to 99 for each ``#``."""
        if not self.whose.is_personal:
            return self._kept(name, classic)
        first, *rest = pattern.split("#")
        numbers = (str(2 + self._number(f"{name} {place}") % 98) for place in range(len(rest)))
        return self._kept(name, first + "".join(number + part for number, part in zip(numbers, rest, strict=True)))

    def _kept(self, name: str, value: T) -> T:
        self._values[name] = value
        return value

    def _number(self, name: str) -> int:
        parts = (_SCHEME, self.whose.student, str(self.whose.seed), self._experiment, name)
        return int.from_bytes(sha256("\0".join(parts).encode()).digest()[:8])
