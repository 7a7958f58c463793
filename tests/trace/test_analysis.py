"""Analysis flags and their arithmetic, by hand-made packets; tests/trace/test_parity.py has the kernels' own."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.conversations import MAX_CONVERSATIONS, Conversations
from netlab.trace.facts import Conversation
from netlab.trace.flags import Flag
from tests.trace.frames import (
    ACK,
    CONVERSATION,
    FIN,
    PSH,
    SYN,
    back,
    segments,
    there,
    traced,
)

OPENED = CONVERSATION[:3]


def flags(*frames: bytes, step: int = 1_000_000) -> list[tuple[Flag, ...]]:
    """The flags of each segment."""
    packets, _ = traced(frames, step=step)
    return [segment.flags for segment in segments(packets)]


def only(*frames: bytes, step: int = 1_000_000) -> tuple[str, dict[str, int]]:
    """The only flag, which is the last segment's."""
    *before, (flag,) = flags(*frames, step=step)
    assert not any(before), before
    return flag.kind, dict(flag.numbers)


def conversation(*frames: bytes) -> Conversation:
    """The first conversation of these frames."""
    _, trace = traced(frames)
    return trace.conversations()[0]


class FlagTests(SynchronousTestCase):
    """Each flag has the numbers that set it."""

    def test_none(self) -> None:
        """An ordinary conversation has none."""
        self.assertEqual(flags(*CONVERSATION), [()] * 10)

    def test_retransmission(self) -> None:
        """The same data again, long after."""
        found = only(*CONVERSATION[:4], there(PSH | ACK, 101, 501, b"hello"), step=300_000_000)
        self.assertEqual(
            found, ("retransmission", {"sequence": 1, "expected": 6, "of_frame": 4, "timeout": 300_000_000})
        )

    def test_spurious(self) -> None:
        """… after it was acknowledged."""
        found = only(*CONVERSATION[:5], there(PSH | ACK, 101, 501, b"hello"))
        self.assertEqual(found, ("spurious_retransmission", {"sequence": 1, "next_sequence": 6, "acknowledged": 6}))

    def test_lost_late_and_fast(self) -> None:
        """A hole, duplicate ACKs for it, and what fills it."""
        acks = [back(ACK, 501, 101), back(ACK, 501, 101), back(ACK, 501, 101)]
        frames = (*OPENED, back(ACK, 501, 101), there(ACK, 111, 501, b"x" * 10), *acks, there(ACK, 101, 501, b"y" * 10))
        found = [flag for each in flags(*frames)[4:] for flag in each]
        self.assertEqual(found[0], Flag("lost_segment", {"sequence": 11, "expected": 1, "missing": 10}))
        self.assertEqual([flag.name for flag in found[1:4]], ["TCP Dup ACK 2#2", "TCP Dup ACK 2#3", "TCP Dup ACK 2#4"])
        numbers = {"sequence": 1, "expected": 21, "duplicates": 4, "since_ack": 1_000_000}
        self.assertEqual(found[4], Flag("fast_retransmission", numbers))
        late = flags(*OPENED, there(ACK, 111, 501, b"x" * 10), there(ACK, 101, 501, b"y" * 10))[-1]
        numbers = {"sequence": 1, "expected": 21, "since_highest": 1_000_000, "threshold": 2_000_000}
        self.assertEqual(late, (Flag("out_of_order", numbers),))

    def test_ack_of_unseen(self) -> None:
        """An ACK for what nobody saw."""
        found = only(*CONVERSATION[:4], back(ACK, 501, 206))
        self.assertEqual(found, ("ack_lost_segment", {"acknowledgment": 106, "seen": 6, "missing": 100}))

    def test_keep_alive(self) -> None:
        """One byte back, and the answer."""
        *_, asked, answered = flags(*CONVERSATION[:5], there(ACK, 105, 501), back(ACK, 501, 106))
        self.assertEqual(asked, (Flag("keep_alive", {"sequence": 5, "expected": 6, "length": 0}),))
        self.assertEqual(answered, (Flag("keep_alive_ack", {"acknowledgment": 6}),))

    def test_windows(self) -> None:
        """Full, closed, probed, opened."""
        found = flags(
            *OPENED,
            back(ACK, 501, 101, window=5),
            there(PSH | ACK, 101, 501, b"hello"),
            back(ACK, 501, 106, window=0),
            there(ACK, 106, 501, b"!"),
            back(ACK, 501, 106, window=0),
            back(ACK, 501, 106, window=900),
        )[4:]
        numbers = {"next_sequence": 6, "acknowledged": 1, "window": 5}
        self.assertEqual(found[0], (Flag("window_full", numbers),))
        self.assertEqual(found[1], (Flag("zero_window", {"window": 0}),))
        self.assertEqual(found[2], (Flag("zero_window_probe", {"sequence": 6, "length": 1}),))
        self.assertEqual([flag.kind for flag in found[3]], ["zero_window", "zero_window_probe_ack"])
        numbers = {"acknowledgment": 6, "window": 900, "previous": 0}
        self.assertEqual(found[4], (Flag("window_update", numbers),))

    def test_reused(self) -> None:
        """A SYN with another number on known ports."""
        kind, numbers = only(*CONVERSATION, there(SYN, 9_000))
        self.assertEqual(kind, "reused_ports")
        self.assertEqual(
            numbers, {"initial_sequence": 9_000, "previous_initial_sequence": 100, "previous_conversation": 0}
        )

    def test_numbers_wrap(self) -> None:
        """A stream across the end of the 32 bits is as good as any."""
        high = 0xFFFFFFFE
        found = flags(
            there(SYN, high),
            back(SYN | ACK, 500, high + 1),
            there(ACK, high + 1, 501),
            there(PSH | ACK, high + 1, 501, b"hello"),
            back(ACK, 501, 4),
            there(PSH | ACK, 4, 501, b"more"),
            back(ACK, 501, 8),
            there(FIN | ACK, 8, 501),
        )
        self.assertEqual(found, [()] * 8)


