"""What the cache keeps of an answer, and under which key."""

from attrs import frozen

from netlab.calc.header import HEADER_LENGTH, STEPS, Header

#: Where the high byte of the flags stands in a packet, and the bit S in that byte.
_FLAGS_AT = 6
_STEPS_BIT = STEPS >> 8


def key_of(frame: bytes) -> bytes:
    """The key of a request: S as one byte, then the body (protocols.md §1 Proxy rules).

    Bytes and nothing decoded: two requests are one to the cache only when a server could not tell them apart, and a
    pickle never shares an entry with JSON.
    """
    return (b"S" if frame[_FLAGS_AT] & _STEPS_BIT else b"-") + frame[HEADER_LENGTH:]


@frozen
class Entry:
    """A stored answer, of which there are many: what its packet says is read from there each time.

    ``packet`` is the whole response as the upstream sent it, time stamp included, and is sent again unchanged.
    ``stored_at`` is the moment it was stored, in seconds of this process's monotonic clock; `None` when another
    process, or an earlier run, stored it.
    """

    packet: bytes
    stored_at: float | None = None

    @classmethod
    def of(cls, packet: bytes, stored_at: float | None) -> "Entry":
        """The entry for a response."""
        return cls(packet, stored_at)

    @property
    def timestamp(self) -> int:
        """When the answer was made, in unix seconds, as its header says."""
        return Header.decode(self.packet).timestamp

    @property
    def max_age(self) -> int:
        """For how many seconds its server lets it be kept."""
        return Header.decode(self.packet).max_age
