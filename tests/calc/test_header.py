"""The 12-byte header."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.header import (
    CACHE,
    CLIENT_ERROR,
    FOREVER,
    HEADER_LENGTH,
    MAX_BODY,
    MAX_PACKET,
    REQUEST,
    RESERVED,
    STATUS,
    STEPS,
    SUCCESS,
    Header,
    encode_packet,
)
from netlab.common.errors import LocalError
from tests.calc.cases import tries


class HeaderTests(SynchronousTestCase):
    """Fields and flags, where protocols.md §1 has them."""

    def test_seen_on_the_wire(self) -> None:
        """The two headers that protocols.md shows."""
        request = bytes.fromhex("66554433 02af 1c00 ffff 0000")
        response = bytes.fromhex("66554433 0234 18c8 ffff 0000")
        self.assertEqual(Header.decode(request), Header(0x66554433, 687, True, True, True, 0, FOREVER))
        self.assertEqual(Header.decode(response), Header(0x66554433, 564, True, True, False, SUCCESS, FOREVER))

    def test_bits(self) -> None:
        """Every bit of the field belongs to one thing."""
        self.assertEqual(RESERVED | CACHE | STEPS | REQUEST | STATUS, 0xFFFF)
        self.assertEqual(RESERVED + CACHE + STEPS + REQUEST + STATUS, 0xFFFF)

    @given(
        st.integers(0, 2**32 - 1),
        *([st.booleans()] * 3),
        st.integers(0, STATUS),
        st.integers(0, FOREVER),
        st.binary(max_size=20),
    )
    @tries(100)
    def test_round_trip(
        self, timestamp: int, cache: bool, steps: bool, request: bool, status: int, max_age: int, body: bytes
    ) -> None:
        """What was encoded is decoded, and the body follows."""
        packet = encode_packet(
            body, timestamp=timestamp, cache=cache, steps=steps, request=request, status=status, max_age=max_age
        )
        header = Header(timestamp, HEADER_LENGTH + len(body), cache, steps, request, status, max_age)
        self.assertEqual(Header.decode(packet), header)
        self.assertEqual(packet[HEADER_LENGTH:], body)
        self.assertEqual(packet[10:12], b"\0\0")

    def test_defaults(self) -> None:
        """Nothing is claimed that was not asked for."""
        self.assertEqual(encode_packet(b"", timestamp=0), bytes(5) + b"\x0c" + bytes(6))

    def test_clock_goes_round(self) -> None:
        """In 2106 the time stamp begins again; a clock before 1970 does no harm."""
        self.assertEqual(Header.decode(encode_packet(b"", timestamp=2**32 + 5)).timestamp, 5)
        self.assertEqual(Header.decode(encode_packet(b"", timestamp=-1)).timestamp, 2**32 - 1)

    def test_longest(self) -> None:
        """65,535 bytes fit, one more is refused as our own mistake."""
        packet = encode_packet(bytes(MAX_BODY), timestamp=0, status=CLIENT_ERROR)
        self.assertEqual(len(packet), MAX_PACKET)
        self.assertEqual(Header.decode(packet).length, MAX_PACKET)
        self.assertRaises(LocalError, encode_packet, bytes(MAX_BODY + 1), timestamp=0)
