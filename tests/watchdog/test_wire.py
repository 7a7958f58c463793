"""The watchdog's wire: messages out of bytes, however they were cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.watchdog.wire import ALIVE, START, AnyBytesReader, Message, MessageReader

MESSAGES = st.lists(st.sampled_from(list(Message)), max_size=50)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The pieces of ``data`` between ``places``."""
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


class WireTests(SynchronousTestCase):
    """Numbers of 4 bytes, little-endian."""

    def test_old_programs_bytes(self) -> None:
        """What the lab's C programs send, as they have it in memory."""
        self.assertEqual((START, ALIVE), (b"\x2c\x01\x00\x00", b"\x00\x01\x00\x00"))
        reader = MessageReader()
        self.assertEqual(reader.feed(b"\x2c\x01\0\0\0\x01\0\0"), [Message.START, Message.ALIVE])
        self.assertEqual((reader.begun, reader.fault), (0, None))

    @given(MESSAGES, st.lists(st.integers(0, 200)))
    def test_any_splits(self, messages: list[Message], places: list[int]) -> None:
        """One byte at a time, several in a segment, anything between: the same messages."""
        data = b"".join(START if message is Message.START else ALIVE for message in messages)
        reader = MessageReader()
        found = [message for piece in cut(data, places) for message in reader.feed(piece)]
        self.assertEqual(found, messages)
        self.assertEqual((reader.begun, reader.fault), (0, None))

    @given(MESSAGES, st.binary(min_size=4, max_size=4), st.binary(max_size=40))
    def test_junk(self, messages: list[Message], number: bytes, rest: bytes) -> None:
        """What came before an unknown number counts; from there on nothing does, and the reason names the bytes."""
        if number in (START, ALIVE):
            return
        reader = MessageReader()
        data = b"".join(START if message is Message.START else ALIVE for message in messages)
        self.assertEqual(reader.feed(data + number + rest), messages)
        self.assertIn(repr(number), str(reader.fault))
        self.assertEqual((reader.feed(START), reader.begun), ([], 0))

    @given(st.binary(max_size=60), st.lists(st.integers(0, 60)))
    def test_splits_of_junk(self, data: bytes, places: list[int]) -> None:
        """Junk means the same however it was cut, and no more than 3 bytes of it are kept."""
        whole, pieces = MessageReader(), MessageReader()
        expected = whole.feed(data)
        found = [message for piece in cut(data, places) for message in pieces.feed(piece)]
        self.assertEqual((found, str(pieces.fault)), (expected, str(whole.fault)))
        self.assertLess(pieces.begun, 4)

    def test_unfinished(self) -> None:
        """Three bytes are no message, and a connection that ends there has said nothing."""
        reader = MessageReader()
        self.assertEqual((reader.feed(START[:3]), reader.begun, reader.fault), ([], 3, None))

    def test_any_bytes(self) -> None:
        """The short texts of other deployments: the first is the start, each later one a sign of life."""
        reader = AnyBytesReader()
        heard = [reader.feed(text) for text in (b"hey", b"", b"it works", b"\xff" * 70_000)]
        self.assertEqual(heard, [[Message.START], [], [Message.ALIVE], [Message.ALIVE]])
        self.assertIsNone(reader.fault)
