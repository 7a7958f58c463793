"""ICMP messages as bytes: round trips, recorded packets, everything cut and damaged."""

from __future__ import annotations

import contextlib
import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.icmp.causes import cause
from netlab.icmp.errors import Damaged, PacketFault, Truncated
from netlab.icmp.packet import (
    Echo,
    ErrorMessage,
    Family,
    Quoted,
    decode,
    decode_quoted,
    decode_request,
    encode_request,
    expected_reply,
    unwrap_ipv4,
)
from tests.icmp.peers import HOST, error_about, ipv4, ipv6, reply_to, with_checksum

families = st.sampled_from(list(Family))
words = st.integers(0, 0xFFFF)
data = st.binary(max_size=200)


class RequestTests(SynchronousTestCase):
    """What we send."""

    def test_bytes(self) -> None:
        """The lab's packet, byte by byte (protocols.md §4): checked by hand."""
        packet = encode_request(Family.IPV4, 0x1234, 0, b"This is the ping.\n\0")
        self.assertEqual(packet[:2] + packet[4:], bytes.fromhex("0800 12340000") + b"This is the ping.\n\0")
        total = sum(struct.unpack("!14H", packet + b"\0"))
        self.assertEqual(total % 0xFFFF, 0)

    def test_ipv6_leaves_the_checksum(self) -> None:
        """The kernel knows the addresses that go into it."""
        self.assertEqual(encode_request(Family.IPV6, 1, 2, b"x"), bytes.fromhex("80000000 00010002") + b"x")

    @given(families, words, words, data)
    def test_round_trip(self, family: Family, identifier: int, sequence: int, payload: bytes) -> None:
        """What a host sends back is what was sent."""
        echo = Echo(identifier, sequence, payload)
        request = encode_request(family, identifier, sequence, payload)
        self.assertEqual(decode_request(family, request), echo)
        self.assertEqual(decode(family, reply_to(request, family)), echo)
        self.assertIsNone(decode(family, request))

    @given(words, words, data)
    def test_expected(self, identifier: int, sequence: int, payload: bytes) -> None:
        """The reply that is expected is the one that a host makes, but for the two ways to write zero."""
        request = encode_request(Family.IPV4, identifier, sequence, payload)
        expected, made = expected_reply(request), reply_to(request)
        if expected != made:
            self.assertEqual({expected[2:4], made[2:4]}, {b"\0\0", b"\xff\xff"})
            expected = made[:2] + expected[2:4] + made[4:]
        self.assertEqual((expected[:2], expected[4:]), (made[:2], made[4:]))

    @given(words, words, data, st.integers(0, 207), st.integers(1, 255))
    def test_damaged(self, identifier: int, sequence: int, payload: bytes, place: int, flip: int) -> None:
        """A byte that is not what it was never passes the checksum."""
        reply = bytearray(reply_to(encode_request(Family.IPV4, identifier, sequence, payload)))
        reply[place % len(reply)] ^= flip
        with self.assertRaises(Damaged):
            decode(Family.IPV4, bytes(reply))

    @given(families, st.integers(0, 7))
    def test_truncated(self, family: Family, length: int) -> None:
        """Less than a header is no message."""
        reply = reply_to(encode_request(family, 1, 2, b""), family)[:length]
        with self.assertRaises(Truncated):
            decode(family, reply)
        with self.assertRaises(Truncated):
            decode_request(family, reply)


class JunkTests(SynchronousTestCase):
    """Whatever comes, it is read or refused by an error of ours."""

    @given(families, st.binary(max_size=120))
    def test_messages(self, family: Family, junk: bytes) -> None:
        """Any bytes as a message, with a right checksum so that they get further."""
        for message in (junk, with_checksum(junk) if len(junk) >= 4 else junk):
            with contextlib.suppress(PacketFault):
                decode(family, message)

    @given(families, st.sampled_from([3, 11, 12, 1, 2, 4]), st.binary(max_size=100))
    def test_quotes(self, family: Family, kind: int, junk: bytes) -> None:
        """Any bytes as the packet that an error quotes."""
        with contextlib.suppress(PacketFault):
            decode(family, with_checksum(bytes([kind, 0, 0, 0, 0, 0, 0, 0]) + junk))

    @given(st.binary(max_size=100))
    def test_ip(self, junk: bytes) -> None:
        """Any bytes as an IPv4 packet, half of them with a first byte that is right."""
        for packet in (junk, b"\x45" + junk, b"\x4f" + junk):
            with contextlib.suppress(PacketFault):
                unwrap_ipv4(packet)


