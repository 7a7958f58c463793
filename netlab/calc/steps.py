"""The steps of a computation, each text spliced from the one whole text (`netlab.calc.program`)."""

from netlab.calc.budget import Meter
from netlab.calc.expression import Number
from netlab.calc.numbers import number_text
from netlab.calc.program import Operation, Program


class Steps:
    """The text before each operation and after the last; none for a single number.

    ``texts`` becomes `None` once together they pass ``max_step_text`` characters: from there on none is written, so
    that what cannot be sent costs nothing.
    """

    __slots__ = ("_meter", "_reduced", "_room", "_starts", "_whole", "texts")

    def __init__(self, program: Program, meter: Meter) -> None:
        self.texts: list[str] | None = []
        self._whole = program.text
        self._meter = meter
        self._room = meter.budget.max_step_text
        self._reduced = ""
        self._starts: list[int] = []

    def before(self, operation: Operation) -> None:
        """Write the text in which ``operation`` is the next to be done."""
        if self.texts is None:
            return
        done = len(self._reduced)
        self._starts += [done + offset for offset in operation.opens]
        self._reduced += operation.gap
        self._write(self._reduced + self._whole[operation.tail :])

    def after(self, operation: Operation, value: Number) -> None:
        """Put the value in the operation's place; after the last one, write it alone."""
        if self.texts is None:
            return
        start = self._starts.pop()
        text = number_text(value, self._meter, bare=operation.bare and start > 0)
        self._reduced = self._reduced[:start] + text
        if not self._starts and operation.tail == len(self._whole):
            self._write(text)

    def _write(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            self.texts = None
        elif self.texts is not None:
            self.texts.append(text)
