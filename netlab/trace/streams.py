"""The bytes of TCP conversations as the programs read them: in order, each once, with a word for what is missing.

Segments may come late, twice, and overlapping; the bytes that were here first stay. What is held back for a missing
piece is bounded: beyond that, and once the receiver has acknowledged the piece, it counts as a gap of the capture.
"""

from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

from attrs import frozen

from netlab.trace.facts import Segment
from netlab.trace.tcp import ACK, RST, SYN

#: Bytes and pieces that one direction may hold back.
MAX_HELD = 1 << 20
MAX_PIECES = 1024
#: Bytes that all directions together may hold back.
MAX_HELD_TOGETHER = 64 << 20


class Piece(NamedTuple):
    """Bytes that are next in a stream. ``offset`` counts from the first byte of the stream that is known, from 0.

    There is one for nearly each packet with data: a tuple is made in a third of the time.

    ``frame`` and ``time`` are the packet's that brought them, ``at`` the relative sequence number of the first.
    """

    offset: int
    data: bytes
    frame: int
    time: int
    at: int


@frozen
class Gap:
    """``length`` bytes that were sent, and are not in the capture."""

    offset: int
    length: int
    at: int


_ENDS = SYN | RST

#: start, a number that keeps the order of arrival, data, frame, time
_Held = tuple[int, int, bytes, int, int]


class Stream:
    """One direction of a conversation. Numbers are relative sequence numbers, without a limit of 32 bits inside."""

    __slots__ = ("_arrivals", "_held", "_next", "_start", "held")

    def __init__(self) -> None:
        self._start: int | None = None
        self._next = 0
        self._held: list[_Held] = []
        self._arrivals = 0
        #: How many bytes are held back.
        self.held = 0

    def begin(self, number: int) -> None:
        """The first byte will be ``number``, if nothing is known yet: a SYN says so."""
        if self._start is None:
            self._start = self._next = number

    def add(self, number: int, data: bytes, frame: int, time: int) -> list[Piece | Gap]:
        """``data`` came, its first byte ``number``; what can be read now."""
        if self._start is None:
            self.begin(number)
        start = self._next + ((number - self._next + 0x80000000 & 0xFFFFFFFF) - 0x80000000)
        if start > self._next:
            insort(self._held, (start, self._arrivals, data, frame, time))
            self._arrivals += 1
            self.held += len(data)
            found: list[Piece | Gap] = []
            while self.held > MAX_HELD or len(self._held) > MAX_PIECES:
                found += self.give_up()
            return found
        found = self._read(start, data, frame, time)
        return found + self._release() if found and self._held else found

    def expects(self, number: int) -> bool:
        """Whether the byte ``number`` is next, and nothing is held back: then `next_piece` does what `add` does."""
        return not self._held and self._start is not None and not number - self._next & 0xFFFFFFFF

    def next_piece(self, data: bytes, frame: int, time: int) -> Piece:
        """``data`` came, and is next."""
        at = self._next
        self._next = at + len(data)
        return Piece(at - (self._start or 0), data, frame, time, at & 0xFFFFFFFF)

    def acknowledged(self, number: int) -> list[Piece | Gap]:
        """The receiver has everything before ``number``: what is missing before held bytes will not come any more."""
        found: list[Piece | Gap] = []
        while self._held and 0 <= (number - self._held[0][0] & 0xFFFFFFFF) < 0x80000000:
            found += self.give_up()
        return found

    def give_up(self) -> list[Piece | Gap]:
        """Stop waiting for the first missing piece."""
        if not self._held:
            return []
        start = self._held[0][0]
        gap = Gap(self._next - (self._start or 0), start - self._next, self._next & 0xFFFFFFFF)
        self._next = start
        return [gap, *self._release()]

    def _read(self, start: int, data: bytes, frame: int, time: int) -> list[Piece | Gap]:
        fresh = data[self._next - start :]
        if not fresh:
            return []
        piece = Piece(self._next - (self._start or 0), fresh, frame, time, self._next & 0xFFFFFFFF)
        self._next += len(fresh)
        return [piece]

    def _release(self) -> list[Piece | Gap]:
        """What was held back and is next now."""
        found: list[Piece | Gap] = []
        count = 0
        for start, _arrival, data, frame, time in self._held:
            if start > self._next:
                break
            found += self._read(start, data, frame, time)
            self.held -= len(data)
            count += 1
        del self._held[:count]
        return found


class Streams:
    """All streams of a capture: segments in, in the order of the file, what can be read of their streams out."""

    def __init__(self) -> None:
        #: By the conversation's number, twice, plus the sender: one number is looked up faster than a pair.
        self._streams: dict[int, Stream] = {}
        self._held = 0

    def segment(self, frame: int, time: int, one: Segment) -> Sequence[tuple[int, Piece | Gap]]:
        """What a segment lets be read, each with the side that sent it, 0 or 1 (`Segment.sender`)."""
        found: Sequence[tuple[int, Piece | Gap]] = ()
        key = 2 * one.conversation + one.sender
        bits = one.bits
        if bits & ACK:
            other = self._streams.get(key ^ 1)
            if other is not None and other.held:
                self._held -= other.held
                found = [(1 - one.sender, part) for part in other.acknowledged(one.acknowledgment)]
                self._held += other.held
        if not one.length and not bits & SYN:
            return found
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream()
        number = one.sequence
        payload = one.payload
        if not found and not bits & _ENDS and stream.expects(number):
            # Nearly all are like that.
            return ((one.sender, stream.next_piece(payload, frame, time)),) if payload else ()
        if bits & SYN:
            number += 1
            stream.begin(number)
        if payload and not bits & RST:
            added = self._added(stream, number, payload, frame, time)
            found = [*found, *((one.sender, part) for part in added)]
        return found

    def _added(self, stream: Stream, number: int, data: bytes, frame: int, time: int) -> list[Piece | Gap]:
        self._held -= stream.held
        found = stream.add(number, data, frame, time)
        self._held += stream.held
        while self._held > MAX_HELD_TOGETHER and stream.held:
            before = stream.held
            found += stream.give_up()
            self._held += stream.held - before
        return found

    def finish(self, conversation: int) -> list[tuple[int, Piece | Gap]]:
        """The capture, or the conversation, has ended: what was held back, with the gaps before it."""
        found: list[tuple[int, Piece | Gap]] = []
        for sender in (0, 1):
            stream = self._streams.pop(2 * conversation + sender, None)
            if stream is None:
                continue
            self._held -= stream.held
            while stream.held:
                found += [(sender, part) for part in stream.give_up()]
        return found
