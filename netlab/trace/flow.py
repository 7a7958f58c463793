"""The state of a TCP conversation while its packets pass: two sides, each with what it sent and what it knows.

These change with every packet and never leave the core; `netlab.trace.conversations` makes facts of them. Numbers are
raw 32-bit ones unless they are said to be relative, times are nanoseconds, windows as in the header. `UNKNOWN_WINDOW`
stands for a window that was never seen.
"""

from netlab.trace.coverage import Coverage
from netlab.trace.tcp import Options

MASK = 0xFFFFFFFF
HALF = 0x80000000
UNKNOWN_WINDOW = -1

#: A side's ``scale`` before its SYN was seen, and when scaling was declined.
SCALE_UNKNOWN, SCALE_UNUSED = -1, -2

#: Unacknowledged segments that are remembered; Wireshark remembers as many.
MAX_UNACKED = 1000
#: SYNs, retransmissions and errors whose frames and times are remembered, for the story of the end.
MAX_REMEMBERED = 32

#: frame, the number after it, time
Unacked = tuple[int, int, int]


class Counted:
    """What one side sent, counted; times are nanoseconds, sizes bytes."""

    __slots__ = (
        "coverage",
        "flag_counts",
        "largest",
        "octets",
        "packets",
        "rtt_count",
        "rtt_least",
        "rtt_most",
        "rtt_sum",
        "window_last",
        "window_least",
        "window_most",
        "wire",
    )

    def __init__(self) -> None:
        self.packets = 0
        self.wire = 0
        #: Payload, with repetitions; ``coverage`` knows it without.
        self.octets = 0
        self.largest = 0
        self.coverage: Coverage | None = None
        self.flag_counts: dict[str, int] = {}
        self.window_last: int | None = None
        self.window_least: int | None = None
        self.window_most: int | None = None
        self.rtt_count = 0
        self.rtt_sum = 0
        self.rtt_least = 0
        self.rtt_most = 0


class Remembered(Counted):
    """The packets of one side from which the story of the beginning and the end is told: frames, and times."""

    __slots__ = (
        "after_close_bytes",
        "after_close_frame",
        "before_reset",
        "fin",
        "fin_acked",
        "fin_acks",
        "fin_end",
        "last_data",
        "last_time",
        "options",
        "reads_on",
        "reset",
        "retries",
        "syns",
        "unanswered",
        "unanswered_segments",
    )

    def __init__(self) -> None:
        super().__init__()
        self.options: Options | None = None
        self.syns: list[tuple[int, int]] = []
        self.retries: list[tuple[int, int]] = []
        self.last_data = (0, 0)
        self.last_time = 0
        #: Its FIN, the number after it, what that packet acknowledged, and the frame that acknowledged it.
        self.fin: tuple[int, int] | None = None
        self.fin_end = 0
        self.fin_acks = 0
        self.fin_acked: int | None = None
        self.reset: Reset | None = None
        #: When this side was last heard of before its RST.
        self.before_reset = 0
        #: What the other sent since this side last sent data: its bytes and segments.
        self.unanswered = 0
        self.unanswered_segments = 0
        #: What came after its FIN, and whether it acknowledged any of that: then it still reads.
        self.after_close_bytes = 0
        self.after_close_frame = 0
        self.reads_on = False


class Side(Remembered):
    """One side of a conversation, as the analysis follows it: what it sent, and what it said of what it received."""

    __slots__ = (
        "base",
        "contiguous",
        "duplicate_of",
        "duplicates",
        "expected",
        "expected_frame",
        "expected_time",
        "fresh",
        "initial",
        "kept_alive",
        "last_ack",
        "last_ack_time",
        "probed",
        "scale",
        "scaled",
        "shift",
        "unacked",
        "window",
    )

    def __init__(self) -> None:
        super().__init__()
        #: The raw number that is 0 relatively, `None` until it is known; ``initial`` only if a SYN had it.
        self.base: int | None = None
        self.initial: int | None = None
        #: The number after the highest that was sent, and the packet that sent it.
        self.expected: int | None = None
        self.expected_frame = 0
        self.expected_time = 0
        #: The number up to which everything was captured: the other may acknowledge it.
        self.contiguous: int | None = None
        self.last_ack = 0
        self.last_ack_time = 0
        self.window = UNKNOWN_WINDOW
        self.scale = SCALE_UNKNOWN
        #: Whether it is known how windows are scaled; the shift in use: 0 while ``fresh``, when only the SYN was sent.
        self.scaled = False
        self.shift = 0
        self.fresh = False
        self.duplicates = 0
        self.duplicate_of = 0
        #: Whether this side's last packet was a keep-alive, a zero window probe.
        self.kept_alive = False
        self.probed = False
        #: By the number after each, the lowest first.
        self.unacked: list[Unacked] = []

    def relative(self, number: int) -> int:
        """The relative number for a raw one."""
        return number - (self.base or 0) & MASK

    def bytes_of(self, window: int) -> int:
        """A window of the header in bytes."""
        return window << self.scale if self.scale > 0 else window


class Reset:
    """The first RST of a side: where and when it came, and what tells why."""

    __slots__ = ("acks", "frame", "received", "sequence", "time", "window")

    def __init__(self, frame: int, time: int, sequence: int, acks: bool, window: int, received: int) -> None:
        self.frame = frame
        self.time = time
        #: Raw.
        self.sequence = sequence
        #: Whether the ACK flag is set, which it is not in a reply to a segment that nobody waits for.
        self.acks = acks
        #: In bytes.
        self.window = window
        #: Bytes of the other's stream that this side had acknowledged.
        self.received = received


class Flow:
    """A conversation in progress. ``sides`` are as its endpoints: the sender of the first packet is side 0."""

    __slots__ = (
        "addresses",
        "began",
        "client",
        "closing",
        "completeness",
        "errors",
        "first",
        "first_rtt",
        "handshake",
        "last",
        "last_time",
        "number",
        "ports",
        "sides",
        "syn_time",
    )

    def __init__(self, number: int, addresses: tuple[str, str], ports: tuple[int, int], first: int, began: int) -> None:
        self.number = number
        self.addresses = addresses
        self.ports = ports
        self.sides = (Side(), Side())
        self.client: int | None = None
        self.first = first
        self.began = began
        self.last = first
        self.last_time = began
        self.completeness = 0
        #: ICMP errors that quote it, by frame.
        self.errors: list[int] = []
        #: The time of the latest SYN, and how long the first ACK after it took; 0 while unknown.
        self.syn_time = 0
        self.first_rtt = 0
        self.handshake: list[int | None] = [None, None, None]
        #: Whether a FIN or an RST was seen.
        self.closing = False
