"""The form in which an entry is kept outside of this process: bytes that prove what they are when they are read back.

Another program may have written, cut or mixed up what a store gives back, so nothing of it is believed: not the key
that it was filed under, not one length. What is not exactly right is nothing.
"""

import math
from hashlib import sha256
from struct import Struct
from zlib import crc32

from netlab.calc.header import HEADER_LENGTH, LAYOUT, MAX_BODY, MAX_PACKET, REQUEST, RESERVED
from netlab.proxy.entry import Entry

#: What it is, and the version of its layout.
MAGIC = b"nlE\x01"

#: After the magic: who stored it (`RUN_LENGTH` bytes), when by that process's monotonic clock (NaN: not known), the
#: length of the key, the length of the packet. The key and the packet follow, and a CRC-32 of all of it.
_LAYOUT = Struct("!4s8sdLL")
_CHECKSUM = Struct("!L")

#: How many bytes name a run of a proxy: chance, drawn anew each time it starts.
RUN_LENGTH = 8

#: How many bytes stand for a key: its SHA-256.
DIGEST_LENGTH = 32

#: The longest key: S and a body.
MAX_KEY = 1 + MAX_BODY

#: The longest form that an entry can have.
MAX_PACKED = _LAYOUT.size + MAX_KEY + MAX_PACKET + _CHECKSUM.size


def digest_of(key: bytes) -> bytes:
    """The `DIGEST_LENGTH` bytes that an entry is filed under: keys can be 64 kB long."""
    return sha256(key).digest()


def digests_from(name: str) -> tuple[bytes, bytes]:
    """The first and the last digest whose hexadecimal form begins with ``name``; none lies between if none can."""
    if len(name) > 2 * DIGEST_LENGTH or not set(name) <= set("0123456789abcdef"):
        return b"\1", b""
    first, last = (bytes.fromhex(name.ljust(2 * DIGEST_LENGTH, digit)) for digit in "0f")
    return first, last


def pack(key: bytes, entry: Entry, run: bytes) -> bytes:
    """The bytes to keep for ``key``; ``run`` names this run of the proxy, whose monotonic clock the entry goes by."""
    stored_at = math.nan if entry.stored_at is None else entry.stored_at
    content = _LAYOUT.pack(MAGIC, run, stored_at, len(key), len(entry.packet)) + key + entry.packet
    return content + _CHECKSUM.pack(crc32(content))


def unpack(data: object, run: bytes) -> tuple[bytes, Entry] | None:
    """The key and the entry that ``data`` holds, `None` if it is not exactly what `pack` makes.

    ``stored_at`` is `None` unless this very run stored it: another's monotonic clock means nothing here.
    """
    if not isinstance(data, bytes) or not _LAYOUT.size + _CHECKSUM.size <= len(data) <= MAX_PACKED:
        return None
    magic, stored_by, stored_at, key_length, packet_length = _LAYOUT.unpack_from(data)
    end = len(data) - _CHECKSUM.size
    if magic != MAGIC or key_length > MAX_KEY or _LAYOUT.size + key_length + packet_length != end:
        return None
    if _CHECKSUM.unpack_from(data, end)[0] != crc32(memoryview(data)[:end]):
        return None
    middle = _LAYOUT.size + key_length
    packet = data[middle:end]
    if not _is_answer(packet):
        return None
    known = stored_by == run and math.isfinite(stored_at)
    return data[_LAYOUT.size : middle], Entry.of(packet, stored_at if known else None)


def _is_answer(packet: bytes) -> bool:
    """Whether ``packet`` is one whole response by its own header."""
    if len(packet) < HEADER_LENGTH:
        return False
    _, length, flags, _ = LAYOUT.unpack_from(packet)
    return bool(length == len(packet) and not flags & (RESERVED | REQUEST))
