"""One segment of a known conversation: what it means there, and what it changes."""

from netlab.trace.analysis import acknowledge, analyse
from netlab.trace.coverage import Coverage
from netlab.trace.facts import Segment
from netlab.trace.flags import SENT_AGAIN, Flag
from netlab.trace.flow import HALF, MASK, MAX_REMEMBERED, SCALE_UNKNOWN, SCALE_UNUSED, Flow, Reset, Side
from netlab.trace.tcp import ACK, FIN, RST, SYN, read_options

#: sequence, acknowledgment, flags, window, urgent pointer, as they are in the header
Header = tuple[int, int, int, int, int]
#: length of the payload on the wire, payload, options
Body = tuple[int, bytes, bytes]

_ENDS = SYN | FIN | RST
#: No frame is acknowledged, and there is no round trip.
_NOTHING = (None, None)
#: Bits of the completeness.
_HAS_SYN, _HAS_SYN_ACK, _HAS_ACK, _HAS_DATA, _HAS_FIN, _HAS_RST = 1, 2, 4, 8, 16, 32


def follow(
    flow: Flow, sender: int, frame: int, time: int, wire: int, header: Header, body: Body, flags: tuple[Flag, ...]
) -> Segment:
    """The facts of a segment that side ``sender`` sent; ``flags`` are what is known of it already."""
    seq, ack, bits, window, urgent = header
    length, payload, options = body
    this, other = flow.sides[sender], flow.sides[1 - sender]
    found = analyse(flow, sender, frame, time, seq, ack, bits, window, length)
    again = bool(found) and any(flag.kind in SENT_AGAIN for flag in found)
    if bits & _ENDS or flow.closing:
        _milestones(flow, sender, frame, time, header, body, again)
    if bits & (SYN | ACK) == ACK and (this.fresh or not flow.first_rtt):
        _established(flow, this, sender, frame, time)
    size = window
    if not bits & SYN:
        if this.scale > 0:
            size = window << this.scale
        if size != this.window_last and not bits & RST:
            _note_window(this, size)
    _complete(flow, frame == flow.first, bits, length)
    acked: tuple[int | None, int | None] = _NOTHING
    if other.unacked and bits & ACK:
        acked = acknowledge(other, time, ack) or _NOTHING
    if length:
        _note_data(this, other, seq + 1 if bits & SYN else seq, length, frame, time, again)
    since = time - flow.last_time
    this.packets += 1
    this.wire += wire
    this.last_time = flow.last_time = time
    flow.last = frame
    ports = flow.ports
    place = flow.number, sender, ports[sender], ports[1 - sender]
    relative = seq - (this.base or 0) & MASK, ack - (other.base or 0) & MASK if bits & ACK else ack
    scale = this.scale if this.scale >= 0 else None
    if flags:
        found = flags + found
    # fmt: off
    return Segment(
        *place, *relative, seq, ack, bits, size, window, scale, urgent, length, payload, options, found, *acked, since
    )
    # fmt: on


def _complete(flow: Flow, first: bool, bits: int, length: int) -> None:
    """Move the completeness on. Of a conversation's first packet Wireshark counts nothing but a SYN."""
    seen = 0
    if first:
        if bits & (SYN | ACK) == SYN:
            seen = _HAS_SYN | (_HAS_DATA if length else 0)
    elif bits & (SYN | ACK) == ACK:
        seen = _HAS_DATA if length else _HAS_ACK
        if bits & FIN:
            seen |= _HAS_FIN
    elif bits & (SYN | ACK) == SYN | ACK:
        seen = _HAS_SYN_ACK
    if bits & RST and not first:
        seen |= _HAS_RST
    flow.completeness |= seen


def _note_window(this: Side, size: int) -> None:
    this.window_last = size
    if this.window_least is None or size < this.window_least:
        this.window_least = size
    if this.window_most is None or size > this.window_most:
        this.window_most = size


