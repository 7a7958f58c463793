"""The options of pcapng blocks, and what is kept of them (draft-ietf-opsawg-pcapng, §3.5, §4)."""

from collections.abc import Iterator
from struct import Struct

from netlab.trace.records import CaptureFile, Interface

COMMENT = 1
_HARDWARE, _SYSTEM, _APPLICATION = 2, 3, 4
_NAME, _DESCRIPTION, _RESOLUTION, _FILTER, _OFFSET = 2, 3, 9, 11, 14
_RECEIVED_DROPS, _SYSTEM_DROPS = 5, 7

#: Longer texts are cut; more of a kind are left out.
MAX_TEXT = 4096
MAX_COMMENTS = 64
_NANOSECONDS = 1_000_000_000
_DESCRIPTION_HEADER = 8
_STATISTICS_HEADER = 12


def options(body: bytes, start: int, order: str) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option in ``body`` from ``start`` on; one that is cut ends them."""
    header = Struct(order + "HH")
    while start + 4 <= len(body):
        code, length = header.unpack_from(body, start)
        start += 4
        if code == 0 or start + length > len(body):
            return
        yield code, body[start : start + length]
        start += (length + 3) & ~3


def text_of(value: bytes) -> str:
    """A text of a file, which says that it is UTF-8 and may be anything."""
    return value[:MAX_TEXT].decode("utf-8", "replace").rstrip("\0")


def comments_of(body: bytes, start: int, order: str) -> tuple[str, ...]:
    """The comments among a block's options."""
    found = (text_of(value) for code, value in options(body, start, order) if code == COMMENT)
    return tuple(text for text, _ in zip(found, range(MAX_COMMENTS), strict=False))


def note_section(file: CaptureFile, body: bytes, order: str) -> None:
    """Keep what a section's header says of the program and the machine that wrote it."""
    for code, value in options(body, 0, order):
        if code == _APPLICATION:
            file.application = text_of(value)
        elif code == _SYSTEM:
            file.system = text_of(value)
        elif code == _HARDWARE:
            file.hardware = text_of(value)
        elif code == COMMENT and len(file.comments) < MAX_COMMENTS:
            file.comments.append(text_of(value))


def note_statistics(file: CaptureFile, body: bytes, order: str) -> None:
    """Keep how many packets the kernel dropped: what the interface had to, and what the system had to."""
    for code, value in options(body, _STATISTICS_HEADER, order):
        if code in (_RECEIVED_DROPS, _SYSTEM_DROPS) and len(value) == 8:
            file.dropped = (file.dropped or 0) + int.from_bytes(value, "little" if order == "<" else "big")


def interface_of(body: bytes, order: str) -> Interface:
    """The interface that a description block's ``body`` describes.

    :raises ValueError: it is cut.
    """
    if len(body) < _DESCRIPTION_HEADER:
        raise ValueError(f"the description of an interface has {len(body)} bytes instead of 8 or more")
    link_type, _reserved, snap_length = Struct(order + "HHI").unpack_from(body)
    found = {code: value for code, value in options(body, _DESCRIPTION_HEADER, order) if len(value)}
    multiplier, divisor = _resolution(found.get(_RESOLUTION, b"\x06")[0])
    seconds = int.from_bytes(found.get(_OFFSET, b"")[:8], "little" if order == "<" else "big", signed=True)
    name, description = text_of(found.get(_NAME, b"")), text_of(found.get(_DESCRIPTION, b""))
    # The first byte of a filter says what kind of text follows; 0 is libpcap's.
    text = text_of(found.get(_FILTER, b"")[1:])
    return Interface(link_type, snap_length, name, description, text, multiplier, divisor, seconds * _NANOSECONDS)


def _resolution(value: int) -> tuple[int, int]:
    """How many nanoseconds a tick is, as a fraction: ``value`` is a negative power of 10, or of 2 if bit 7 is set."""
    ticks: int = 2 ** (value & 0x7F) if value & 0x80 else 10**value
    return (_NANOSECONDS // ticks, 1) if _NANOSECONDS % ticks == 0 else (_NANOSECONDS, ticks)
