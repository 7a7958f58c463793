"""The Internet checksum against a plain model and the example of its RFC."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.checksum import internet_checksum


def plain(data: bytes) -> int:
    """RFC 1071 §4.1, word by word."""
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class ChecksumTests(SynchronousTestCase):
    """It is the complement of the one's complement sum."""

    def test_example(self) -> None:
        """The bytes of RFC 1071 §3."""
        self.assertEqual(internet_checksum(bytes.fromhex("0001f203f4f5f6f7")), 0x220D)

    def test_zeros(self) -> None:
        """Zeros sum up to 0, and words that sum up to 65,535 to that: the two zeros of one's complement."""
        self.assertEqual(
            [internet_checksum(data) for data in (b"", bytes(8), b"\xff\xff", b"\xff\xfe\x00\x01")],
            [0xFFFF, 0xFFFF, 0, 0],
        )

    @given(st.binary(max_size=100))
    def test_model(self, data: bytes) -> None:
        """Any bytes, odd lengths included."""
        self.assertEqual(internet_checksum(data), plain(data))

    @given(st.binary(min_size=2, max_size=100).filter(lambda data: len(data) % 2 == 0))
    def test_verifies(self, data: bytes) -> None:
        """Data with its own checksum in it gives 0."""
        data = data[:-2] + internet_checksum(data[:-2] + b"\0\0").to_bytes(2, "big")
        self.assertEqual(internet_checksum(data), 0)
