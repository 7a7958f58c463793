"""What readers of all protocols have in common: their faults, their limits, and what they are told."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import frozen

from netlab.trace.app.span import Span
from netlab.trace.streams import Gap, Piece

CALC, HTTP, UPPER, WATCHDOG, BYTES, NOTHING = "calc", "http", "upper", "watchdog", "bytes", "nothing"
PROTOCOLS = (CALC, HTTP, UPPER, WATCHDOG, BYTES, NOTHING)

#: What is kept about a packet of a message takes about as many bytes.
PART = 100
#: Faults of one conversation that are kept.
MAX_FAULTS = 64


@frozen
class Fault:
    """Where a stream could not be read (docs/trace-apps.md has the kinds).

    ``offset`` is in the stream of ``sender``; ``frame`` is 0 where no packet shows it. ``detail`` is an English
    sentence of the reader that gave up, maybe empty.
    """

    kind: str
    sender: int
    offset: int
    frame: int
    numbers: Mapping[str, int]
    detail: str = ""


@frozen
class Application:
    """What the two programs of a TCP conversation said to each other; ``facts`` are the protocol's own."""

    conversation: int
    protocol: str
    known_by: str
    client: int
    facts: Any
    faults: tuple[Fault, ...] = ()


@frozen
class Close:
    """The first FIN of one side, or its RST (``reset``) if that was first: the frame, and when (ns since 1970)."""

    frame: int
    time: int
    by: int
    reset: bool


@frozen
class Ends:
    """How the two directions of a conversation ended, by sender; `None` if one did not before the capture did."""

    sides: tuple[Close | None, Close | None] = (None, None)

    @property
    def first(self) -> Close | None:
        """The one that was first."""
        return min((side for side in self.sides if side), key=lambda side: side.frame, default=None)

    def closed(self, sender: int) -> bool:
        """Whether this side said that it has sent everything."""
        side = self.sides[sender]
        return side is not None and not side.reset


class Room:
    """What all conversations of a capture may keep together; ``left_out`` counts what found no room."""

    def __init__(self, messages: int = 200_000, octets: int = 128 << 20) -> None:
        self.messages = messages
        self.octets = octets
        self.left_out: Counter[str] = Counter()

    def for_message(self, span: Span, octets: int = 0) -> bool:
        """Whether one more message may be kept, with ``octets`` bytes of its own beside where it stood."""
        cost = octets + PART * (len(span.parts) + 1)
        if self.messages and cost <= self.octets:
            self.messages -= 1
            self.octets -= cost
            return True
        self.left_out["messages"] += 1
        return False

    def for_bytes(self, count: int) -> bool:
        """Whether ``count`` more bytes may be kept."""
        if count <= self.octets:
            self.octets -= count
            return True
        self.left_out["bytes"] += count
        return False

    def give_back(self, count: int) -> None:
        """``count`` bytes that were kept are not kept any more."""
        self.octets += count


class Faults:
    """The faults of one conversation, at most `MAX_FAULTS`."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, kind: str, sender: int, offset: int, frame: int, detail: str = "", **numbers: int) -> None:
        """One more."""
        if len(self._found) < MAX_FAULTS:
            self._found.append(Fault(kind, sender, offset, frame, numbers, detail))

    def all(self) -> tuple[Fault, ...]:
        """Them all, in the order of their places in the streams."""
        return tuple(sorted(self._found, key=lambda fault: (fault.sender, fault.offset)))


class Reader(Protocol):
    """Reads one conversation. ``faults`` are those met so far."""

    faults: Faults

    @property
    def turns(self) -> Sequence[Any]:
        """Of plain bytes: who said what before the other answered, known in the end."""
        ...

    def put(self, sender: int, part: Piece | Gap) -> None:
        """What is next in the stream of ``sender``."""
        ...

    def finish(self, ends: Ends) -> Any:
        """The capture has ended: the facts."""
        ...