class ConversationTests(SynchronousTestCase):
    """What is known of a conversation."""

    def test_everything(self) -> None:
        """Who, when, how much, how complete."""
        one = conversation(*CONVERSATION)
        self.assertEqual([(end.address, end.port) for end in one.endpoints], [("10.0.0.1", 1000), ("10.0.0.2", 80)])
        self.assertEqual((one.client, one.first, one.last, one.completeness), (0, 1, 10, 31))
        self.assertEqual((one.handshake, one.initial_rtt), ((1, 2, 3), 2_000_000))
        client, server = one.directions
        self.assertEqual((client.packets, client.bytes, client.unique_bytes, client.largest_segment), (6, 5, 5, 5))
        self.assertEqual((server.packets, server.bytes, server.unique_bytes), (4, 10, 10))
        self.assertEqual((client.rtt_count, client.rtt_least, client.rtt_most), (3, 1_000_000, 1_000_000))
        self.assertEqual((client.initial_sequence, server.initial_sequence), (100, 500))
        self.assertEqual((client.gaps, client.missing_bytes), ((), 0))

    def test_begun_before_the_capture(self) -> None:
        """Without a handshake nobody is the client, and numbers begin at 1."""
        packets, trace = traced(CONVERSATION[3:])
        self.assertEqual([segment.sequence for segment in segments(packets)][:3], [1, 1, 1])
        one = trace.conversations()[0]
        self.assertEqual((one.client, one.handshake, one.initial_rtt), (None, (None, None, None), None))

    def test_gaps_and_repetitions(self) -> None:
        """Missing bytes are places, repeated ones are counted once."""
        one = conversation(
            *OPENED,
            there(ACK, 101, 501, b"x" * 10),
            there(ACK, 101, 501, b"x" * 10),
            there(ACK, 131, 501, b"x" * 10),
        ).directions[0]
        self.assertEqual((one.bytes, one.unique_bytes, one.missing_bytes, one.gaps), (30, 20, 20, ((11, 31),)))
        self.assertEqual(one.flags["lost_segment"], 1)

    def test_too_many(self) -> None:
        """Beyond a limit conversations are not followed, and that is counted."""
        conversations = Conversations(most=2)
        for number in range(4):
            key = bytes(8) + number.to_bytes(2, "big") + b"\0\x50"
            conversations.segment(key, number + 1, 0, 60, (1, 0, SYN, 10, 0), (0, b"", b""))
        self.assertEqual((conversations.passed_over, len(list(conversations.facts()))), (2, 2))
        self.assertGreater(MAX_CONVERSATIONS, 10_000)
