"""The program for the kernel's packet filter, run on a machine of ours; the kernel runs it in test_capture."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.capturing.packet_filter import MAX_PORTS, OUTGOING, SIZE, pack, program
from tests.trace.capturing.filter_machine import Skb, taken

_LOOPBACK = 1
_SNAP = 4_096
_TCP, _UDP, _ICMP, _ICMP6 = 6, 17, 1, 58


def ipv4(protocol: int, ports: tuple[int, int], options: int = 0, fragment: int = 0) -> Skb:
    head = struct.pack("!BBHHHBBH8x", 0x45 + options, 0, 0, 0, fragment, 64, protocol, 0) + bytes(4 * options)
    return Skb(head + struct.pack("!HH", *ports) + bytes(16), 0x0800)


def ipv6(protocol: int, ports: tuple[int, int]) -> Skb:
    return Skb(struct.pack("!IHBB32x", 6 << 28, 0, protocol, 64) + struct.pack("!HH", *ports) + bytes(16), 0x86DD)


def takes(packet: Skb, *ports: int, icmp: bool = False) -> bool:
    count = taken(program(ports, icmp=icmp, loopback=_LOOPBACK, snap_length=_SNAP), packet)
    assert count in (0, _SNAP)
    return bool(count)


class ProgramTests(SynchronousTestCase):
    """What is taken, and what is not."""

    @given(
        st.sets(st.integers(1, 65_535), max_size=MAX_PORTS),
        st.booleans(),
        st.sampled_from([_TCP, _UDP, _ICMP, _ICMP6, 47]),
        st.tuples(st.integers(0, 65_535), st.integers(0, 65_535)),
        st.integers(0, 10),
        st.booleans(),
    )
    def test_as_told(
        self, ports: set[int], icmp: bool, protocol: int, ends: tuple[int, int], options: int, six: bool
    ) -> None:
        """Ports at either end, ICMP of the right version, everything if nothing was asked for."""
        packet = ipv6(protocol, ends) if six else ipv4(protocol, ends, options)
        wanted = not (ports or icmp)
        wanted |= bool(protocol in (_TCP, _UDP) and ports & set(ends))
        wanted |= icmp and protocol == (_ICMP6 if six else _ICMP)
        self.assertEqual(takes(packet, *ports, icmp=icmp), wanted)

    def test_both_ends_of_many_ports(self) -> None:
        """The most ports that there may be work to the last, wherever they stand."""
        ports = range(1_000, 1_000 + MAX_PORTS)
        for port in (ports[0], ports[-1]):
            for ends in ((port, 7), (7, port)):
                for packet in (ipv4(_TCP, ends), ipv6(_UDP, ends)):
                    self.assertTrue(takes(packet, *ports, icmp=True))
        self.assertFalse(takes(ipv6(_TCP, (7, 8)), *ports, icmp=True))

    def test_fragments(self) -> None:
        """A later part of a datagram has no ports: it is taken; a first part is judged by its own."""
        self.assertTrue(takes(ipv4(_TCP, (0, 0), fragment=0x0010), 9_999))
        self.assertFalse(takes(ipv4(_TCP, (7, 8), fragment=0x2000), 9_999))
        self.assertTrue(takes(ipv6(44, (0, 0)), 9_999))

    def test_seen_once(self) -> None:
        """On the loopback what goes out comes in again, and only that is taken; elsewhere both ways are."""
        packet = ipv4(_TCP, (1, 9_999))
        for interface, direction, wanted in ((1, OUTGOING, False), (1, 0, True), (2, OUTGOING, True), (2, 0, True)):
            self.assertEqual(takes(Skb(packet.network, packet.protocol, interface, direction), 9_999), wanted)

    def test_other_protocols_and_cut_packets(self) -> None:
        """ARP is not of a port; a packet that ends early is refused."""
        self.assertFalse(takes(Skb(bytes(28), 0x0806), 9_999))
        self.assertTrue(takes(Skb(bytes(28), 0x0806)))
        packet = ipv4(_TCP, (1, 9_999))
        self.assertFalse(takes(Skb(packet.network[:21], packet.protocol), 9_999))

    def test_bounds(self) -> None:
        """Too many ports, and numbers that are no ports."""
        self.assertRaises(ValueError, takes, ipv4(6, (1, 1)), *range(1, MAX_PORTS + 2))
        for port in (0, 65_536, -1):
            self.assertRaises(ValueError, takes, ipv4(6, (1, 1)), port)

    def test_packed(self) -> None:
        """As the kernel's struct sock_filter."""
        packed = pack(program([], icmp=False, loopback=1, snap_length=7))
        self.assertEqual(len(packed) % SIZE, 0)
        self.assertEqual(packed[:SIZE], struct.pack("=HBBI", 0x20, 0, 0, 0xFFFFF008))
