"""Fragments of IP datagrams joined again (RFC 791 §3.2, RFC 8200 §4.5), within bounds.

Fragments may come in any order and more than once. Where two overlap, the one that begins first has
the say. What is never completed is forgotten once newer datagrams
need its room, or when it has waited for 60 seconds of the capture's time.
"""

from collections import OrderedDict

from attrs import frozen

#: Datagrams that may be incomplete at a time.
MAX_DATAGRAMS = 1024
#: Bytes that may be held for them together.
MAX_HELD = 8 << 20
#: Fragments of one datagram; 8-byte fragments of a 64-KiB datagram would be 8,192.
MAX_FRAGMENTS = 1024
MAX_DATAGRAM = 65_535
#: Nanoseconds.
PATIENCE = 60_000_000_000

#: Source, destination, protocol (for IPv4), identification.
Key = tuple[str, str, int, int]


@frozen
class Datagram:
    """A datagram that its last missing fragment has just completed: its payload, and the frames that brought it."""

    payload: bytes
    frames: tuple[int, ...]


class _Parts:
    """What is here of one datagram."""

    __slots__ = ("began", "frames", "held", "pieces", "total")

    def __init__(self, began: int) -> None:
        self.began = began
        self.pieces: list[tuple[int, bytes]] = []
        self.frames: list[int] = []
        self.total: int | None = None
        self.held = 0

    def joined(self) -> bytes | None:
        """The payload if no byte is missing."""
        if self.total is None or self.held < self.total:
            return None
        joined = bytearray()
        for start, piece in sorted(self.pieces, key=lambda item: item[0]):
            if start > len(joined):
                return None
            joined += piece[len(joined) - start :]
        return bytes(joined[: self.total]) if len(joined) >= self.total else None


class Fragments:
    """Fragments in, datagrams out."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Key, _Parts] = OrderedDict()
        self._held = 0

    def add(self, key: Key, start: int, more: bool, data: bytes, frame: int, now: int) -> Datagram | None:
        """A fragment: ``data`` at ``start`` of its datagram, in frame ``frame``, at ``now`` in nanoseconds."""
        self._forget_old(now)
        parts = self._waiting.get(key)
        if parts is None:
            parts = self._waiting[key] = _Parts(now)
        if not self._fits(parts, start, len(data)):
            self._forget(key)
            return None
        parts.pieces.append((start, data))
        parts.frames.append(frame)
        parts.held += len(data)
        self._held += len(data)
        if not more:
            parts.total = start + len(data)
        payload = parts.joined()
        if payload is None:
            self._make_room()
            return None
        self._forget(key)
        return Datagram(payload, tuple(parts.frames))

    def _fits(self, parts: _Parts, start: int, length: int) -> bool:
        return start + length <= MAX_DATAGRAM and len(parts.pieces) < MAX_FRAGMENTS and parts.held <= 2 * MAX_DATAGRAM

    def _make_room(self) -> None:
        while len(self._waiting) > MAX_DATAGRAMS or self._held > MAX_HELD:
            self._forget(next(iter(self._waiting)))

    def _forget_old(self, now: int) -> None:
        while self._waiting:
            key, parts = next(iter(self._waiting.items()))
            if now - parts.began <= PATIENCE:
                return
            self._forget(key)

    def _forget(self, key: Key) -> None:
        self._held -= self._waiting.pop(key).held
