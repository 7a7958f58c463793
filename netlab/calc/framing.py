"""Cutting a byte stream into packets, whatever way TCP cut it (protocols.md §1)."""

from struct import Struct

from netlab.calc.errors import FramingError, LengthTooShort, ReservedBitsSet
from netlab.calc.header import HEADER_LENGTH, RESERVED

#: Total length and flags, the two fields that decide whether the stream can be trusted, at offset 4.
_LENGTH_AND_FLAGS = Struct("!HH")
_DECIDED = 8

#: The lowest of the reserved bits, in the byte at offset 6.
_RESERVED_BIT = 0x20


class FrameReader:
    """Bytes in, frames out. A frame is one whole packet as it came, header and body, 12 to 65,535 bytes.

    ``fault`` is `None` until a header comes that cannot be trusted; from then on it holds the reason, and what
    follows is dropped, because no later packet boundary can be known. At most one unfinished packet is kept.
    """

    __slots__ = ("_needed", "_partial", "fault")

    def __init__(self) -> None:
        self.fault: FramingError | None = None
        self._partial = bytearray()
        self._needed = _DECIDED

    @property
    def begun(self) -> int:
        """How many bytes of an unfinished packet are here."""
        return len(self._partial)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived and give every frame it completed, in order; then look at ``fault``."""
        if self.fault is not None:
            return []
        if self._partial:
            self._partial += data
            if len(self._partial) < self._needed:
                return []
            data = bytes(self._partial)
            self._partial.clear()
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes]:
        frames: list[bytes] = []
        start, end = 0, len(data)
        needed = _DECIDED
        while end - start >= _DECIDED:
            length, flags = _LENGTH_AND_FLAGS.unpack_from(data, start + 4)
            if length < HEADER_LENGTH or flags & RESERVED:
                self.fault = _distrust(length, flags)
                return frames
            if start + length > end:
                needed = length
                break
            frames.append(data[start : start + length])
            start += length
        self._needed = needed
        if start < end:
            self._partial += data[start:]
        return frames


def is_whole(data: bytes) -> bool:
    """Whether ``data`` is exactly one packet whose header can be trusted."""
    length = len(data)
    return length >= HEADER_LENGTH and length == data[4] << 8 | data[5] and data[6] < _RESERVED_BIT


def _distrust(length: int, flags: int) -> FramingError:
    if length < HEADER_LENGTH:
        return LengthTooShort(f"a total length of {length} bytes is less than the header's own {HEADER_LENGTH}")
    return ReservedBitsSet(f"the reserved bits of a header are set (flags {flags:#06x})")
