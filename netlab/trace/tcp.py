"""The TCP header (RFC 9293 §3.1) and its options: bytes in, numbers out."""

from collections.abc import Callable
from struct import Struct
from typing import Any

from attrs import frozen

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = 0x001, 0x002, 0x004, 0x008, 0x010, 0x020, 0x040, 0x080, 0x100
#: The flags of the header's twelve bits.
FLAG_BITS = 0xFFF
BIT_NAMES = {SYN: "SYN", FIN: "FIN", RST: "RST", PSH: "PSH", ACK: "ACK", URG: "URG", ECE: "ECE", CWR: "CWR", AE: "AE"}

#: ports, sequence, acknowledgment, offset and flags, window, checksum, urgent pointer.
HEADER = Struct("!HHIIHHHH")
HEADER_LENGTH = HEADER.size
#: The largest shift of a window scale (RFC 7323 §2.3).
MAX_SCALE = 14

_END, _NOP, _MSS, _SCALE, _SACK_PERMITTED, _SACK, _TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
_MD5, _USER_TIMEOUT, _AUTHENTICATION, _MULTIPATH, _FAST_OPEN = 19, 28, 29, 30, 34


@frozen
class Options:
    """The options of one segment; `None`, false and empty for those that are not there.

    ``mss`` in bytes (RFC 9293), ``scale`` the shift of the windows to come, ``timestamps`` value and echo (RFC 7323),
    ``sack`` blocks as pairs of raw sequence numbers, the end exclusive (RFC 2018), ``fast_open`` the cookie, empty in a
    request for one (RFC 7413), ``multipath`` the subtype (RFC 8684), ``user_timeout`` in seconds (RFC 5482),
    ``signed`` by MD5 or TCP-AO. ``others`` are kinds that are not read, ``cut`` says that one contradicts its length.
    """

    mss: int | None = None
    scale: int | None = None
    sack_permitted: bool = False
    sack: tuple[tuple[int, int], ...] = ()
    timestamps: tuple[int, int] | None = None
    fast_open: bytes | None = None
    multipath: int | None = None
    user_timeout: int | None = None
    signed: bool = False
    others: tuple[int, ...] = ()
    cut: bool = False


def read_options(data: bytes) -> Options:
    """The options in ``data``, the bytes between the fixed header and the payload."""
    if not data:
        return Options()
    found: dict[int, bytes] = {}
    others: list[int] = []
    place, cut = 0, False
    while place < len(data) and data[place] != _END:
        kind = data[place]
        if kind == _NOP:
            place += 1
            continue
        length = data[place + 1] if place + 1 < len(data) else 0
        if length < 2 or place + length > len(data):
            cut = True
            break
        if kind in _READERS:
            found.setdefault(kind, data[place + 2 : place + length])
        else:
            others.append(kind)
        place += length
    values: dict[str, Any] = {}
    for code, value in found.items():
        name, size, read = _READERS[code]
        if size in (None, len(value)):
            values[name] = read(value)
        else:
            cut = True
    return Options(others=tuple(others), cut=cut, **values)


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _pairs(value: bytes) -> tuple[tuple[int, int], ...]:
    return tuple(
        (_number(value[place : place + 4]), _number(value[place + 4 : place + 8]))
        for place in range(0, len(value) - 7, 8)
    )


def _user_timeout(value: bytes) -> int:
    number = _number(value)
    return (number & 0x7FFF) * (60 if number & 0x8000 else 1)


#: Kind: the field, the length of its value (`None`: any), and how it is read.
_READERS: dict[int, tuple[str, int | None, Callable[[bytes], Any]]] = {
    _MSS: ("mss", 2, _number),
    _SCALE: ("scale", 1, lambda value: min(_number(value), MAX_SCALE)),
    _SACK_PERMITTED: ("sack_permitted", 0, lambda value: True),
    _SACK: ("sack", None, _pairs),
    _TIMESTAMPS: ("timestamps", 8, lambda value: (_number(value[:4]), _number(value[4:]))),
    _MD5: ("signed", None, lambda value: True),
    _AUTHENTICATION: ("signed", None, lambda value: True),
    _USER_TIMEOUT: ("user_timeout", 2, _user_timeout),
    _MULTIPATH: ("multipath", None, lambda value: value[0] >> 4 if value else None),
    _FAST_OPEN: ("fast_open", None, bytes),
}


def bits_text(bits: int) -> str:
    """The flags of a header as Wireshark lists them: ``SYN, ACK``."""
    return ", ".join(name for bit, name in BIT_NAMES.items() if bits & bit)
