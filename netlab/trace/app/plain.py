"""Bytes of no protocol that is known: who sent how much before the other answered."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from attrs import frozen

from netlab.trace.app.application import Ends, Faults, Room
from netlab.trace.app.recording import Recording
from netlab.trace.app.span import Span, SpanBuilder
from netlab.trace.app.uppercase import may_be_uppercase, read_uppercase
from netlab.trace.streams import Gap, Piece


@frozen
class Turn:
    """Everything that one side sent before the other sent something; ``sha256`` is of what was captured."""

    span: Span
    sha256: str


@frozen
class BytesTalk:
    """All turns of a conversation, in the order of the file."""

    turns: tuple[Turn, ...]


class PlainReader:
    """Reads any conversation; one of an uppercase server is recognised in the end."""

    def __init__(self, client: int, room: Room) -> None:
        self.faults = Faults()
        #: Known in the end.
        self.turns: Sequence[Turn] = ()
        self._room = room
        self._recordings = Recording(0, room), Recording(1, room)
        #: The client's, then the server's.
        self._ordered = self._recordings[client], self._recordings[1 - client]
        self._recording = True
        self._offsets = [0, 0]
        self._turns: list[Turn] = []
        self._speaker: int | None = None
        self._span = SpanBuilder(0, 0)
        self._hash = sha256()

    def put(self, sender: int, part: Piece | Gap) -> None:
        """What is next in the stream of ``sender``."""
        if self._recording:
            self._record(sender, part)
        if sender != self._speaker:
            self._end_turn()
            self._speaker = sender
            self._span, self._hash = SpanBuilder(sender, self._offsets[sender]), sha256()
        if isinstance(part, Gap):
            self.faults.add("gap", sender, part.offset, 0, length=part.length)
            self._span.miss(part.length)
            self._offsets[sender] += part.length
        else:
            self._span.add(part.frame, part.time, len(part.data))
            self._hash.update(part.data)
            self._offsets[sender] += len(part.data)

    def _record(self, sender: int, part: Piece | Gap) -> None:
        """Keep it for who may find the uppercase server in it, as long as there may be one."""
        self._recordings[sender].put(part)
        self._recording = may_be_uppercase(self._ordered[0].data, self._ordered[1].data)
        if not self._recording:
            for one in self._recordings:
                one.stop()

    def finish(self, ends: Ends) -> Any:
        """A `BytesTalk`, or an `UpperTalk`."""
        self._end_turn()
        self.turns = tuple(self._turns)
        upper = read_uppercase(*self._ordered, ends) if self._recording else None
        return upper or BytesTalk(self.turns)

    def _end_turn(self) -> None:
        span = self._span.built()
        if self._speaker is not None and self._room.for_message(span):
            self._turns.append(Turn(span, self._hash.hexdigest()))
        self._speaker = None
