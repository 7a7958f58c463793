"""Layers of every kind, whole, cut and wrong; fragments; what TCP, UDP, ICMP and ARP say."""

from __future__ import annotations

import struct
from itertools import permutations

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace import link
from netlab.trace.arp import Arp
from netlab.trace.facts import Packet, Segment
from netlab.trace.icmp import Message
from netlab.trace.ip import address_text
from netlab.trace.tcp import read_options
from netlab.trace.udp import Datagram
from tests.trace.frames import (
    A6,
    ACK,
    B6,
    PSH,
    SYN,
    A,
    B,
    ethernet,
    ipv4,
    ipv6,
    segments,
    tcp,
    traced,
    udp,
)

HELLO = tcp(PSH | ACK, 1, 1, b"hello")


def one(frame: bytes, link_type: int = 1) -> Packet:
    """The only packet of a capture."""
    (packet,), _ = traced([frame], link_type)
    return packet


def hello(packet: Packet) -> bytes:
    """The payload of a packet that is known to be TCP."""
    assert isinstance(packet.transport, Segment), packet
    return packet.transport.payload


class LinkTests(SynchronousTestCase):
    """What stands before IP."""

    def test_link_layers(self) -> None:
        """The same segment in every link layer."""
        packet = ipv4(HELLO)
        six = ipv6(HELLO)
        cooked = b"\0\4\0\1\0\6\2\0\0\0\0\1\0\0"
        cooked2 = b"\0\0\0\0\0\1\0\1\4\6\2\0\0\0\0\1\0\0"
        snap = bytes(12) + b"\0\x50\xaa\xaa\3\0\0\0\x08\0"
        for link_type, frame in (
            (link.ETHERNET, ethernet(packet)),
            (link.ETHERNET, ethernet(b"\0\x2a\x08\0" + packet, 0x8100)),
            (link.ETHERNET, ethernet(b"\0\x01\x81\0\0\x2a\x08\0" + packet, 0x88A8)),
            (link.ETHERNET, ethernet(six, 0x86DD)),
            (link.ETHERNET, snap + packet),
            (link.ETHERNET, ethernet(packet) + bytes(10)),
            (link.COOKED, cooked + b"\x08\0" + packet),
            (link.COOKED2, b"\x08\0" + cooked2 + packet),
            (link.NULL, b"\2\0\0\0" + packet),
            (link.NULL, b"\0\0\0\2" + packet),
            (link.NULL, b"\x18\0\0\0" + six),
            (link.LOOP, b"\0\0\0\x1e" + six),
            (link.RAW, packet),
            (12, six),
            (link.IPV4, packet),
            (link.IPV6, six),
        ):
            found = one(frame, link_type)
            self.assertEqual((hello(found), found.flaws), (b"hello", ()), (link_type, frame))

    def test_link_facts(self) -> None:
        """Hardware addresses, VLANs, and which way a cooked packet went."""
        found = one(ethernet(b"\0\x01\x81\0\0\x2a\x08\0" + ipv4(HELLO), 0x88A8)).link
        self.assertEqual(found, link.Link("Ethernet", "02:00:00:00:00:01", "02:00:00:00:00:02", (1, 42)))
        found = one(b"\0\4\0\1\0\6\2\0\0\0\0\1\0\0\x08\0" + ipv4(HELLO), link.COOKED).link
        self.assertEqual((found.source, found.direction), ("02:00:00:00:00:01", 4))

    def test_unknown(self) -> None:
        """What is not read is named."""
        names = {
            (1, ethernet(b"x", 0x88CC)): "LLDP",
            (1, ethernet(b"x", 0x1234)): "EtherType 0x1234",
            (1, ethernet(bytes(50), 50)): "Ethernet",
            (105, b"radio"): "IEEE 802.11",
            (9999, b"?"): "link type 9999",
            (1, ethernet(ipv4(b"x", 132))): "SCTP",
            (1, ethernet(ipv4(b"x", 200))): "IP protocol 200",
            (link.RAW, b"\x99"): "raw IP",
            (link.NULL, b"\x63\0\0\0"): "NULL",
        }
        for (link_type, frame), name in names.items():
            found = one(frame, link_type)
            self.assertEqual((found.protocol, found.transport, found.flaws), (name, None, ()), name)

    def test_cut(self) -> None:
        """However short a packet is, it is a packet, and says that it is cut."""
        for whole, link_type in (
            (ethernet(ipv4(HELLO)), 1),
            (ethernet(ipv6(HELLO), 0x86DD), 1),
            (b"\2\0\0\0" + ipv4(HELLO), 0),
        ):
            for length in range(len(whole) - len(HELLO) + 19):
                found = one(whole[:length], link_type)
                self.assertTrue(found.flaws, length)
                self.assertIsNone(found.transport)
            cut = one(whole[:-3], link_type)
            self.assertEqual(hello(cut), b"he")


