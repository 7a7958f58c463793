"""What is kept outside of this process: it comes back as it was, or not at all."""

import math

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.header import MAX_BODY, MAX_PACKET, encode_packet
from netlab.proxy.entry import Entry
from netlab.proxy.stores.packing import MAX_PACKED, digest_of, digests_from, pack, unpack

RUN, OTHER = b"this run", b"that run"

KEYS = st.binary(max_size=300)
RUNS = st.binary(min_size=8, max_size=8)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Any answer, stored at any time or at none that is known."""
    packet = encode_packet(
        draw(st.binary(max_size=300)),
        timestamp=draw(st.integers(0, 2**32 - 1)),
        status=draw(st.integers(0, 1_023)),
        cache=draw(st.booleans()),
        steps=draw(st.booleans()),
        max_age=draw(st.integers(0, 65_535)),
    )
    stored_at = draw(st.none() | st.floats(allow_nan=False, allow_infinity=False))
    return Entry.of(packet, stored_at)


class PackingTests(SynchronousTestCase):
    """`pack` and `unpack`."""

    @given(KEYS, entries(), RUNS)
    def test_round_trip(self, key: bytes, entry: Entry, run: bytes) -> None:
        """This run gets back all of it."""
        self.assertEqual(unpack(pack(key, entry, run), run), (key, entry))

    @given(KEYS, entries(), RUNS, RUNS)
    def test_another_run(self, key: bytes, entry: Entry, run: bytes, other: bytes) -> None:
        """Another run gets all but the time by a clock that means nothing to it."""
        known = entry.stored_at if run == other else None
        self.assertEqual(unpack(pack(key, entry, run), other), (key, evolve(entry, stored_at=known)))

    @given(st.binary(max_size=400) | st.text() | st.none() | st.integers() | st.floats())
    def test_junk(self, junk: object) -> None:
        """What `pack` did not make is nothing, and no error."""
        self.assertIsNone(unpack(junk, RUN))

    @given(KEYS, entries(), st.data())
    def test_one_byte(self, key: bytes, entry: Entry, data: st.DataObject) -> None:
        """One changed, missing or added byte, and it is nothing."""
        packed = pack(key, entry, RUN)
        at = data.draw(st.integers(0, len(packed) - 1))
        change = data.draw(st.integers(1, 255))
        self.assertIsNone(unpack(packed[:at] + bytes([packed[at] ^ change]) + packed[at + 1 :], RUN))
        self.assertIsNone(unpack(packed[:at], RUN))
        self.assertIsNone(unpack(packed[:at] + packed[at + 1 :], RUN))
        self.assertIsNone(unpack(packed + bytes([change]), RUN))

    def test_longest(self) -> None:
        """The longest key and answer are of the longest form; one byte more is nothing."""
        packet = b"\0\0\0\1\xff\xff" + encode_packet(b"", timestamp=0, status=200)[6:] + bytes(MAX_PACKET - 12)
        entry = Entry.of(packet, 1.5)
        packed = pack(b"S" * (1 + MAX_BODY), entry, RUN)
        self.assertEqual(len(packed), MAX_PACKED)
        self.assertEqual(unpack(packed, RUN), (b"S" * (1 + MAX_BODY), entry))
        self.assertIsNone(unpack(pack(b"S" * (2 + MAX_BODY), entry, RUN), RUN))

    def test_no_answers(self) -> None:
        """What is whole but holds no answer is nothing: a request, a packet with reserved bits, a cut one."""
        good = encode_packet(b"body", timestamp=1, status=200)
        request = encode_packet(b"body", timestamp=1, request=True)
        for packet in (b"", good[:-1], good + b"x", request, good[:6] + b"\x20" + good[7:]):
            self.assertIsNone(unpack(pack(b"key", Entry(packet), RUN), RUN))

    def test_times_that_are_none(self) -> None:
        """An infinite time is as good as none."""
        packet = encode_packet(b"body", timestamp=1, status=200)
        for odd in (math.inf, -math.inf, math.nan):
            self.assertEqual(unpack(pack(b"key", Entry.of(packet, odd), RUN), RUN), (b"key", Entry.of(packet, None)))


class DigestTests(SynchronousTestCase):
    """Digests by the beginning of their hexadecimal form."""

    @given(KEYS, st.integers(0, 64), KEYS)
    def test_between(self, key: bytes, length: int, other: bytes) -> None:
        """A digest is in the range of each of its beginnings, and in no other's."""
        name = digest_of(key).hex()[:length]
        first, last = digests_from(name)
        self.assertTrue(first <= digest_of(key) <= last)
        self.assertEqual(first <= digest_of(other) <= last, digest_of(other).hex().startswith(name))

    @given(st.text())
    def test_no_beginnings(self, name: str) -> None:
        """Any text is allowed; one that no digest begins with has none."""
        first, last = digests_from(name)
        self.assertEqual(first <= last, len(name) <= 64 and all(each in "0123456789abcdef" for each in name))
