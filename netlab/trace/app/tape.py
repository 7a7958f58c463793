"""One direction of a stream as a reader of messages wants it: bytes that wait to be read, and who brought them."""

from collections import deque

from netlab.trace.app.span import SpanBuilder
from netlab.trace.streams import Gap, Piece

#: What is kept about a packet takes about as many bytes.
PACKET = 100


class Tape:
    """Bytes in order, up to the first gap; what comes after the gap waits until it is stepped over.

    ``ready`` are the bytes that can be read, ``hole`` is the length of the gap that follows them at once, 0 if none is
    known, ``offset`` is the place of the first ready byte in the stream.
    """

    __slots__ = ("_after", "_behind", "_marks", "hole", "offset", "ready", "sender")

    def __init__(self, sender: int) -> None:
        self.sender = sender
        self.ready = bytearray()
        self.offset = 0
        self.hole = 0
        #: Where the bytes of a packet end, the packet (0 for a stretch that was missing), and its time.
        self._marks: deque[tuple[int, int, int]] = deque()
        self._after: deque[Piece | Gap] = deque()
        self._behind = 0

    @property
    def waiting(self) -> int:
        """About how many bytes of memory this takes, with what waits after a gap."""
        return len(self.ready) + self._behind + PACKET * (len(self._marks) + len(self._after))

    @property
    def frame(self) -> int:
        """The packet that brought the first ready byte, 0 if there is none."""
        return self._marks[0][1] if self._marks else 0

    def put(self, part: Piece | Gap) -> None:
        """What comes next in the stream."""
        if self.hole:
            self._after.append(part)
            self._behind += len(part.data) if isinstance(part, Piece) else 0
        elif isinstance(part, Gap):
            self.hole = part.length
        else:
            self.ready += part.data
            self._marks.append((self.offset + len(self.ready), part.frame, part.time))

    def take(self, count: int, into: SpanBuilder) -> bytes:
        """Read ``count`` ready bytes, all of them if there are fewer."""
        data = bytes(self.ready[:count])
        del self.ready[:count]
        start, stop = self.offset, self.offset + len(data)
        self.offset = stop
        marks = self._marks
        while start < stop:
            end, frame, time = marks[0]
            reached = min(end, stop)
            if frame:
                into.add(frame, time, reached - start)
            else:
                into.miss(reached - start)
            start = reached
            if reached == end:
                marks.popleft()
        return data

    def step_over(self, count: int, into: SpanBuilder) -> int:
        """Once everything ready was read: go past the first ``count`` bytes of the gap; how many there were."""
        length = min(count, self.hole)
        into.miss(length)
        self.offset += length
        self.hole -= length
        self._refill()
        return length

    def fill(self, count: int) -> None:
        """Make zeros of the first ``count`` bytes of the gap, ready after what is ready now."""
        length = min(count, self.hole)
        self.ready += bytes(length)
        self._marks.append((self.offset + len(self.ready), 0, 0))
        self.hole -= length
        self._refill()

    def abandon(self) -> tuple[int, list[Piece | Gap]]:
        """Drop what is ready, and the gap; how many bytes were ready, and what had waited behind the gap."""
        dropped = len(self.ready)
        later = list(self._after)
        self.offset += dropped + self.hole
        self.hole = 0
        self.ready.clear()
        self._marks.clear()
        self._after.clear()
        self._behind = 0
        return dropped, later

    def _refill(self) -> None:
        while self._after and not self.hole:
            part = self._after.popleft()
            self._behind -= len(part.data) if isinstance(part, Piece) else 0
            self.put(part)

    def span(self) -> SpanBuilder:
        """A span that begins at the first ready byte."""
        return SpanBuilder(self.sender, self.offset)
