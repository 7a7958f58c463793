"""The 12-byte header that requests and responses share (protocols.md §1)."""

from struct import Struct

from attrs import frozen

from netlab.common.errors import LocalError

#: time stamp u32, total length u16, flags and status u16, max-age u16, two bytes of padding; big-endian.
LAYOUT = Struct("!LHHHxx")
HEADER_LENGTH = LAYOUT.size
MAX_PACKET = 0xFFFF
MAX_BODY = MAX_PACKET - HEADER_LENGTH

RESERVED = 0xE000
CACHE = 0x1000
STEPS = 0x0800
REQUEST = 0x0400
STATUS = 0x03FF

#: A max-age that never passes.
FOREVER = 0xFFFF

SUCCESS = 200
CLIENT_ERROR = 400
SERVER_ERROR = 500


@frozen
class Header:
    """One header, decoded.

    ``timestamp`` is unix seconds (u32), ``length`` counts header and body in bytes, ``max_age`` is seconds with
    `FOREVER` for no limit. ``cache``, ``steps`` and ``request`` are the bits C, S and T; ``status`` is 0 in a
    request. The reserved bits are not kept: `netlab.calc.framing` refuses them before a header is decoded.
    """

    timestamp: int
    length: int
    cache: bool
    steps: bool
    request: bool
    status: int
    max_age: int

    @classmethod
    def decode(cls, frame: bytes) -> "Header":
        """Read the header at the start of ``frame``, which holds at least 12 bytes."""
        timestamp, length, flags, max_age = LAYOUT.unpack_from(frame)
        return cls(
            timestamp,
            length,
            bool(flags & CACHE),
            bool(flags & STEPS),
            bool(flags & REQUEST),
            flags & STATUS,
            max_age,
        )


def encode_packet(
    body: bytes,
    *,
    timestamp: int,
    status: int = 0,
    cache: bool = False,
    steps: bool = False,
    request: bool = False,
    max_age: int = 0,
) -> bytes:
    """Put a header before ``body``.

    :raises LocalError: the packet would be longer than the 65,535 bytes its length field can say.
    """
    length = HEADER_LENGTH + len(body)
    if length > MAX_PACKET:
        raise LocalError(f"a packet of {length:,} bytes does not fit: the limit is {MAX_PACKET:,}")
    flags = (CACHE if cache else 0) | (STEPS if steps else 0) | (REQUEST if request else 0) | status
    return LAYOUT.pack(timestamp & 0xFFFFFFFF, length, flags, max_age) + body
