"""A capture file's records: what the formats have in common, and which format a file has."""

from collections.abc import Iterator
from typing import NamedTuple

from attrs import define, field, frozen

from netlab.trace.errors import DamagedCapture, NotACapture
from netlab.trace.window import Window

#: The longest packet that is believed. Wireshark believes as much of Ethernet; 64 KiB is the longest IP datagram.
MAX_PACKET = 262_144


class Record(NamedTuple):
    """One packet as the file has it.

    ``time`` is nanoseconds since 1970, `None` where the format has none. ``interface`` is an index into
    `CaptureFile.interfaces`. ``length`` is the packet's on the wire, in bytes; ``data`` may be cut by a snap length.
    """

    time: int | None
    interface: int
    length: int
    data: bytes
    comments: tuple[str, ...] = ()


@frozen
class Interface:
    """Where packets were captured: ``link_type`` is a LINKTYPE number, ``snap_length`` 0 if there was no limit.

    ``name``, ``description`` and ``filter`` are empty where the file has none. A tick of its clock is
    ``multiplier / divisor`` nanoseconds, and ``offset`` is added, in nanoseconds.
    """

    link_type: int
    snap_length: int = 0
    name: str = ""
    description: str = ""
    filter: str = ""
    multiplier: int = 1
    divisor: int = 1
    offset: int = 0


@define
class CaptureFile:
    """What a file says of itself; it fills while its records are read.

    ``format`` is ``pcap`` or ``pcapng``; ``interfaces`` are those of all its sections. ``dropped`` counts packets that
    the capturing program says it lost, `None` if it doesn't say; ``comments`` are those of sections and interfaces.
    ``skipped`` counts blocks of kinds that are no packets and not known here.
    """

    format: str = ""
    application: str = ""
    hardware: str = ""
    system: str = ""
    sections: int = 0
    skipped: int = 0
    dropped: int | None = None
    interfaces: list[Interface] = field(factory=list)
    comments: list[str] = field(factory=list)


#: The first four bytes of a pcap file, in the byte order that wrote it, and whether it counts nanoseconds.
PCAP_MAGICS = {0xA1B2C3D4: False, 0xA1B23C4D: True}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"


def read_records(window: Window, file: CaptureFile) -> Iterator[Record]:
    """Every record of the capture in ``window``, in its order, filling ``file`` on the way.

    :raises NotACapture: at once, if it is none.
    :raises DamagedCapture: after all records before the damage.
    """
    from netlab.trace import pcap, pcapng

    window.ensure(4)
    magic = window.buffer[window.position : window.position + 4]
    if magic == PCAPNG_MAGIC:
        return pcapng.read(window, file)
    for order in ("<", ">"):
        if int.from_bytes(magic, "little" if order == "<" else "big") in PCAP_MAGICS:
            return pcap.read(window, file, order)
    if magic and len(magic) < 4 and PCAPNG_MAGIC.startswith(magic):
        raise DamagedCapture("the file ends inside its first block", len(magic))
    raise NotACapture(_not_a_capture(magic))


def _not_a_capture(magic: bytes) -> str:
    if not magic:
        return "the file is empty: nothing was captured, or nothing was written"
    return f"this is no pcap or pcapng file: it begins with {magic.hex(' ')}"
