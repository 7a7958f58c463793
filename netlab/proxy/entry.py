"""What the cache keeps of an answer, and under which key."""

from struct import Struct

from attrs import field, frozen

from netlab.calc.calculator import Reply
from netlab.calc.header import HEADER_LENGTH, LAYOUT, STATUS, STEPS

#: Where the high byte of the flags stands in a packet, and the bit S in that byte.
_FLAGS_AT = 6
_STEPS_BIT = STEPS >> 8

_timestamp = Struct("!L").unpack_from


def key_of(frame: bytes) -> bytes:
    """The key of a request: S as one byte, then the body (protocols.md §1 Proxy rules).

    Bytes and nothing decoded: two requests are one to the cache only when a server could not tell them apart, and a
    pickle never shares an entry with JSON.
    """
    return (b"S" if frame[_FLAGS_AT] & _STEPS_BIT else b"-") + frame[HEADER_LENGTH:]


#: One object for each max-age and status that occurs, u16 both, however many answers have them.
_shared: dict[int, int] = {}


@frozen(weakref_slot=False)
class Entry(Reply):
    """A stored answer, of which there are many: the reply that is sent, and what decides whether it may be.

    ``tail`` is the whole response as the upstream sent it, time stamp included, and is sent again unchanged.
    ``stored_at`` is the moment it was stored, in seconds of this process's monotonic clock; `None` when another
    process, or an earlier run, stored it. ``max_age`` is for how many seconds its server lets it be kept.
    ``key`` is what the memory holds it under, the same object; empty while it holds it not.
    """

    stored_at: float | None = None
    max_age: int = 0
    key: bytes = field(default=b"", eq=False, repr=False)

    @classmethod
    def of(cls, packet: bytes, stored_at: float | None) -> "Entry":
        """The entry for a response, or for no more of it than its header."""
        _, _, flags, max_age = LAYOUT.unpack_from(packet)
        status = flags & STATUS
        status, max_age = _shared.setdefault(status, status), _shared.setdefault(max_age, max_age)
        return cls(packet, status, stamped=True, stored_at=stored_at, max_age=max_age)

    @property
    def packet(self) -> bytes:
        """The whole response."""
        return self.tail

    @property
    def timestamp(self) -> int:
        """When the answer was made, in unix seconds, as its header says."""
        timestamp: int = _timestamp(self.tail)[0]
        return timestamp