class IPTests(SynchronousTestCase):
    """IPv4 and IPv6."""

    def test_options_and_extensions(self) -> None:
        """What follows options or extension headers is found."""
        packet = one(ethernet(ipv4(HELLO, options=b"\x94\4\0\0")))
        assert packet.ip is not None
        self.assertEqual((hello(packet), packet.ip.options), (b"hello", b"\x94\4\0\0"))
        headers = b"\x2b\0" + bytes(6) + b"\x3c\0" + bytes(6) + b"\x33\1" + bytes(14) + b"\x06\2" + bytes(14)
        packet = one(ethernet(ipv6(headers + HELLO, 0), 0x86DD))
        assert packet.ip is not None
        self.assertEqual((hello(packet), packet.ip.options), (b"hello", bytes([0, 43, 60, 51])))

    def test_impossible(self) -> None:
        """Lengths that cannot be, and headers without end, are flaws."""
        endless = b"\0\0" + bytes(6)
        for frame, kind in (
            (ethernet(ipv4(HELLO, total=10)), "bad_length"),
            (ethernet(b"\x43" + ipv4(HELLO)[1:]), "bad_length"),
            (ethernet(b"\x55" + ipv4(HELLO)[1:]), "bad_version"),
            (ethernet(ipv6(endless * 20, 0), 0x86DD), "too_many_extensions"),
            (ethernet(ipv4(HELLO[:12] + b"\x10" + HELLO[13:])), "bad_length"),
            (ethernet(ipv4(HELLO[:12] + b"\xf0" + HELLO[13:])), "bad_length"),
            (ethernet(ipv4(udp(b"")[:5], 17)), "header_cut"),
        ):
            self.assertEqual([flaw.kind for flaw in one(frame).flaws], [kind], kind)

    def test_offloaded(self) -> None:
        """A total length of 0 is what a card was to fill in."""
        self.assertEqual(hello(one(ethernet(ipv4(HELLO, total=0)))), b"hello")

    def test_addresses(self) -> None:
        """As RFC 5952 writes them."""
        for packed, text in (
            (bytes(16), "::"),
            (bytes(15) + b"\1", "::1"),
            (b"\x20\1\x0d\xb8" + bytes(11) + b"\1", "2001:db8::1"),
            (b"\x20\1\x0d\xb8\0\0\0\1" * 2, "2001:db8:0:1:2001:db8:0:1"),
            (bytes(10) + b"\xff\xff\x0a\0\0\1", "::ffff:10.0.0.1"),
            (b"\0\1\0\0\0\0\0\1\0\0\0\0\0\0\0\1", "1:0:0:1::1"),
        ):
            self.assertEqual(address_text(packed), text)


class FragmentTests(SynchronousTestCase):
    """Datagrams that IP cut."""

    def fragments(self) -> list[bytes]:
        """A segment of 45 bytes in three pieces."""
        whole = tcp(PSH | ACK, 1, 1, b"fragmented data of 25 b..")
        return [
            ethernet(ipv4(whole[:16], place=0, more=True)),
            ethernet(ipv4(whole[16:32], place=16, more=True)),
            ethernet(ipv4(whole[32:], place=32)),
        ]

    def test_any_order(self) -> None:
        """The last to come has the segment, whichever it is."""
        for order in permutations(range(3)):
            packets, _ = traced([self.fragments()[place] for place in order])
            self.assertEqual(hello(packets[2]), b"fragmented data of 25 b..")
            self.assertEqual(packets[2].fragments, (1, 2, 3))
            self.assertEqual([flaw.kind for flaw in packets[0].flaws + packets[1].flaws], ["fragment"] * 2)

    def test_twice_and_never(self) -> None:
        """A repeated fragment does no harm; one that is missing leaves the rest unread."""
        first, second, third = self.fragments()
        packets, _ = traced([first, first, third, second])
        self.assertEqual(hello(packets[3]), b"fragmented data of 25 b..")
        packets, _ = traced([first, third])
        self.assertEqual(list(segments(packets)), [])

    def test_too_late(self) -> None:
        """After a minute the first pieces are forgotten."""
        packets, _ = traced(self.fragments(), step=31_000_000_000)
        self.assertEqual(list(segments(packets)), [])

    def test_version_six(self) -> None:
        """The fragment header of IPv6."""
        whole = tcp(PSH | ACK, 1, 1, b"in two")
        first, second = (struct.pack("!BBHI", 6, 0, place, 99) for place in (1, 16))
        payloads = first + whole[:16], second + whole[16:]
        packets, _ = traced([ethernet(ipv6(payload, 44), 0x86DD) for payload in payloads])
        self.assertEqual(hello(packets[1]), b"in two")

    def test_many_never_whole(self) -> None:
        """A flood of fragments that are never whole is forgotten, oldest first."""
        frames = [ethernet(ipv4(bytes(1480), identity=number % 65_536, more=True)) for number in range(8_000)]
        packets, trace = traced(frames, step=1_000)
        self.assertEqual(len(packets), 8_000)
        held = trace._dissector._layers._fragments._held
        self.assertLessEqual(held, 8 << 20)


