"""Byte ranges: which parts of a representation a client asks for (RFC 9110 §14)."""

from itertools import pairwise
from typing import NamedTuple

from werkzeug.http import parse_range_header

#: More parts than this are no reader's need: the whole is sent, which RFC 9110 §14.2 allows.
_MAX_PARTS = 16


class Slice(NamedTuple):
    """Bytes ``start`` to before ``stop`` of a file."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.stop - self.start


class Unsatisfiable(Exception):
    """No range that is asked for has a byte in the representation: status 416."""


def slices_of(value: bytes, size: int) -> list[Slice]:
    """The parts of a representation of ``size`` bytes that the Range field ``value`` asks for, in its order.

    Empty if the field is to be ignored: it is malformed, of another unit, or asks for parts that overlap, come out of
    order, are very many, or are together no less than the whole (a client that wants those can read the whole).

    :raises Unsatisfiable: it asks for nothing that is there.
    """
    asked = parse_range_header(value.decode("latin-1"))
    if asked is None or asked.units != "bytes" or len(asked.ranges) > _MAX_PARTS or size == 0:
        if asked is not None and asked.units == "bytes" and size == 0 and asked.ranges[0][0] >= 0:
            raise Unsatisfiable
        return []
    slices = [_slice(start, stop, size) for start, stop in asked.ranges]
    slices = [part for part in slices if part.size > 0]
    if not slices:
        raise Unsatisfiable
    ordered = all(before.stop <= after.start for before, after in pairwise(slices))
    if not ordered or (len(slices) > 1 and sum(part.size for part in slices) >= size):
        return []
    return slices


def _slice(start: int, stop: int | None, size: int) -> Slice:
    """One range within the representation; empty if nothing of it is."""
    if start < 0:
        return Slice(max(0, size + start), size)
    return Slice(start, size if stop is None else min(stop, size))


def content_range(part: Slice, size: int) -> str:
    """The value of Content-Range for a part."""
    return f"bytes {part.start}-{part.stop - 1}/{size}"
