"""The rules of the analysis flags, in the order in which Wireshark asks them (User's Guide, "TCP Analysis").

Here come the segments that are unusual somehow. Numbers are raw; those in the flags are relative.
"""

from collections.abc import Iterator

from netlab.trace import flags as kinds
from netlab.trace.flags import Flag
from netlab.trace.flow import HALF, MASK, MAX_REMEMBERED, Flow, Side
from netlab.trace.tcp import ACK, FIN, RST, SYN

_SPECIAL = SYN | FIN | RST
#: Nanoseconds within which a retransmission answers duplicate ACKs.
FAST_RETRANSMISSION_WITHIN = 20_000_000
#: … and within which a segment is late, not sent again, as long as no round trip was measured.
OUT_OF_ORDER_WITHIN = 3_000_000

#: Stands for a count of duplicate ACKs once it was said that the other side acknowledges what was never seen.
SAID_ONCE = -1


class Unusual:
    """A segment, with the sides that sent and got it; ``ahead`` is how far it is beyond what was expected."""

    __slots__ = ("ack", "ahead", "bits", "flow", "frame", "length", "other", "seq", "this", "time", "window")

    def __init__(
        self,
        flow: Flow,
        sender: int,
        frame: int,
        time: int,
        seq: int,
        ack: int,
        bits: int,
        window: int,
        length: int,
    ) -> None:
        self.flow = flow
        self.this = flow.sides[sender]
        self.other = flow.sides[1 - sender]
        self.frame = frame
        self.time = time
        self.seq = seq
        self.ack = ack
        self.bits = bits
        self.window = window
        self.length = length
        expected = self.this.expected
        self.ahead = None if expected is None else _signed(seq - expected)

    def flags(self) -> tuple[Flag, ...]:
        """All flags of this segment; the state that the rules themselves need is moved on."""
        this = self.this
        found = list(self._about_this_direction())
        this.kept_alive = any(flag.kind == kinds.KEEP_ALIVE for flag in found)
        this.probed = any(flag.kind == kinds.ZERO_WINDOW_PROBE for flag in found)
        if self.ack != this.last_ack:
            this.duplicate_of = self.frame
            this.duplicates = 0
        found.extend(self._ack_of_unseen())
        if (self.length or self.bits & (SYN | FIN)) and not this.kept_alive:
            found.extend(self._sent_again())
        return tuple(found)

    def _about_this_direction(self) -> Iterator[Flag]:
        plain = not self.bits & _SPECIAL
        ahead = self.ahead
        if self.length == 1 and ahead == 0 and self.other.window == 0:
            yield self._flag(kinds.ZERO_WINDOW_PROBE, sequence=self._relative(), length=1)
            return
        if self.window == 0 and plain:
            yield self._flag(kinds.ZERO_WINDOW, window=0)
        if ahead is not None and ahead > 0 and not self.bits & RST:
            yield self._flag(kinds.LOST_SEGMENT, sequence=self._relative(), expected=self._expected(), missing=ahead)
        if not plain:
            return
        if self.length < 2 and ahead == -1:
            yield self._flag(kinds.KEEP_ALIVE, sequence=self._relative(), expected=self._expected(), length=self.length)
        if self.length:
            if reaches_edge(self.other, self.seq, self.length):
                yield window_full(self.this, self.other, self.seq, self.length)
        elif ahead == 0 and self.ack == self.this.last_ack:
            yield from self._repeated_ack()

    def _repeated_ack(self) -> Iterator[Flag]:
        """An empty segment that acknowledges what its predecessor did."""
        this, acknowledgment = self.this, self.other.relative(self.ack)
        if self.window != this.window:
            if self.window:
                window, before = self._bytes(self.window), self._bytes(max(this.window, 0))
                yield self._flag(kinds.WINDOW_UPDATE, acknowledgment=acknowledgment, window=window, previous=before)
        elif self.window == 0:
            if self.other.probed:
                yield self._flag(kinds.ZERO_WINDOW_PROBE_ACK, acknowledgment=acknowledgment, window=0)
        elif self.other.kept_alive:
            yield self._flag(kinds.KEEP_ALIVE_ACK, acknowledgment=acknowledgment)
        else:
            this.duplicates = max(this.duplicates, 0) + 1
            yield self._flag(
                kinds.DUPLICATE_ACK,
                acknowledgment=acknowledgment,
                number=this.duplicates,
                of_frame=this.duplicate_of,
                window=self._bytes(self.window),
            )

    def _ack_of_unseen(self) -> tuple[Flag, ...]:
        beyond = self.other.contiguous
        if beyond is None or not self.bits & ACK or _signed(self.ack - beyond) <= 0:
            return ()
        return ack_of_unseen(self.this, self.other, self.ack)

    def _sent_again(self) -> Iterator[Flag]:
        """The one name of a segment that does not continue where the last one ended."""
        this, other, ahead = self.this, self.other, self.ahead
        end = self.seq + self.length & MASK
        # After a zero window probe the probed byte is sent again together with what follows.
        behind = ahead is not None and ahead < 0 and not (self.length > 1 and ahead == -1)
        if self.length and other.last_ack and _signed(end - other.last_ack) <= 0:
            yield spurious_retransmission(this, other, self.seq, self.length)
            self._remember()
        elif behind:
            yield self._late_or_repeated(end)
            self._remember()

    def _late_or_repeated(self, end: int) -> Flag:
        this, other = self.this, self.other
        since_ack = self.time - other.last_ack_time
        if other.duplicates >= 2 and other.last_ack == self.seq and since_ack < FAST_RETRANSMISSION_WITHIN:
            return self._flag(
                kinds.FAST_RETRANSMISSION,
                sequence=self._relative(),
                expected=self._expected(),
                duplicates=other.duplicates,
                since_ack=since_ack,
            )
        since_highest = self.time - this.expected_time
        threshold = self.flow.first_rtt or OUT_OF_ORDER_WITHIN
        if self.bits & (SYN | FIN):
            end = end + 1 & MASK
        if since_highest < threshold and this.expected != end:
            return self._flag(
                kinds.OUT_OF_ORDER,
                sequence=self._relative(),
                expected=self._expected(),
                since_highest=since_highest,
                threshold=threshold,
            )
        # The eldest that waits for its ACK is what was sent again, as a rule.
        frame, _end, when = min(this.unacked, default=(this.expected_frame, 0, this.expected_time))
        return self._flag(
            kinds.RETRANSMISSION,
            sequence=self._relative(),
            expected=self._expected(),
            of_frame=frame,
            timeout=self.time - when,
        )

    def _remember(self) -> None:
        if len(self.this.retries) < MAX_REMEMBERED:
            self.this.retries.append((self.frame, self.time))

    def _flag(self, kind: str, **numbers: int) -> Flag:
        counts = self.this.flag_counts
        counts[kind] = counts.get(kind, 0) + 1
        return Flag(kind, numbers)

    def _relative(self) -> int:
        return self.this.relative(self.seq)

    def _expected(self) -> int:
        return self.this.relative(self.this.expected or 0)

    def _bytes(self, window: int) -> int:
        return self.this.bytes_of(window)