class TransportTests(SynchronousTestCase):
    """What TCP, UDP, ICMP and ARP say."""

    def test_tcp_options(self) -> None:
        """All common options; a cut one ends them."""
        options = bytes.fromhex("020405b4 0402 0808 01")
        self.assertTrue(read_options(options).cut)
        found = read_options(bytes.fromhex("020405b4 01 030307 0402 080a0000000500000006 050a0000000a00000014 00 fd04"))
        self.assertEqual((found.mss, found.scale, found.sack_permitted, found.timestamps), (1460, 7, True, (5, 6)))
        self.assertEqual((found.sack, found.cut), (((10, 20),), False))
        found = read_options(bytes.fromhex("2206aabbccdd 1e0400ff 1c048005 1312" + "00" * 16 + "fd0400ff fd09"))
        self.assertEqual((found.fast_open, found.multipath, found.user_timeout), (b"\xaa\xbb\xcc\xdd", 0, 300))
        self.assertEqual((found.signed, found.others, found.cut), (True, (253,), True))

    def test_udp(self) -> None:
        """Datagrams have conversations of their own."""
        packets, trace = traced(
            [
                ethernet(ipv4(udp(b"question"), 17)),
                ethernet(ipv4(udp(b"the answer", (5353, 53)), 17, B, A)),
                ethernet(ipv6(udp(b"x"), 17), 0x86DD),
            ]
        )
        found = [packet.transport for packet in packets]
        said = [(what.conversation, what.sender, what.payload) for what in found if isinstance(what, Datagram)]
        self.assertEqual(said, [(0, 0, b"question"), (0, 1, b"the answer"), (1, 0, b"x")])
        first, second = trace.datagram_conversations()
        self.assertEqual((first.packets, first.bytes), ((1, 1), (8, 10)))
        self.assertEqual([end.address for end in second.endpoints], [A6, B6])

    def test_icmp_echo(self) -> None:
        """Request and reply of either version."""
        for frame, names in (
            (ethernet(ipv4(b"\x08\0\0\0\x12\x34\0\7This is the ping.\n\0", 1)), "echo request"),
            (ethernet(ipv4(b"\x00\0\0\0\x12\x34\0\7This is the ping.\n\0", 1)), "echo reply"),
            (ethernet(ipv6(b"\x80\0\0\0\x12\x34\0\7This is the ping.\n\0", 58), 0x86DD), "echo request"),
            (ethernet(ipv6(b"\x81\0\0\0\x12\x34\0\7This is the ping.\n\0", 58), 0x86DD), "echo reply"),
        ):
            found = one(frame).transport
            assert isinstance(found, Message)
            self.assertEqual((found.name, found.identifier, found.sequence, found.length), (names, 0x1234, 7, 19))

    def test_icmp_errors(self) -> None:
        """An error quotes what caused it, and belongs to its conversation."""
        syn = ipv4(tcp(SYN, 77))
        error = ipv4(b"\3\1\0\0\0\0\0\0" + syn, 1, "10.0.0.9", A)
        packets, trace = traced([ethernet(syn), ethernet(error), ethernet(ipv4(b"\3\4\0\0\0\0\5\x78" + syn[:25], 1))])
        found = packets[1].transport
        assert isinstance(found, Message) and found.quoted is not None
        self.assertEqual(
            (found.quoted.source_port, found.quoted.raw_sequence, found.quoted.conversation), (1000, 77, 0)
        )
        closing = trace.conversations()[0].closing
        self.assertEqual((closing.cause, closing.evidence[-1].what), ("unanswered", "icmp_error"))
        cut = packets[2].transport
        assert isinstance(cut, Message) and cut.quoted is not None
        self.assertEqual((cut.mtu, cut.quoted.source_port), (1400, None))

    def test_arp(self) -> None:
        """Who asks for whom."""
        body = bytes.fromhex("0001080006040001 020000000001 0a000001 000000000000 0a000002")
        self.assertEqual(one(ethernet(body, 0x0806)).transport, Arp(1, "02:00:00:00:00:01", A, "00:00:00:00:00:00", B))
        self.assertEqual([flaw.kind for flaw in one(ethernet(body[:20], 0x0806)).flaws], ["header_cut"])
