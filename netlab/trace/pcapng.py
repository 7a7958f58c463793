"""The newer capture file: pcapng, blocks of many kinds in sections (draft-ietf-opsawg-pcapng).

Packets are read from enhanced, simple and obsolete packet blocks, what is known of interfaces from their blocks and
statistics; blocks of other kinds are passed over without being kept.
"""

from collections.abc import Callable, Iterator
from struct import Struct

from netlab.trace.errors import DamagedCapture
from netlab.trace.pcapng_options import comments_of, interface_of, note_section, note_statistics
from netlab.trace.records import MAX_PACKET, CaptureFile, Record
from netlab.trace.window import Window

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6

#: Of which kinds the content is read. Others may be of any length.
_READ = {INTERFACE_DESCRIPTION, OBSOLETE_PACKET, SIMPLE_PACKET, INTERFACE_STATISTICS, ENHANCED_PACKET}
#: A packet and a long comment. No field of a block is believed to be longer.
MAX_BLOCK = MAX_PACKET + 262_144
#: Interfaces of one file; each costs a little memory.
MAX_INTERFACES = 65_536

_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_SHORTEST = 12


def read(window: Window, file: CaptureFile) -> Iterator[Record]:
    """The records of a pcapng file.

    :raises DamagedCapture: a block is cut or contradicts itself; every record before it has been given.
    """
    file.format = "pcapng"
    section = Section(file, "<")
    while window.ensure(_SHORTEST):
        if window.buffer[window.position : window.position + 4] == b"\x0a\x0d\x0d\x0a":
            section = _section(window, file)
            continue
        kind, total = section.pair(window.buffer, window.position)
        _check_length(kind, total, window.offset)
        if kind not in _READ:
            _pass_over(window, section, total)
            continue
        record = _block(window, section, kind, total)
        if record is not None:
            yield record
    if window.left:
        raise DamagedCapture(f"the file ends inside a block, {window.left} bytes after it began", window.offset)


class Section:
    """A section: its byte order, and its interfaces from ``first`` on in ``file.interfaces``."""

    __slots__ = ("enhanced", "file", "first", "obsolete", "order", "pair", "word")

    def __init__(self, file: CaptureFile, order: str) -> None:
        self.file = file
        self.order = order
        self.first = len(file.interfaces)
        self.pair = Struct(order + "II").unpack_from
        self.word = Struct(order + "I").unpack_from
        #: interface, time (upper, lower), captured length, length on the wire
        self.enhanced = Struct(order + "IIIII").unpack_from
        #: the same with a 16-bit interface and a count of drops
        self.obsolete = Struct(order + "HHIIII").unpack_from

    def packet(self, kind: int, body: bytes) -> Record | None:
        """The packet of a block's ``body``, `None` for a block that describes something.

        :raises ValueError: the block contradicts itself; the text says how.
        """
        if kind == ENHANCED_PACKET:
            return self._timed(body, *_fields(self.enhanced, body, 20))
        if kind == OBSOLETE_PACKET:
            interface, _drops, *rest = _fields(self.obsolete, body, 20)
            return self._timed(body, interface, *rest)
        if kind == SIMPLE_PACKET:
            return self._simple(body)
        if kind == INTERFACE_DESCRIPTION:
            if len(self.file.interfaces) >= MAX_INTERFACES:
                raise ValueError(f"more than {MAX_INTERFACES:,} interfaces are described")
            self.file.interfaces.append(interface_of(body, self.order))
        else:
            note_statistics(self.file, body, self.order)
        return None

    def _timed(self, body: bytes, interface: int, high: int, low: int, captured: int, length: int) -> Record:
        end = 20 + captured
        if end > len(body):
            raise ValueError(f"a packet of {captured:,} bytes is said to be in a block of {len(body) + 12:,}")
        index = self.first + interface
        if index >= len(self.file.interfaces):
            raise ValueError(f"a packet is said to be of interface {interface}, which was not described")
        where = self.file.interfaces[index]
        # An offset may be negative, and what it makes of a time may not.
        time = max(0, (high << 32 | low) * where.multiplier // where.divisor + where.offset)
        options = (end + 3) & ~3
        comments = comments_of(body, options, self.order) if options < len(body) else ()
        return Record(time, index, length, body[20:end], comments)

    def _simple(self, body: bytes) -> Record:
        if len(self.file.interfaces) <= self.first:
            raise ValueError("a simple packet comes before any interface was described")
        (length,) = _fields(self.word, body, 4)
        snap_length = self.file.interfaces[self.first].snap_length
        captured = min(length, snap_length or length, len(body) - 4)
        return Record(None, self.first, length, body[4 : 4 + captured])


def _fields(unpack: Callable[[bytes], tuple[int, ...]], body: bytes, needed: int) -> tuple[int, ...]:
    if len(body) < needed:
        raise ValueError(f"a block has {len(body) + 12} bytes, and its kind needs {needed + 12}")
    return unpack(body)


def _check_length(kind: int, total: int, offset: int) -> None:
    if total < _SHORTEST or total % 4:
        raise DamagedCapture(f"a block says that it is {total:,} bytes long, which no block can be", offset)
    if kind in _READ and total > MAX_BLOCK:
        raise DamagedCapture(f"a block says that it is {total:,} bytes long; {MAX_BLOCK:,} are believed", offset)


def _block(window: Window, section: Section, kind: int, total: int) -> Record | None:
    """Read the block of a known ``kind`` that begins here."""
    offset = window.offset
    if not window.ensure(total):
        raise DamagedCapture(f"the file ends inside a block of {total:,} bytes", offset)
    start = window.position
    stop = start + total
    if section.word(window.buffer, stop - 4)[0] != total:
        raise DamagedCapture(f"a block of {total:,} bytes says another length at its end", offset)
    window.position = stop
    try:
        return section.packet(kind, window.buffer[start + 8 : stop - 4])
    except ValueError as error:
        raise DamagedCapture(str(error), offset) from None


def _pass_over(window: Window, section: Section, total: int) -> None:
    offset = window.offset
    section.file.skipped += 1
    if not window.skip(total - 4) or not window.ensure(4):
        raise DamagedCapture(f"the file ends inside a block of {total:,} bytes", offset)
    if section.word(window.take(4), 0)[0] != total:
        raise DamagedCapture(f"a block of {total:,} bytes says another length at its end", offset)


def _section(window: Window, file: CaptureFile) -> Section:
    """Begin a section: its byte order is in the header itself."""
    offset = window.offset
    order = _BYTE_ORDERS.get(window.buffer[window.position + 8 : window.position + 12])
    if order is None:
        raise DamagedCapture("a section's header has no byte-order mark", offset)
    section = Section(file, order)
    _, total = section.pair(window.buffer, window.position)
    if total < 28 or total % 4 or total > MAX_BLOCK:
        raise DamagedCapture(f"a section's header says that it is {total:,} bytes long", offset)
    if not window.ensure(total):
        raise DamagedCapture("the file ends inside a section's header", offset)
    block = window.take(total)
    if section.word(block, total - 4)[0] != total:
        raise DamagedCapture("a section's header says another length at its end", offset)
    file.sections += 1
    note_section(file, block[24:-4], order)
    return section