class ErrorTests(SynchronousTestCase):
    """Errors, and the requests that they quote."""

    def test_ipv4(self) -> None:
        """A router that says time exceeded, with and without options in the header, with little and much quoted."""
        request = encode_request(Family.IPV4, 7, 8, b"0123456789")
        for options in (b"", b"\1" * 8):
            packet = ipv4(request, "192.0.2.9", HOST, options)
            for quoted, payload in ((28, b""), (32, b"0123"), (100, b"0123456789")):
                found = decode(Family.IPV4, error_about(packet, 11, 0, 5, quoted + len(options)))
                about = Quoted(bytes([192, 0, 2, 1]), Echo(7, 8, payload))
                self.assertEqual(found, ErrorMessage(11, 0, 5, about))

    def test_ipv6(self) -> None:
        """The same with IPv6."""
        packet = ipv6(encode_request(Family.IPV6, 7, 8, b"01"), "2001:db8::9", "2001:db8::1")
        found = decode(Family.IPV6, error_about(packet, 3, 0, quoted=100))
        self.assertEqual(
            found, ErrorMessage(3, 0, 0, Quoted(bytes.fromhex("20010db8" + "0" * 23 + "1"), Echo(7, 8, b"01")))
        )

    def test_about_others(self) -> None:
        """An error about UDP, or about an echo reply, is none about our requests."""
        request = encode_request(Family.IPV4, 7, 8, b"")
        self.assertIsNone(decode_quoted(Family.IPV4, ipv4(request, HOST, HOST, protocol=17)))
        self.assertIsNone(decode(Family.IPV4, error_about(ipv4(reply_to(request), HOST, HOST), 3, 1)))

    @given(st.integers(0, 27))
    def test_quoted_too_little(self, length: int) -> None:
        """A quote that ends in a header is refused."""
        packet = ipv4(encode_request(Family.IPV4, 7, 8, b""), HOST, HOST)
        with self.assertRaises(Truncated):
            decode(Family.IPV4, error_about(packet, 3, 1, quoted=length))

    def test_causes(self) -> None:
        """Known errors in words, those about size with the size; unknown ones by their numbers."""
        for expected, arguments in (
            ("host unreachable", (Family.IPV4, 3, 1)),
            ("time to live exceeded", (Family.IPV4, 11, 0)),
            ("fragmentation needed (MTU 1,400)", (Family.IPV4, 3, 4, 0xABCD0000 + 1_400)),
            ("packet too big (MTU 66,000)", (Family.IPV6, 2, 0, 66_000)),
            ("hop limit exceeded", (Family.IPV6, 3, 0)),
            ("ICMP error of type 3, code 99", (Family.IPV4, 3, 99)),
        ):
            self.assertEqual(cause(*arguments), expected)


class WrapTests(SynchronousTestCase):
    """IPv4's header around a message, as raw sockets give it."""

    def test_padding(self) -> None:
        """What is behind the packet's own length, as Ethernet pads it, is not part of it."""
        self.assertEqual(unwrap_ipv4(ipv4(b"message!", HOST, HOST) + b"\0\0\0"), b"message!")

    def test_refused(self) -> None:
        """Shorter than it says; another protocol; another version; a header that is none."""
        packet = ipv4(b"message!", HOST, HOST)
        for bad, error in (
            (packet[:-1], Truncated),
            (packet[:19], Truncated),
            (ipv4(b"", HOST, HOST, protocol=6), PacketFault),
            (b"\x65" + packet[1:], PacketFault),
            (b"\x44" + packet[1:], PacketFault),
            (b"\x4f" + packet[1:], Truncated),
        ):
            with self.assertRaises(error):
                unwrap_ipv4(bad)
