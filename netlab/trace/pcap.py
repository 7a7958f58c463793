"""The classic capture file: pcap, micro- or nanoseconds, either byte order (draft-ietf-opsawg-pcap)."""

from collections.abc import Callable, Iterator
from struct import Struct

from netlab.trace.errors import DamagedCapture
from netlab.trace.records import MAX_PACKET, PCAP_MAGICS, CaptureFile, Interface, Record
from netlab.trace.window import Window

#: magic, version, time zone, accuracy, snap length, link type; 24 bytes.
_FILE_HEADER = "IHHiIII"
#: seconds, fraction, captured length, length on the wire; 16 bytes.
_RECORD_HEADER = "IIII"
FILE_HEADER_LENGTH = 24
RECORD_HEADER_LENGTH = 16
#: The upper bits of the link type field say something else (FCS length).
_LINK_TYPE = 0x0FFFFFFF


def read(window: Window, file: CaptureFile, order: str) -> Iterator[Record]:
    """The records of a pcap file in byte order ``order``, a prefix of `struct`.

    :raises DamagedCapture: the header or a record is cut or impossible; every record before it has been given.
    """
    if not window.ensure(FILE_HEADER_LENGTH):
        raise DamagedCapture("the file ends inside its header of 24 bytes", window.left)
    header = Struct(order + _FILE_HEADER).unpack(window.take(FILE_HEADER_LENGTH))
    magic, major, _minor, _zone, _accuracy, snap_length, link_type = header
    if major != 2:
        raise DamagedCapture(f"version {major} of the pcap format is not known (2 is)", 4)
    file.format = "pcap"
    file.sections = 1
    file.interfaces.append(Interface(link_type & _LINK_TYPE, snap_length))
    return _records(window, order, 1 if PCAP_MAGICS[magic] else 1000)


def _records(window: Window, order: str, tick: int) -> Iterator[Record]:
    """:param tick: how many nanoseconds the fraction counts in."""
    unpack = Struct(order + _RECORD_HEADER).unpack_from
    while True:
        buffer, position = window.buffer, window.position
        end = len(buffer)
        while position + RECORD_HEADER_LENGTH <= end:
            seconds, fraction, captured, length = unpack(buffer, position)
            start = position + RECORD_HEADER_LENGTH
            stop = start + captured
            if stop > end:
                break
            if captured > MAX_PACKET:
                break
            position = stop
            yield Record(seconds * 1_000_000_000 + fraction * tick, 0, length, buffer[start:stop])
        window.position = position
        _check(window, unpack)
        if not window.more():
            break
    if window.left:
        raise DamagedCapture(f"the file ends inside a record, {window.left:,} bytes after it began", window.offset)


def _check(window: Window, unpack: "Callable[[bytes, int], tuple[int, ...]]") -> None:
    """Refuse a record whose length nobody would have captured, before anything is kept for it."""
    if window.left < RECORD_HEADER_LENGTH:
        return
    _seconds, _fraction, captured, _length = unpack(window.buffer, window.position)
    if captured > MAX_PACKET:
        raise DamagedCapture(
            f"a record says that it has {captured:,} bytes, more than any packet ({MAX_PACKET:,})", window.offset
        )
