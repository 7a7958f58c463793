"""The watchdog's messages (protocols.md §4): numbers of four bytes or short texts, and the silence after the last."""

from heapq import merge

from attrs import frozen

from netlab.trace.app.application import Close, Ends, Faults, Room
from netlab.trace.app.span import Span, SpanBuilder
from netlab.trace.app.tape import Tape
from netlab.trace.app.watchdog_head import RESET, SIZE, START
from netlab.trace.streams import Gap, Piece

_KINDS = {START: "start", RESET: "reset"}
#: Of a text, so much is kept; those of the labs have 3 and 8 bytes.
MAX_TEXT = 256


@frozen
class WatchdogMessage:
    """One sign of life.

    ``kind`` is ``start``, ``reset``, ``unknown`` (another number), ``text``, or ``rest`` (fewer bytes than a number
    has). ``value`` is the number, `None` for the last two; ``text`` is what a text says, `None` for numbers. ``since``
    is the time since the message before, in ns, `None` for the first.
    """

    span: Span
    kind: str
    value: int | None
    text: str | None
    since: int | None


#: where, and what
_Said = tuple[Span, bytes]


@frozen
class WatchdogTalk:
    """All messages of a conversation, in order; ``longest`` is the longest time between two, in ns.

    ``closed`` is the first FIN or RST, and ``silence`` the time from the last message to it, in ns.
    """

    messages: tuple[WatchdogMessage, ...]
    longest: int | None
    closed: Close | None
    silence: int | None


class WatchdogReader:
    """Reads a conversation whose ``client`` (0 or 1) is the one that is watched; ``texts`` if it sends no numbers."""

    def __init__(self, client: int, room: Room, texts: bool) -> None:
        self.faults = Faults()
        self.turns = ()
        self._room = room
        self._texts = texts
        self._client = client
        self._tapes = Tape(0), Tape(1)
        self._messages: tuple[list[_Said], list[_Said]] = [], []

    def put(self, sender: int, part: Piece | Gap) -> None:
        """What is next in the stream of ``sender``."""
        tape = self._tapes[sender]
        tape.put(part)
        if tape.hole:
            self.faults.add("gap", sender, tape.offset + len(tape.ready), 0, length=tape.hole)
            self._message(tape, len(tape.ready))
            tape.abandon()
        # Texts have no length: what one packet brought is one message.
        texts = self._texts or sender != self._client
        size = len(tape.ready) if texts else SIZE
        while tape.ready:
            # After a gap the numbers go on where one begins.
            wanted = size if texts else SIZE - tape.offset % SIZE
            if len(tape.ready) < wanted:
                return
            self._message(tape, wanted)

    def finish(self, ends: Ends) -> WatchdogTalk:
        """The messages; nothing more will come."""
        for tape in self._tapes:
            self._message(tape, len(tape.ready))
        found: list[WatchdogMessage] = []
        before: int | None = None
        for span, data in merge(*self._messages, key=lambda said: said[0].last):
            found.append(self._read(span, data, None if before is None else span.ended - before))
            before = span.ended
        longest = max((one.since for one in found if one.since is not None), default=None)
        closed = ends.first
        silence = closed.time - before if closed is not None and before is not None else None
        return WatchdogTalk(tuple(found), longest, closed, silence)

    def _message(self, tape: Tape, length: int) -> None:
        if not length:
            return
        builder: SpanBuilder = tape.span()
        data = tape.take(length, builder)
        span = builder.built()
        if self._room.for_message(span):
            self._messages[tape.sender].append((span, data[:MAX_TEXT]))

    def _read(self, span: Span, data: bytes, since: int | None) -> WatchdogMessage:
        if self._texts or span.sender != self._client:
            return WatchdogMessage(span, "text", None, data.decode("utf-8", "replace"), since)
        if span.length != SIZE:
            return WatchdogMessage(span, "rest", None, None, since)
        value = int.from_bytes(data, "little")
        return WatchdogMessage(span, _KINDS.get(value, "unknown"), value, None, since)