def _signed(difference: int) -> int:
    """The distance between two raw numbers, which may have begun anew between them."""
    return (difference + HALF & MASK) - HALF


def reaches_edge(other: Side, seq: int, length: int) -> bool:
    """Whether a segment fills the window that ``other`` side advertised last, to its last byte."""
    return other.scaled and not seq + length - other.last_ack - (other.window << other.shift) & MASK


def window_full(this: Side, other: Side, seq: int, length: int) -> Flag:
    """The flag of a segment that `reaches_edge`."""
    this.flag_counts[kinds.WINDOW_FULL] = this.flag_counts.get(kinds.WINDOW_FULL, 0) + 1
    numbers = {
        "next_sequence": this.relative(seq + length),
        "acknowledged": this.relative(other.last_ack),
        "window": other.window << other.shift,
    }
    return Flag(kinds.WINDOW_FULL, numbers)


def spurious_retransmission(this: Side, other: Side, seq: int, length: int) -> Flag:
    """The flag of a segment of which ``other`` side acknowledged everything before it came."""
    kind = kinds.SPURIOUS_RETRANSMISSION
    this.flag_counts[kind] = this.flag_counts.get(kind, 0) + 1
    numbers = {
        "sequence": this.relative(seq),
        "next_sequence": this.relative(seq + length),
        "acknowledged": this.relative(other.last_ack),
    }
    return Flag(kind, numbers)


def ack_of_unseen(this: Side, other: Side, ack: int) -> tuple[Flag, ...]:
    """The flag of ``this`` side's segment that acknowledges more than was captured of the other."""
    seen = other.contiguous or 0
    if other.expected is not None and _signed(other.expected - seen) > 0:
        # Something came after the missing place; from here on nothing before counts as missing.
        other.contiguous = other.expected
    else:
        # Nothing came: say it once, not for each ACK.
        before, other.duplicates = other.duplicates, SAID_ONCE
        if before:
            return ()
    this.flag_counts[kinds.ACK_LOST_SEGMENT] = this.flag_counts.get(kinds.ACK_LOST_SEGMENT, 0) + 1
    numbers = {"acknowledgment": other.relative(ack), "seen": other.relative(seen), "missing": _signed(ack - seen)}
    return (Flag(kinds.ACK_LOST_SEGMENT, numbers),)
