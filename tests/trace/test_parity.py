"""The analysis says what tshark says, frame by frame, about what real kernels did on a bad wire."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.facts import Segment
from netlab.trace.flags import WIRESHARK_NAMES
from netlab.trace.opening import blocks_of
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from netlab.trace.reading import Trace
from tests.parts import require_program, temporary_folder
from tests.trace import plays
from tests.trace.frames import CONVERSATION, SYN, capture, ethernet, ipv4, tcp, there
from tests.trace.parity import differences
from tests.trace.test_files import pcap
from tests.trace.test_summary import MIXED
from tests.trace.wire import Frame, Rule, Wire, require_wire

#: Without IPv6 and fragments, which a short snap length leaves nothing of.
MIXED_IPV4 = MIXED[:13]
#: Of how many frames tshark may say something else; docs/trace.md says what those are.
TOLERATED = 0.005


class ParityTests(SynchronousTestCase):
    """Both ends of each play are captured, and compared."""

    def setUp(self) -> None:
        """A wire needs root, and the comparison tshark."""
        require_wire()
        require_program("tshark")
        self.flags: Counter[str] = Counter()
        #: What was seen at the ends of all plays, each end's connections with addresses of their own: one run of
        #: tshark looks at all of it.
        self._seen: list[tuple[int, bytes]] = []
        self._ends = 0

    def tearDown(self) -> None:
        """Nothing that was seen went without comparison."""
        self.assertEqual(self._seen, [])

    def agree(self, play: plays.Play, rule: Rule | None = None, latency: float = 0.0) -> None:
        """Let ``play`` run over a wire with that rule; what is seen at both ends is to agree."""
        wire = Wire(rule, latency=latency)
        try:
            play(wire)
            wire.settle()
        finally:
            wire.close()
        for seen in wire.seen:
            self.assertTrue(seen)
            self._ends += 1
            self._seen += [(when, _moved(frame, self._ends)) for when, frame in seen]

    def compared(self) -> None:
        """Of the frames of all plays hardly any differs."""
        path = temporary_folder(self) / "both ends.pcapng"
        blocks = [section_header(), interface_description(1)]
        path.write_bytes(b"".join([*blocks, *(enhanced_packet(*one) for one in self._seen)]))
        self._seen.clear()
        count, different = differences(path)
        self.assertGreater(count, 0)
        self.assertLessEqual(len(different), TOLERATED * count, different)
        self.flags.update(_flags(path))

    def shows(self, *kinds: str) -> None:
        """The plays produced these flags, and tshark says the same."""
        self.compared()
        self.assertEqual(set(), set(kinds) - self.flags.keys(), dict(self.flags))

    def test_nothing_unusual(self) -> None:
        """A connection over a good wire has no flag at all but those of windows."""
        self.agree(plays.question_and_answer)
        self.compared()
        self.assertEqual(set(), self.flags.keys() - {"window_update"})

    def test_lost_in_a_burst(self) -> None:
        """A segment that is lost among others: duplicate ACKs bring it again at once."""
        self.agree(plays.bulk(200_000), plays.once(plays.data_from_client(20), plays.drop))
        self.shows("duplicate_ack", "fast_retransmission", "lost_segment")

    def test_lost_alone(self) -> None:
        """A segment that nothing follows is sent again when its time is out."""
        self.agree(plays.question_and_answer, plays.once(lambda frame: frame.payload == b"hello", plays.drop))
        self.shows("retransmission")

    def test_lost_acks(self) -> None:
        """Data whose ACK is lost is sent again for nothing."""
        self.agree(plays.late_answer, plays.no_acks(2))
        self.shows("spurious_retransmission")

    def test_lost_openings_and_ends(self) -> None:
        """SYN, SYN-ACK and FIN are sent again like data."""
        for bits in (0x02, 0x12, 0x01):
            self.agree(plays.question_and_answer, plays.once(_has(bits), plays.drop))
        self.shows("retransmission")

    def test_late_and_twice(self) -> None:
        """A segment that others overtook is out of order; one that came twice was spurious."""
        self.agree(plays.bulk(4_000), plays.once(plays.data_from_client(3), plays.late(0.002)), latency=0.005)
        self.agree(plays.bulk(200_000), plays.once(plays.data_from_client(20), plays.late(0.01)))
        self.agree(plays.bulk(200_000), plays.once(plays.data_from_client(20), plays.twice))
        self.shows("out_of_order", "duplicate_ack")

    def test_not_captured(self) -> None:
        """What was carried and not captured is missed, and its ACK is noticed."""
        self.agree(plays.bulk(200_000), plays.once(plays.data_from_client(20), plays.hide))
        self.shows("lost_segment", "ack_lost_segment")

    def test_keep_alive(self) -> None:
        """A silent connection is asked whether it is alive, and says so."""
        self.agree(plays.keep_alive)
        self.shows("keep_alive", "keep_alive_ack")

    def test_windows(self) -> None:
        """A reader who does not read: the window is filled, closed, probed and opened again."""
        self.agree(plays.slow_reader)
        self.agree(plays.slow_reader, plays.probes_with_a_byte())
        self.shows("zero_window", "window_full", "window_update", "zero_window_probe", "zero_window_probe_ack")

    def test_ports_reused(self) -> None:
        """The same ports again are another conversation."""
        self.agree(plays.same_port_again)
        self.shows("reused_ports")

    def test_chaos(self) -> None:
        """Everything at once, often."""
        for seed in range(4):
            self.agree(plays.bulk(300_000), plays.chaos(seed))
        for seed in range(4, 8):
            self.agree(plays.question_and_answer, plays.chaos(seed))
        self.compared()
        self.assertLessEqual(set(self.flags), set(WIRESHARK_NAMES))


class DisguiseTests(SynchronousTestCase):
    """Hand-made packets in every disguise that TCP comes in, as tshark sees them."""

    def agree(self, data: bytes) -> None:
        """No frame of a capture differs."""
        require_program("tshark")
        path = temporary_folder(self) / "capture"
        path.write_bytes(data)
        count, different = differences(path)
        self.assertGreater(count, 0)
        self.assertEqual(different, {})

    def test_mixed(self) -> None:
        """VLANs, fragments, IPv6, reused ports, repeated SYNs, a program that speaks to itself."""
        self.agree(capture(MIXED))

    def test_cut(self) -> None:
        """Packets cut by a snap length, down to the TCP header."""
        blocks = [section_header(), interface_description(1, 80)]
        for end, length in enumerate((54, 60, 80)):
            moved = [_moved(frame, end) for frame in MIXED_IPV4]
            blocks += [enhanced_packet(number, frame[:length], len(frame)) for number, frame in enumerate(moved)]
        self.agree(b"".join(blocks))

    def test_quoted(self) -> None:
        """A connection that only an ICMP error knows of takes a number too."""
        errors = [ethernet(ipv4(b"\3\1\0\0\0\0\0\0" + ipv4(tcp(SYN, 7, ports=(1, number))), 1)) for number in (2, 80)]
        self.agree(capture([*errors, *CONVERSATION, errors[0], there(SYN, 5)]))

    def test_formats(self) -> None:
        """Classic files, either byte order, and packed ones."""
        for order in "<>":
            for nano in (False, True):
                self.agree(pcap(order, nano, data=list(CONVERSATION)))
        self.agree(gzip.compress(capture(CONVERSATION)))


def _moved(frame: bytes, number: int) -> bytes:
    """The frame with ``number`` in both its IPv4 addresses."""
    if frame[12:14] != b"\x08\x00":
        return frame
    return frame[:28] + bytes((number,)) + frame[29:32] + bytes((number,)) + frame[33:]


def _has(bits: int) -> Callable[[Frame], bool]:
    """Of SYN, FIN and ACK these and no others, but that FIN comes with any."""
    return lambda frame: frame.bits & (0x03 if bits == 1 else 0x13) == bits


def _flags(path: Path) -> list[str]:
    found = (packet.transport for packet in Trace(blocks_of(str(path))).packets())
    return [flag.kind for one in found if isinstance(one, Segment) for flag in one.flags]
