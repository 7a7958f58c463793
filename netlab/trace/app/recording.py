"""The bytes of one direction, kept with the packets that brought them, up to a limit or the first gap."""

from bisect import bisect_right

from netlab.trace.app.application import Room
from netlab.trace.app.span import Span, SpanBuilder
from netlab.trace.streams import Gap, Piece

#: The largest answer of the labs is 1,024 bytes a thousand times.
MAX_KEPT = 2 << 20
#: What is made of one piece, an answer at most, takes about as many bytes.
PIECE = 1000


class Recording:
    """Bytes from the first of the stream on; ``whole`` as long as none that came is missing."""

    def __init__(self, sender: int, room: Room) -> None:
        self.data = bytearray()
        self.whole = True
        self._sender = sender
        self._room = room
        self._ends: list[int] = []
        self._packets: list[tuple[int, int]] = []

    def put(self, part: Piece | Gap) -> None:
        """What is next in the stream."""
        data = part.data if isinstance(part, Piece) else b""
        fits = bool(data) and len(self.data) + len(data) <= MAX_KEPT
        self.whole = self.whole and fits and self._room.for_bytes(len(data) + PIECE)
        if self.whole and isinstance(part, Piece):
            self.data += part.data
            self._ends.append(len(self.data))
            self._packets.append((part.frame, part.time))

    def stop(self) -> None:
        """Nobody will ask for it: what was kept makes room for others."""
        self._room.give_back(len(self.data) + PIECE * len(self._ends))
        self.data = bytearray()
        self._ends = []
        self._packets = []
        self.whole = False

    @property
    def ends(self) -> list[int]:
        """Where the bytes of each packet end."""
        return self._ends

    def span(self, start: int, stop: int) -> Span:
        """A stretch of what was kept."""
        builder = SpanBuilder(self._sender, start)
        number = bisect_right(self._ends, start)
        while start < stop and number < len(self._ends):
            end = min(self._ends[number], stop)
            builder.add(*self._packets[number], end - start)
            start = end
            number += 1
        return builder.built()
