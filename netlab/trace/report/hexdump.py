"""Bytes for people: sixteen a line, in hexadecimal and as text."""

from collections.abc import Iterator

#: Bytes of a packet that are shown.
MAX_BYTES = 2_048


def hexdump(data: bytes) -> Iterator[str]:
    """The lines of ``data``: place, bytes, and what of them is printable ASCII."""
    for place in range(0, min(len(data), MAX_BYTES), 16):
        part = data[place : place + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in part)
        yield f"{place:04x}  {part[:8].hex(' '):<23}  {part[8:].hex(' '):<23}  {text}"
