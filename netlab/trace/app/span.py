"""Where in a stream something stood, and which packets brought it."""

from typing import NamedTuple

from attrs import frozen

#: Parts of one span that are listed; of more, only their number is kept.
MAX_PARTS = 1024


class Part(NamedTuple):
    """``length`` bytes of something, in packet ``frame``, captured at ``time`` (ns since 1970)."""

    frame: int
    time: int
    length: int


@frozen
class Span:
    """A stretch of one direction of a conversation.

    ``sender`` is 0 or 1, an index into the conversation's endpoints; ``offset`` counts from the first byte of the
    stream that is known, ``length`` counts bytes, of which ``missing`` are not in the capture. ``parts`` are in the
    order of the stream, at most `MAX_PARTS` of the ``packets`` that brought it. ``first`` and ``last`` are the lowest
    and the highest frame, ``began`` and ``ended`` the earliest and the latest time; all are 0 if every byte is missing.
    """

    sender: int
    offset: int
    length: int
    missing: int
    parts: tuple[Part, ...]
    packets: int
    first: int
    last: int
    began: int
    ended: int

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.offset + self.length


class SpanBuilder:
    """A span that grows; `add` and `miss` in the order of the stream."""

    __slots__ = (
        "_began",
        "_ended",
        "_first",
        "_last",
        "_missing",
        "_offset",
        "_packets",
        "_parts",
        "_sender",
        "length",
    )

    def __init__(self, sender: int, offset: int) -> None:
        self._sender = sender
        self._offset = offset
        #: Bytes so far.
        self.length = 0
        self._missing = 0
        self._parts: list[Part] = []
        self._packets = 0
        self._first = self._last = self._began = self._ended = 0

    @property
    def last(self) -> int:
        """The highest frame so far."""
        return self._last

    def add(self, frame: int, time: int, length: int) -> None:
        """The next ``length`` bytes came in ``frame``."""
        self.length += length
        parts = self._parts
        if parts and parts[-1].frame == frame:
            parts[-1] = Part(frame, time, parts[-1].length + length)
            return
        if not self._packets:
            self._first = self._last = frame
            self._began = self._ended = time
        self._packets += 1
        if frame > self._last:
            self._last = frame
        elif frame < self._first:
            self._first = frame
        if time > self._ended:
            self._ended = time
        elif time < self._began:
            self._began = time
        if len(parts) < MAX_PARTS:
            parts.append(Part(frame, time, length))

    def miss(self, length: int) -> None:
        """The next ``length`` bytes are not in the capture."""
        self.length += length
        self._missing += length

    def built(self) -> Span:
        """The span so far."""
        return Span(
            self._sender,
            self._offset,
            self.length,
            self._missing,
            tuple(self._parts),
            self._packets,
            self._first,
            self._last,
            self._began,
            self._ended,
        )
