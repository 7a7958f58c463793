"""The analysis flags, by Wireshark's names, each with the arithmetic that set it.

The kinds are those of Wireshark's filter fields (``tcp.analysis.lost_segment`` is ``lost_segment`` here) and their
definitions those of the User's Guide, "TCP Analysis" (ChAdvTCPAnalysis). docs/trace.md says which numbers each has.
"""

from collections.abc import Mapping

from attrs import frozen

RETRANSMISSION = "retransmission"
FAST_RETRANSMISSION = "fast_retransmission"
SPURIOUS_RETRANSMISSION = "spurious_retransmission"
OUT_OF_ORDER = "out_of_order"
DUPLICATE_ACK = "duplicate_ack"
LOST_SEGMENT = "lost_segment"
ACK_LOST_SEGMENT = "ack_lost_segment"
KEEP_ALIVE = "keep_alive"
KEEP_ALIVE_ACK = "keep_alive_ack"
ZERO_WINDOW = "zero_window"
ZERO_WINDOW_PROBE = "zero_window_probe"
ZERO_WINDOW_PROBE_ACK = "zero_window_probe_ack"
WINDOW_FULL = "window_full"
WINDOW_UPDATE = "window_update"
REUSED_PORTS = "reused_ports"

#: What Wireshark writes in its packet list.
WIRESHARK_NAMES = {
    RETRANSMISSION: "TCP Retransmission",
    FAST_RETRANSMISSION: "TCP Fast Retransmission",
    SPURIOUS_RETRANSMISSION: "TCP Spurious Retransmission",
    OUT_OF_ORDER: "TCP Out-Of-Order",
    DUPLICATE_ACK: "TCP Dup ACK",
    LOST_SEGMENT: "TCP Previous segment not captured",
    ACK_LOST_SEGMENT: "TCP ACKed unseen segment",
    KEEP_ALIVE: "TCP Keep-Alive",
    KEEP_ALIVE_ACK: "TCP Keep-Alive ACK",
    ZERO_WINDOW: "TCP ZeroWindow",
    ZERO_WINDOW_PROBE: "TCP ZeroWindowProbe",
    ZERO_WINDOW_PROBE_ACK: "TCP ZeroWindowProbeAck",
    WINDOW_FULL: "TCP Window Full",
    WINDOW_UPDATE: "TCP Window Update",
    REUSED_PORTS: "TCP Port numbers reused",
}

#: A segment with one of these brings nothing new.
SENT_AGAIN = frozenset((RETRANSMISSION, FAST_RETRANSMISSION, SPURIOUS_RETRANSMISSION))

#: Which of the numbers in flags, causes and remarks are times, in nanoseconds.
TIMES = frozenset(
    ("timeout", "since_ack", "since_highest", "threshold", "after", "waited", "between", "silence", "lasted")
)


@frozen
class Flag:
    """One analysis flag. ``kind`` is a key of `WIRESHARK_NAMES`; ``numbers`` are the arithmetic, by name.

    Sequence and acknowledgment numbers are relative, windows are scaled and in bytes, times are nanoseconds, frames
    are numbers of packets in the file.
    """

    kind: str
    numbers: Mapping[str, int]

    @property
    def name(self) -> str:
        """What Wireshark writes: ``TCP Dup ACK 7#2`` has the frame and the number in it."""
        if self.kind == DUPLICATE_ACK:
            return f"{WIRESHARK_NAMES[self.kind]} {self.numbers['of_frame']}#{self.numbers['number']}"
        return WIRESHARK_NAMES[self.kind]
