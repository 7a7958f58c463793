"""The ring that a packet socket shares with the kernel, TPACKET_V3 (Linux, networking/packet_mmap.rst; if_packet.h)."""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from netlab.trace.link import COOKED2

#: Bytes of a block, and blocks: room for 8 MiB of packets that nobody has had time for yet.
BLOCK_SIZE, BLOCKS = 262_144, 32
#: Milliseconds after which a block that has a packet is ours, full or not.
BLOCK_TIMEOUT = 4
_FRAME_SIZE = 2_048

#: struct tpacket_req3.
_REQUEST = Struct("=7I")
#: Of struct tpacket_block_desc: the status, the number of packets, where the first begins.
_BLOCK = Struct("=8xIII")
#: Of struct tpacket3_hdr: next, seconds, nanoseconds, captured, length, status, place of the data, VLAN tag.
_PACKET = Struct("=IIIIIIH6xIH")
#: struct sockaddr_ll, after the header: protocol, interface, hardware type, direction, and the sender's address.
_ADDRESS = Struct("=2xHiHBB8s")
_ADDRESS_PLACE = 48
_SLL2 = Struct("!HHIHBB8s")

_OURS, _THEIRS = 1, bytes(4)
_HAS_VLAN, _HAS_VLAN_KIND = 0x10, 0x40
_DOT1Q = 0x8100
_MAC_ADDRESSES = 12


class Captured(NamedTuple):
    """A packet: ``time`` is nanoseconds since 1970, by the kernel; ``length`` is on the wire, ``data`` may be cut."""

    time: int
    length: int
    data: bytes


def request() -> bytes:
    """What PACKET_RX_RING is set to, for a ring of these sizes."""
    frames = BLOCK_SIZE // _FRAME_SIZE * BLOCKS
    return _REQUEST.pack(BLOCK_SIZE, BLOCKS, _FRAME_SIZE, frames, BLOCK_TIMEOUT, 0, 0)


def is_ours(ring: memoryview, number: int) -> bool:
    """Whether the kernel has handed over this block."""
    status: int = _BLOCK.unpack_from(ring, number * BLOCK_SIZE)[0]
    return bool(status & _OURS)


def give_back(ring: memoryview, number: int) -> None:
    """Let the kernel fill this block again."""
    ring[number * BLOCK_SIZE + 8 : number * BLOCK_SIZE + 12] = _THEIRS


def packets(ring: memoryview, number: int, link_type: int) -> Iterator[Captured]:
    """Copies of the packets in a block that is ours; for `COOKED2` each with a header of that kind before it."""
    start = number * BLOCK_SIZE
    _, count, first = _BLOCK.unpack_from(ring, start)
    place = start + first
    for _ in range(count):
        step, seconds, nanoseconds, captured, length, status, mac, tag, tag_kind = _PACKET.unpack_from(ring, place)
        data = bytes(ring[place + mac : place + mac + captured])
        if link_type == COOKED2:
            head = _cooked_header(ring, place + _ADDRESS_PLACE)
            data, length = head + data, length + len(head)
        elif status & _HAS_VLAN and len(data) > _MAC_ADDRESSES:
            # The kernel takes the outer tag out of the packet; a file has it where it was.
            kind = tag_kind if status & _HAS_VLAN_KIND else _DOT1Q
            tagged = kind.to_bytes(2, "big") + (tag & 0xFFFF).to_bytes(2, "big")
            data, length = data[:_MAC_ADDRESSES] + tagged + data[_MAC_ADDRESSES:], length + len(tagged)
        yield Captured(seconds * 1_000_000_000 + nanoseconds, length, data)
        place += step


def _cooked_header(ring: memoryview, place: int) -> bytes:
    protocol, interface, hardware, direction, length, address = _ADDRESS.unpack_from(ring, place)
    # The protocol is in the network's order already, and was read in ours.
    swapped = int.from_bytes(protocol.to_bytes(2, "little"), "big")
    return _SLL2.pack(swapped, 0, interface, hardware, direction, length, address)
