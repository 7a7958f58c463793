"""How calculator packets begin (protocols.md §1)."""

from netlab.calc.header import HEADER_LENGTH, LAYOUT, REQUEST, RESERVED, STATUS

#: What bodies begin with (`netlab.calc.codecs.choice`); an empty one begins with nothing.
_BODIES = (b"", b"\x80", b"{")


def plausible(data: bytes | bytearray, asks: bool) -> bool:
    """Whether ``data`` begins with a request (``asks``) or with a response, as its header and first byte tell."""
    if len(data) < HEADER_LENGTH:
        return False
    _stamp, length, flags, _max_age = LAYOUT.unpack_from(data)
    status = flags & STATUS
    if length < HEADER_LENGTH or flags & RESERVED or any(data[HEADER_LENGTH - 2 : HEADER_LENGTH]):
        return False
    if bool(flags & REQUEST) != asks or (status != 0 if asks else not 200 <= status < 600):
        return False
    return length == HEADER_LENGTH or data[HEADER_LENGTH : HEADER_LENGTH + 1] in _BODIES
