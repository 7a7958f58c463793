"""The ring that is shared with the kernel: blocks made by hand."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.capturing import ring
from netlab.trace.capturing.ring import Captured
from netlab.trace.link import COOKED2, ETHERNET

_FIRST = 48


def packet(data: bytes, length: int | None = None, status: int = 0, tag: int = 0, tag_kind: int = 0) -> bytes:
    """A struct tpacket3_hdr with an address and the data, aligned, for a second and three nanoseconds."""
    mac = 80
    head = struct.pack(
        "=IIIIIIHHIIH", 0, 1, 3, len(data), len(data) if length is None else length, status, mac, mac, 0, tag, tag_kind
    )
    address = struct.pack("=HHiHBB8s", 17, int.from_bytes(b"\x08\x00", "little"), 5, 772, 4, 6, b"\1\2\3\4\5\6")
    whole = head.ljust(48, b"\0") + address.ljust(mac - 48, b"\0") + data
    whole += bytes(-len(whole) % 16)
    return struct.pack("=I", len(whole)) + whole[4:]


def ring_of(*packets: bytes, status: int = 1) -> memoryview:
    body = b"".join(packets)
    head = struct.pack("=IIIII", 1, 0, status, len(packets), _FIRST).ljust(_FIRST, b"\0")
    return memoryview(bytearray(head + body).ljust(ring.BLOCK_SIZE, b"\0"))


class RingTests(SynchronousTestCase):
    """One block."""

    def read(self, *packets: bytes, link_type: int = ETHERNET) -> list[Captured]:
        return list(ring.packets(ring_of(*packets), 0, link_type))

    def test_packets(self) -> None:
        """Times are nanoseconds since 1970; what the snap length cut keeps its length on the wire."""
        self.assertEqual(
            self.read(packet(b"abc"), packet(b"defgh", length=99)),
            [Captured(1_000_000_003, 3, b"abc"), Captured(1_000_000_003, 99, b"defgh")],
        )

    def test_vlan(self) -> None:
        """The tag that the kernel took out is put back, as of 802.1Q if it doesn't say."""
        frame = bytes(range(20))
        for status, kind, shown in ((0x10, 0, b"\x81\x00"), (0x50, 0x88A8, b"\x88\xa8")):
            (found,) = self.read(packet(frame, status=status, tag=0x0064, tag_kind=kind))
            self.assertEqual((found.length, found.data), (24, frame[:12] + shown + b"\x00\x64" + frame[12:]))

    def test_cooked(self) -> None:
        """From every interface at once, each packet has a cooked header that says where it was seen."""
        (found,) = self.read(packet(b"\x45"), link_type=COOKED2)
        header = bytes.fromhex("0800 0000 00000005 0304 04 06 0102030405060000")
        self.assertEqual((found.length, found.data), (21, header + b"\x45"))

    def test_whose(self) -> None:
        """A block is ours until it is given back."""
        block = ring_of(packet(b"x"))
        self.assertTrue(ring.is_ours(block, 0))
        ring.give_back(block, 0)
        self.assertFalse(ring.is_ours(block, 0))
