"""The summary counts what the analysis counts, and what tshark counts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.facts import Conversation, Packet
from netlab.trace.reading import Trace
from netlab.trace.summary import Summary, Talk
from tests.parts import require_program, temporary_folder
from tests.trace.frames import ACK, CONVERSATION, SYN, A, capture, ethernet, ipv4, ipv6, tcp, there, traced, udp

#: Port reuse, repeated SYNs, VLANs, fragments, IPv6, several conversations, and things that are no TCP.
MIXED = [
    *CONVERSATION,
    there(SYN, 9_000),
    there(SYN, 9_000),
    there(ACK, 9_001, 1),
    ethernet(b"\0\x2a\x08\0" + ipv4(tcp(ACK, 1, 1, b"tagged", ports=(5, 6))), 0x8100),
    ethernet(ipv4(tcp(ACK, 1, 1, b"x" * 28, ports=(7, 8))[:24], more=True)),
    ethernet(ipv4(tcp(ACK, 1, 1, b"x" * 28, ports=(7, 8))[24:], place=24)),
    ethernet(ipv6(tcp(SYN, 5), 6), 0x86DD),
    ethernet(ipv4(tcp(ACK, 1, 1, ports=(9, 9)), 6, A, A)),
    ethernet(ipv4(udp(b"question"), 17)),
    ethernet(ipv4(b"\x08\0\0\0\0\1\0\1ping", 1)),
    ethernet(b"?", 0x88CC),
]


def summary_of(data: bytes) -> Summary:
    """A summary of a file, in pieces."""
    summary = Summary(data[place : place + 777] for place in range(0, len(data), 777))
    summary.read()
    return summary


class SummaryTests(SynchronousTestCase):
    """Counting."""

    def test_like_the_analysis(self) -> None:
        """The same conversations with the same packets, bytes and times."""
        summary = summary_of(capture(MIXED))
        _, trace = traced(MIXED)

        def facts(one: Talk | Conversation) -> tuple[object, ...]:
            return one.number, one.endpoints, one.began, one.ended

        self.assertEqual(list(map(facts, summary.talks())), list(map(facts, trace.conversations())))
        for talk, one in zip(summary.talks(), trace.conversations(), strict=True):
            self.assertEqual(talk.packets, tuple(direction.packets for direction in one.directions))
            self.assertEqual(talk.bytes, tuple(direction.wire_bytes for direction in one.directions))

    def test_totals(self) -> None:
        """All packets, by protocol."""
        summary = summary_of(capture(MIXED))
        self.assertEqual((summary.packets, summary.bytes), (len(MIXED), sum(map(len, MIXED))))
        self.assertEqual(summary.ended - summary.began, (len(MIXED) - 1) * 1_000_000)
        expected = {"TCP": len(MIXED) - 3, "UDP": 1, "ICMP": 1, "LLDP": 1}
        self.assertEqual(dict(summary.protocols), expected)
        self.assertEqual(sum(summary.protocols.values()), len(MIXED))

    def test_like_tshark(self) -> None:
        """Packets of every conversation as ``tshark -z conv,tcp`` counts them."""
        require_program("tshark")
        path = temporary_folder(self) / "mixed.pcapng"
        path.write_bytes(capture(MIXED))
        talks = summary_of(path.read_bytes()).talks()
        found = sorted((*(str(end.port) for end in talk.endpoints), *talk.packets) for talk in talks)
        self.assertEqual(found, _tshark_conversations(path))

    def test_link_layers(self) -> None:
        """The quick way and the slow one see the same in every link layer."""
        packet = ipv4(tcp(SYN, 1))
        cooked2 = b"\x08\0\0\0\0\0\0\1\0\1\4\6\2\0\0\0\0\1\0\0"
        for link_type, before in (
            (1, ethernet(b"")),
            (113, bytes(14) + b"\x08\0"),
            (276, cooked2),
            (0, b"\2\0\0\0"),
            (101, b""),
        ):
            summary = summary_of(capture([before + packet] * 3, link_type))
            self.assertEqual([talk.packets for talk in summary.talks()], [(3, 0)], link_type)

    def test_packets_are_tuples(self) -> None:
        """A packet that leaves the core cannot be changed."""
        (packet,), _ = traced(MIXED[:1])
        self.assertIsInstance(packet, Packet)
        self.assertRaises(AttributeError, setattr, packet, "number", 5)
        self.assertIsInstance(Trace([]).file.interfaces, list)


def _tshark_conversations(path: Path) -> list[tuple[str, str, int, int]]:
    words = ["tshark", "-n", "-q", "-z", "conv,tcp", "-r", str(path)]
    text = subprocess.run(words, capture_output=True, check=True, text=True, timeout=60).stdout
    found = []
    for line in text.splitlines():
        if "<->" in line:
            one, two = re.findall(r":(\d+) ", line)[:2]
            to_one, to_two = re.findall(r" (\d+) +[\d,]+ (?:bytes|kB)", line)[:2]
            found.append((one, two, int(to_two), int(to_one)))
    return sorted(found)
