"""What a pickle works on here: the machine's state, what globals and objects become, and how a pickle is refused."""

from collections.abc import Callable, Mapping
from typing import Any

from netlab.calc.errors import PickleRefused


class Symbol:
    """What an allowed global stands for.

    ``new()`` makes the empty instance that NEWOBJ asks for, ``call(arguments)`` is what REDUCE does with a tuple;
    `None` where no message does that.
    """

    __slots__ = ("call", "name", "new")

    def __init__(
        self,
        name: str,
        *,
        new: "Callable[[], Instance] | None" = None,
        call: Callable[[tuple[Any, ...]], Any] | None = None,
    ) -> None:
        self.name = name
        self.new = new
        self.call = call

    def __repr__(self) -> str:
        return self.name


class Instance:
    """An object that waits for its state; ``build`` takes the state once and leaves ``value``, or refuses.

    ``size`` and ``depth`` belong to values that are expressions: nodes, each counted as often as it is referred to,
    and levels; both 0 for anything else.
    """

    __slots__ = ("build", "depth", "size", "value")

    def __init__(self, build: "Callable[[Instance, Any], None]") -> None:
        self.build = build
        self.value: Any = None
        self.size = 0
        self.depth = 0


class Machine:
    """The state of one run over one body: a stack, the marks on it, and the memo."""

    __slots__ = ("body", "marks", "memo", "objects", "stack", "symbols")

    def __init__(self, body: bytes, symbols: Mapping[tuple[str, str], Symbol], max_objects: int) -> None:
        self.body = body
        #: How many more objects it may make.
        self.objects = max_objects
        self.symbols = symbols
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def pop_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        stack = self.stack
        mark = self.marks.pop()
        items = stack[mark:]
        del stack[mark:]
        return items


def refused(reason: str) -> PickleRefused:
    """The error for a pickle that is none of ours."""
    return PickleRefused(f"the pickle was refused: {reason}")
