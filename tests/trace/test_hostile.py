"""Captures that somebody made to do harm: only our errors, bounded memory, and always an end."""

from __future__ import annotations

import json
import random
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace import json_report
from netlab.trace.errors import TraceError
from netlab.trace.opening import unpacked
from netlab.trace.reading import Trace
from netlab.trace.report.paint import Paint
from netlab.trace.report.summary import report
from netlab.trace.report.telling import Telling
from netlab.trace.report.text import TextReport
from netlab.trace.streams import Streams
from netlab.trace.summary import Summary
from netlab.trace.words.loading import language
from tests.trace.frames import (
    ACK,
    CONVERSATION,
    PSH,
    SYN,
    A,
    B,
    capture,
    ethernet,
    ipv4,
    ipv6,
    segments,
    tcp,
    traced,
    udp,
)
from tests.trace.test_files import pcap, pcapng

#: Something of everything that is read.
RICH = [
    *CONVERSATION,
    ethernet(ipv4(udp(b"question"), 17)),
    ethernet(ipv4(b"\x08\0\0\0\x12\x34\0\7ping", 1)),
    ethernet(ipv4(b"\3\1\0\0\0\0\0\0" + ipv4(tcp(SYN, 77)), 1)),
    ethernet(ipv4(tcp(PSH | ACK, 1, 1, b"x" * 30)[:24], more=True)),
    ethernet(ipv4(tcp(PSH | ACK, 1, 1, b"x" * 30)[24:], place=24)),
    ethernet(ipv6(b"\x06\0" + bytes(6) + tcp(SYN, 5), 0), 0x86DD),
    ethernet(ipv6(b"\x80\0\0\0\x12\x34\0\7ping", 58), 0x86DD),
    ethernet(bytes.fromhex("0001080006040001 020000000001 0a000001 000000000000 0a000002"), 0x0806),
    ethernet(ipv4(tcp(SYN, 1, options=bytes.fromhex("020405b4 0402080a0000000000000000 01030307")))),
]

#: Places in a packet, and what is to be there.
CHANGES = st.lists(st.tuples(st.integers(12, 90), st.integers(0, 255)), max_size=4)


def look(data: bytes, size: int = 1 << 20) -> None:
    """Do everything with a file that is done with files."""
    blocks = [data[place : place + size] for place in range(0, len(data), size)]
    json.loads("".join(json_report.report(Trace(unpacked(iter(blocks))))))
    for code in ("en", "he"):
        told = Telling(Trace(unpacked(iter(blocks))), None, {})
        "\n".join(TextReport(told, {}, language(code), 100, Paint(True)).lines())
    summary = Summary(unpacked(iter(blocks)))
    summary.read()
    json.loads("".join(json_report.summary_report(summary)))
    "\n".join(report(summary, language("en"), Paint(False)))


class MutationTests(SynchronousTestCase):
    """Good captures with some bytes changed."""

    def survives(self, data: bytes, size: int = 1 << 20) -> None:
        """The file can be looked at, or is refused with one of our own errors."""
        try:
            look(data, size)
        except TraceError as error:
            self.assertTrue(str(error))
            self.assertNotIn("\n", str(error))

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_changed_bytes(self, data: st.DataObject) -> None:
        """Any bytes of any file."""
        whole = bytearray(data.draw(st.sampled_from([pcap(), pcapng(), capture(RICH), pcap(data=RICH)])))
        for _ in range(data.draw(st.integers(1, 6))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        self.survives(bytes(whole[: data.draw(st.integers(0, len(whole)))]), data.draw(st.integers(1, 5_000)))

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(RICH), CHANGES), max_size=30))
    def test_changed_packets(self, chosen: list[tuple[bytes, list[tuple[int, int]]]]) -> None:
        """Good files with bad packets in them: nothing is refused."""
        frames = []
        for frame, changes in chosen:
            changed = bytearray(frame)
            for place, value in changes:
                if place < len(changed):
                    changed[place] = value
            frames.append(bytes(changed))
        look(capture(frames))

    @given(st.binary(max_size=400))
    def test_junk(self, junk: bytes) -> None:
        """Junk alone, and junk that begins as a capture does."""
        self.survives(junk)
        self.survives(pcap()[:24] + junk)
        self.survives(pcapng()[:28] + junk)
        self.survives(b"\x1f\x8b" + junk)

    @settings(deadline=None)
    @given(st.sampled_from([0, 1, 12, 105, 108, 113, 228, 229, 276]), st.binary(max_size=120))
    def test_junk_packets(self, link_type: int, junk: bytes) -> None:
        """Junk as a packet of any link layer."""
        look(capture([junk], link_type))

    def test_random_segments(self) -> None:
        """TCP segments without any sense keep the rules of streams and flags."""
        chosen = random.Random(6)
        frames = []
        for _ in range(3_000):
            seq, ack = (chosen.choice((0, 1, 50, 1 << 31, 0xFFFFFFFF)) + chosen.randrange(40) for _ in range(2))
            segment = tcp(
                chosen.getrandbits(12),
                seq & 0xFFFFFFFF,
                ack & 0xFFFFFFFF,
                bytes(chosen.choice((0, 0, 1, 9))),
                window=chosen.choice((0, 5, 900)),
                options=chosen.choice((b"", b"\x01\x03\x03\x0e", b"\x02\x04\x05\xb4")),
            )
            ends = chosen.choice(((A, B), (B, A)))
            frames.append(ethernet(ipv4(segment, 6, *ends)))
        look(capture(frames))
        packets, trace = traced(frames)
        streams = Streams()
        for packet, segment in zip(packets, segments(packets), strict=True):
            streams.segment(packet.number, packet.time, segment)
        for conversation in trace.conversations():
            for direction in conversation.directions:
                self.assertGreaterEqual(direction.unique_bytes, 0)
                self.assertLessEqual(len(direction.gaps), 64)


class MemoryTests(SynchronousTestCase):
    """What a file may make us keep."""

    def peak(self, frames: list[bytes], rounds: int) -> int:
        """How many bytes were used at most while ``frames`` came again and again."""
        header, *_ = (capture([]),)
        block = capture(frames)[len(header) :]

        def blocks() -> list[bytes]:
            return [header, *[block] * rounds]

        tracemalloc.start()
        try:
            for _ in Trace(blocks()).packets():
                pass
            summary = Summary(blocks())
            summary.read()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_one_conversation(self) -> None:
        """A million bytes that nobody acknowledges, or a thousand holes, cost no more than a little."""
        holes = [ethernet(ipv4(tcp(ACK, number * 50, 1, b"x" * 9))) for number in range(300)]
        once = self.peak(holes, 1)
        self.assertLess(self.peak(holes, 12) - once, 400_000)
