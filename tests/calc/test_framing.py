"""A byte stream becomes the same packets, whatever way it was cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.errors import FramingError, LengthTooShort, ReservedBitsSet
from netlab.calc.framing import FrameReader, is_whole
from netlab.calc.header import HEADER_LENGTH, LAYOUT, MAX_BODY, encode_packet
from tests.calc.cases import mutated, peak_memory, tries
from tests.calc.vectors import VECTORS

frames = st.builds(
    encode_packet,
    st.binary(max_size=60),
    timestamp=st.integers(0, 2**32 - 1),
    request=st.booleans(),
    status=st.integers(0, 1023),
)
RECORDED = [vector.request for vector in VECTORS.values()]


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream in pieces, some of them perhaps empty."""
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(places)]


def fed(parts: list[bytes]) -> tuple[list[bytes], FrameReader]:
    """All frames that a new reader gives, and the reader."""
    reader = FrameReader()
    return [frame for part in parts for frame in reader.feed(part)], reader


class CutTests(SynchronousTestCase):
    """TCP's pieces mean nothing."""

    @given(st.lists(frames, max_size=8), st.lists(st.integers(0, 600), max_size=20))
    @tries(300)
    def test_any_cut(self, packets: list[bytes], cuts: list[int]) -> None:
        """Any cut gives the packets back, and no byte is left."""
        found, reader = fed(pieces(b"".join(packets), cuts))
        self.assertEqual(found, packets)
        self.assertEqual((reader.fault, reader.begun), (None, 0))

    def test_all_at_once(self) -> None:
        """Every recorded request in one segment."""
        self.assertEqual(fed([b"".join(RECORDED)])[0], RECORDED)

    def test_byte_by_byte(self) -> None:
        """Every recorded request, one byte at a time."""
        stream = b"".join(RECORDED)
        self.assertEqual(fed([stream[place : place + 1] for place in range(len(stream))])[0], RECORDED)

    def test_every_cut_in_two(self) -> None:
        """Two packets, cut once at each place; each comes as soon as its last byte is here."""
        packets = [encode_packet(b"one", timestamp=1, request=True), encode_packet(b"", timestamp=2, request=True)]
        stream = b"".join(packets)
        for place in range(len(stream) + 1):
            reader = FrameReader()
            first = reader.feed(stream[:place])
            self.assertEqual(len(first), (place >= 15) + (place >= 27))
            self.assertEqual(reader.begun, place if place < 15 else (place - 15) % 12)
            self.assertEqual(first + reader.feed(stream[place:]), packets)

    def test_longest_and_shortest(self) -> None:
        """A header alone is a packet; so are 65,535 bytes."""
        packets = [encode_packet(b"", timestamp=0), encode_packet(bytes(MAX_BODY), timestamp=0)] * 2
        self.assertEqual(fed(pieces(b"".join(packets), [5, 13, 60_000, 66_000]))[0], packets)

    def test_nothing(self) -> None:
        """Nothing comes of nothing, also in the middle of a packet."""
        reader = FrameReader()
        self.assertEqual(reader.feed(b""), [])
        reader.feed(RECORDED[0][:20])
        self.assertEqual((reader.feed(b""), reader.begun), ([], 20))
        self.assertEqual(reader.feed(RECORDED[0][20:]), [RECORDED[0]])


class FaultTests(SynchronousTestCase):
    """A header that cannot be trusted ends the stream, not what came before."""

    def faulty(self, bad: bytes, kind: type[FramingError]) -> None:
        """In every cut: the good packet is given, the fault is ``kind``, and nothing after it is heard."""
        good = RECORDED[0]
        stream = good + bad
        for cuts in ([], [len(good)], [len(good) + 3], [len(good) + 8], [*range(len(stream))]):
            found, reader = fed(pieces(stream, cuts))
            self.assertEqual(found, [good])
            self.assertIs(type(reader.fault), kind)
            fault = reader.fault
            self.assertEqual((reader.feed(good), reader.feed(b""), reader.begun), ([], [], 0))
            self.assertIs(reader.fault, fault)

    def test_too_short(self) -> None:
        """A length under that of the header, which would never get on."""
        for length in range(HEADER_LENGTH):
            self.faulty(LAYOUT.pack(0, length, 0x0400, 0) + RECORDED[0], LengthTooShort)

    def test_reserved(self) -> None:
        """Each of the reserved bits, alone and all together."""
        for bits in (0x2000, 0x4000, 0x8000, 0xE000):
            self.faulty(LAYOUT.pack(0, 12, bits | 0x0400, 0) + RECORDED[0], ReservedBitsSet)

    def test_both(self) -> None:
        """The length is what is said first."""
        self.faulty(LAYOUT.pack(0, 3, 0xE000, 0), LengthTooShort)

    def test_early(self) -> None:
        """The fault is seen with the eighth byte, before the rest of the header is waited for."""
        _, reader = fed([LAYOUT.pack(0, 11, 0, 0)[:7]])
        self.assertIsNone(reader.fault)
        reader.feed(b"\0")
        self.assertIsInstance(reader.fault, LengthTooShort)

    def test_words(self) -> None:
        """The fault says what was found."""
        self.assertIn("11", str(fed([LAYOUT.pack(0, 11, 0, 0)])[1].fault))
        self.assertIn("0xe400", str(fed([LAYOUT.pack(0, 12, 0xE400, 0)])[1].fault))


class JunkTests(SynchronousTestCase):
    """Bytes at random."""

    @given(st.binary(max_size=300) | mutated([b"".join(RECORDED[7:9] * 3)]), st.lists(st.integers(0, 300), max_size=8))
    @tries(500)
    def test_junk(self, stream: bytes, cuts: list[int]) -> None:
        """Nothing is raised; frames are whole and in order; cut or not, the outcome is the same."""
        found, reader = fed(pieces(stream, cuts))
        whole, other = fed([stream])
        self.assertEqual((found, str(reader.fault)), (whole, str(other.fault)))
        self.assertTrue(stream.startswith(b"".join(found)))
        for frame in found:
            self.assertEqual(LAYOUT.unpack_from(frame)[1], len(frame))
        if reader.fault is None:
            self.assertEqual(b"".join(found) + stream[len(stream) - reader.begun :], stream)

    def test_memory(self) -> None:
        """An unfinished packet is all that is kept, however slowly it comes."""
        packet = encode_packet(bytes(MAX_BODY), timestamp=0)

        def trickle() -> None:
            reader = FrameReader()
            for start in range(0, len(packet) * 20, 100):
                place = start % len(packet)
                reader.feed(packet[place : place + 100])

        self.assertLess(peak_memory(trickle), 2**20)


class WholeTests(SynchronousTestCase):
    """The short cut for what is exactly one packet."""

    @tries(300)
    @given(mutated([encode_packet(b"one", timestamp=1), encode_packet(b"", timestamp=1) * 2, bytes(12)]))
    def test_as_the_reader(self, data: bytes) -> None:
        """It says yes exactly when the reader finds one packet, and nothing left or wrong."""
        reader = FrameReader()
        self.assertEqual(is_whole(data), reader.feed(data) == [data] and reader.fault is None and not reader.begun)