def _note_data(this: Side, other: Side, seq: int, length: int, frame: int, time: int, again: bool) -> None:
    """Count payload, and which bytes of the stream it is; ``seq`` is that of its first byte."""
    this.unanswered = this.unanswered_segments = 0
    if not again:
        other.unanswered += length
        other.unanswered_segments += 1
    this.octets += length
    if length > this.largest:
        this.largest = length
    this.last_data = frame, time
    coverage = this.coverage
    low = seq - (this.base or 0) & MASK
    if coverage is None:
        # A handshake says where the stream begins; without one it begins where it was seen first.
        coverage = this.coverage = Coverage(1 if this.initial is not None else low)
    start = coverage.place(low)
    if start == coverage.end and coverage.whole:
        coverage.end = start + length
    else:
        coverage.add(start, start + length)


def _established(flow: Flow, this: Side, sender: int, frame: int, time: int) -> None:
    """A side's first packet after its SYN, or the first of all to have no SYN and an ACK."""
    if this.fresh:
        this.fresh = False
        this.shift = max(this.scale, 0)
        if flow.handshake[1] is not None and flow.handshake[2] is None and sender == flow.client:
            flow.handshake[2] = frame
    if flow.syn_time and not flow.first_rtt:
        flow.first_rtt = time - flow.syn_time


def _milestones(flow: Flow, sender: int, frame: int, time: int, header: Header, body: Body, again: bool) -> None:
    """Remember what the beginning and the end are told from; ``again`` says that it brings nothing new."""
    seq, ack, bits, window, _urgent = header
    length, _payload, options = body
    this, other = flow.sides[sender], flow.sides[1 - sender]
    if bits & SYN:
        _synchronized(flow, sender, frame, time, seq, bits, options)
    if bits & FIN and this.fin is None:
        this.fin = frame, time
        this.fin_end = seq + length + 1 & MASK
        this.fin_acks = ack
        flow.closing = True
    if bits & RST and this.reset is None:
        flow.closing = True
        this.before_reset = this.last_time
        received = ack - (other.base or 0) - 1 & MASK if bits & ACK else 0
        if other.fin is not None and ack == other.fin_end:
            received -= 1
        size = window << max(this.scale, 0)
        this.reset = Reset(frame, time, seq, bool(bits & ACK), size, received)
    if this.after_close_bytes and bits & ACK and not bits & RST:
        this.reads_on = True
    if other.fin is not None:
        if bits & ACK and other.fin_acked is None and (ack - other.fin_end & MASK) < HALF:
            other.fin_acked = frame
        if length and not again and other.reset is None:
            other.after_close_bytes += length
            other.after_close_frame = other.after_close_frame or frame


def _synchronized(flow: Flow, sender: int, frame: int, time: int, seq: int, bits: int, options: bytes) -> None:
    """A SYN: who opens, and which options are agreed on."""
    this, other = flow.sides[sender], flow.sides[1 - sender]
    this.initial = seq
    this.fresh = True
    this.shift = 0
    said = read_options(options)
    this.options = said
    if said.scale is not None:
        this.scale = said.scale
    if bits & ACK:
        flow.client = 1 - sender if flow.client is None else flow.client
        flow.handshake[1] = flow.handshake[1] or frame
    else:
        flow.client = sender if flow.client is None else flow.client
        flow.handshake[0] = flow.handshake[0] or frame
        flow.syn_time = time
        if len(this.syns) < MAX_REMEMBERED:
            this.syns.append((frame, time))
    # Windows are scaled only if both sides say so (RFC 7323 §2.2).
    if this.scale == SCALE_UNKNOWN:
        this.scale = other.scale = SCALE_UNUSED
        other.shift = 0
    elif bits & ACK and other.scale == SCALE_UNUSED:
        this.scale = SCALE_UNUSED
    this.scaled = this.scale != SCALE_UNKNOWN
    other.scaled = other.scale != SCALE_UNKNOWN
