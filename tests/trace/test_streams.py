"""Streams as programs read them, and which of their bytes were seen."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.coverage import MAX_GAPS, MAX_ISLANDS, Coverage
from netlab.trace.streams import MAX_HELD, Gap, Piece, Stream, Streams
from tests.trace.frames import CONVERSATION, PSH, there, traced

BYTES = bytes(number * 7 % 251 for number in range(600))

#: (start, length) of segments of BYTES
Cuts = list[tuple[int, int]]


def joined(parts: list[Piece | Gap]) -> bytes:
    """The bytes of the pieces."""
    return b"".join(part.data for part in parts if isinstance(part, Piece))


class StreamTests(SynchronousTestCase):
    """One direction."""

    @given(
        st.integers(0, 0xFFFFFFFF),
        st.lists(st.tuples(st.integers(0, 599), st.integers(1, 90)), max_size=30),
        st.randoms(use_true_random=False),
    )
    def test_any_order(self, first: int, extra: Cuts, chosen: random.Random) -> None:
        """Late, repeated and overlapping segments give the stream once, wherever its numbers begin and wrap."""
        cuts = [(place, 50) for place in range(0, 600, 50)] + extra
        chosen.shuffle(cuts)
        stream = Stream()
        stream.begin(first)
        parts: list[Piece | Gap] = []
        for frame, (start, length) in enumerate(cuts):
            parts += stream.add(first + start & 0xFFFFFFFF, BYTES[start : start + length], frame, 0)
        self.assertEqual(joined(parts), BYTES)
        self.assertEqual(stream.held, 0)
        offset = 0
        for part in parts:
            assert isinstance(part, Piece)
            self.assertEqual(part.offset, offset)
            offset += len(part.data)

    def test_gap(self) -> None:
        """What the receiver acknowledged, and nobody captured, is a gap; without that it is waited for."""
        stream = Stream()
        stream.begin(1)
        self.assertEqual(stream.add(11, b"later", 2, 0), [])
        self.assertEqual(stream.acknowledged(1), [])
        self.assertEqual(stream.acknowledged(16), [Gap(0, 10, 1), Piece(10, b"later", 2, 0, 11)])
        self.assertEqual(stream.add(1, b"0123456789", 3, 0), [])

    def test_bounded(self) -> None:
        """A piece that never comes does not make everything after it wait for ever."""
        stream = Stream()
        stream.begin(1)
        data = bytes(1000)
        most = 0
        for number in range(3_000):
            stream.add(10_001 + number * 2_000, data, number, 0)
            most = max(most, stream.held)
        self.assertLessEqual(most, MAX_HELD)

    def test_conversation(self) -> None:
        """Both directions of a conversation, with the frames that brought the bytes."""
        packets, _ = traced(CONVERSATION)
        streams = Streams()
        found = []
        for packet in packets:
            found += streams.segment(packet.number, packet.time, packet.transport)  # type: ignore[arg-type]
        said = [(sender, part.data, part.frame) for sender, part in found if isinstance(part, Piece)]
        self.assertEqual(said, [(0, b"hello", 4), (1, b"0123456789", 6)])
        self.assertEqual(streams.finish(0), [])

    def test_end_of_the_capture(self) -> None:
        """What was held back comes in the end, after its gap."""
        packets, _ = traced([*CONVERSATION[:3], there(PSH, 121, 0, b"far")])
        streams = Streams()
        for packet in packets:
            self.assertFalse(streams.segment(packet.number, packet.time, packet.transport))  # type: ignore[arg-type]
        self.assertEqual(next(part for _, part in streams.finish(0)), Gap(0, 20, 1))


class CoverageTests(SynchronousTestCase):
    """Which bytes were seen."""

    @given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 60)), max_size=40))
    def test_like_a_set(self, cuts: Cuts) -> None:
        """Seen and missing bytes are what a set of numbers says."""
        coverage = Coverage(0)
        seen: set[int] = set()
        for start, length in cuts:
            coverage.add(start, start + length)
            seen.update(range(start, start + length))
        everything = set(range(max(seen, default=-1) + 1))
        self.assertEqual((coverage.seen(), coverage.missing()), (len(seen), len(everything - seen)))
        gaps = {number for start, stop in coverage.gaps() for number in range(start, stop)}
        self.assertEqual(gaps, everything - seen)

    def test_bounded(self) -> None:
        """Every second byte of a long stream is missing: the list stays short, the sum right."""
        coverage = Coverage(0)
        for place in range(1, 4_001, 2):
            coverage.add(place, place + 1)
        self.assertEqual((len(coverage.gaps()), coverage.missing(), coverage.seen()), (MAX_GAPS, 2_000, 2_000))
        self.assertLessEqual(len(coverage._islands), MAX_ISLANDS)
