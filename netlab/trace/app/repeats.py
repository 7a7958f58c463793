"""Which pieces of a request an answer repeats: how long each was, and how often it stands there.

What a server received at a time is not on the wire. It is found by trying: a piece ends where a packet of the request
ended, or where the server's buffer did, or else anywhere. The trying is bounded, so that no answer made for it takes
long.
"""

from collections.abc import Iterator

#: What a server receives at a time, at most.
MAX_RECEIVED = 1024
#: How often the server of variant V3 repeats (protocols.md §2).
USUAL_FACTOR = 1000
#: Pieces that are tried, and bytes that are compared, in one conversation.
MAX_TRIED = 20_000
MAX_COMPARED = 32 << 20

#: request from and to, answer from and to, factor, whether the answer is whole
Part = tuple[int, int, int, int, int, bool]


class Repeats:
    """Explains ``answered`` as pieces of ``request``, each many times over; packets of it ended at ``ends``."""

    def __init__(self, request: bytes, answered: bytes, ends: list[int]) -> None:
        self._request = request
        self._answered = answered
        self._ends = ends
        self._tried = 0
        self._compared = 0

    def explained(self) -> list[Part]:
        """The pieces, in order; empty if the answer is something else."""
        seen: set[int] = set()
        for factor in self._factors():
            if factor > 1 and factor not in seen:
                seen.add(factor)
                parts = self._with(factor)
                if parts:
                    return parts
        return []

    def _factors(self) -> Iterator[int]:
        """How often pieces may be repeated, the likeliest first."""
        request, answered = self._request, self._answered
        if request and len(answered) % len(request) == 0:
            yield len(answered) // len(request)
        yield USUAL_FACTOR
        for size in self._sizes(0):
            piece = request[:size]
            if answered.startswith(piece + piece):
                yield self._count(piece)
            if self._spent(0):
                return

    def _with(self, factor: int) -> list[Part]:
        parts: list[Part] = []
        read = place = 0
        while place < len(self._answered):
            size = self._piece(read, place, factor)
            if not size:
                return []
            stop = min(place + size * factor, len(self._answered))
            parts.append((read, read + size, place, stop, factor, stop == place + size * factor))
            read, place = read + size, stop
        if len(parts) == 1 and not parts[0][5]:
            # Cut short: all that is known is how often it stands there.
            times = len(self._answered) // parts[0][1]
            return [(*parts[0][:4], times, False)] if times > 1 else []
        return parts

    def _piece(self, read: int, place: int, factor: int) -> int:
        """How long the piece is that begins at ``read`` and is answered from ``place`` on, 0 if there is none."""
        request, answered = self._request, self._answered
        for size in self._sizes(read):
            left = min(size * factor, len(answered) - place)
            if self._spent(0):
                return 0
            piece = request[read : read + size]
            if not answered.startswith((piece + piece)[:left], place) or self._spent(left):
                continue
            if answered.startswith((piece * -(-left // size))[:left], place):
                return size
        return 0

    def _sizes(self, read: int) -> Iterator[int]:
        """How long a piece that begins at ``read`` may be, the likeliest first."""
        most = min(MAX_RECEIVED, len(self._request) - read)
        yield from (end - read for end in self._ends if 0 < end - read <= most)
        yield from range(most, 0, -1)

    def _count(self, piece: bytes) -> int:
        """How often ``piece`` stands at the beginning of the answer."""
        count, size = 0, len(piece)
        while self._answered.startswith(piece, count * size) and not self._spent(size):
            count += 1
        return count

    def _spent(self, compared: int) -> bool:
        """Whether it has been tried long enough."""
        self._tried += 1
        self._compared += compared
        return self._tried > MAX_TRIED or self._compared > MAX_COMPARED
