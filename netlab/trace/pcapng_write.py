"""Writing pcapng: one section, any interfaces, enhanced packets, in nanoseconds (draft-ietf-opsawg-pcapng).

Each function gives the bytes of one block, so that a program may write them as packets come: a section's header, the
description of each interface, packets, and in the end what the kernel dropped.
"""

from struct import Struct

from netlab.trace.pcapng import ENHANCED_PACKET, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, SECTION_HEADER

_BLOCK = Struct("<II")
_LENGTH = Struct("<I")
_SECTION = Struct("<IHHq")
_INTERFACE = Struct("<HHI")
_PACKET = Struct("<IIIII")
_STATISTICS = Struct("<III")
_OPTION = Struct("<HH")

_END, _COMMENT = 0, 1
_HARDWARE, _SYSTEM, _APPLICATION = 2, 3, 4
_NAME, _DESCRIPTION, _RESOLUTION, _FILTER = 2, 3, 9, 11
_RECEIVED, _DROPPED = 4, 5
_BYTE_ORDER = 0x1A2B3C4D
#: Time stamps count nanoseconds.
_NANOSECONDS = b"\x09"

_Options = list[tuple[int, bytes]]


def section_header(application: str = "", system: str = "", hardware: str = "", comment: str = "") -> bytes:
    """What a file begins with; texts that are empty are left out."""
    texts = ((_COMMENT, comment), (_HARDWARE, hardware), (_SYSTEM, system), (_APPLICATION, application))
    body = _SECTION.pack(_BYTE_ORDER, 1, 0, -1)
    return _block(SECTION_HEADER, body, [(code, text.encode()) for code, text in texts if text])


def interface_description(
    link_type: int, snap_length: int = 0, name: str = "", description: str = "", wanted: str = ""
) -> bytes:
    """An interface; the first that is described is number 0. ``snap_length`` 0 says that there is no limit.

    ``wanted`` is the filter that packets had to pass, as pcap-filter(7) has it.
    """
    texts = ((_NAME, name), (_DESCRIPTION, description))
    options = [(code, text.encode()) for code, text in texts if text]
    if wanted:
        options.append((_FILTER, b"\0" + wanted.encode()))
    body = _INTERFACE.pack(link_type, 0, snap_length)
    return _block(INTERFACE_DESCRIPTION, body, [*options, (_RESOLUTION, _NANOSECONDS)])


def enhanced_packet(
    time: int, data: bytes, length: int | None = None, interface: int = 0, comment: str | tuple[str, ...] = ()
) -> bytes:
    """A packet captured at ``time``, nanoseconds since 1970; ``length`` is that on the wire if ``data`` is cut.

    It can have more than one ``comment``; an empty text is none.
    """
    wire = len(data) if length is None else length
    body = _PACKET.pack(interface, time >> 32, time & 0xFFFFFFFF, len(data), wire) + data
    comments = (comment,) if isinstance(comment, str) else comment
    return _block(ENHANCED_PACKET, body, [(_COMMENT, text.encode()) for text in comments if text])


def interface_statistics(time: int, received: int, dropped: int, interface: int = 0) -> bytes:
    """How many packets an interface had received at ``time``, and how many of them the kernel had no room for."""
    body = _STATISTICS.pack(interface, time >> 32, time & 0xFFFFFFFF)
    counts = [(_RECEIVED, received.to_bytes(8, "little")), (_DROPPED, dropped.to_bytes(8, "little"))]
    return _block(INTERFACE_STATISTICS, body, counts)


def _block(kind: int, body: bytes, options: _Options) -> bytes:
    content = _padded(body) + _options(options)
    total = len(content) + 12
    return _BLOCK.pack(kind, total) + content + _LENGTH.pack(total)


def _options(options: _Options) -> bytes:
    if not options:
        return b""
    # An option's length is 16 bits: a longer text is cut.
    written = [_OPTION.pack(code, len(value[:65_535])) + _padded(value[:65_535]) for code, value in options]
    return b"".join(written) + _OPTION.pack(_END, 0)


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
