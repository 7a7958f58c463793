"""Which analysis flags a segment gets, by the definitions of Wireshark's User's Guide ("TCP Analysis").

`analyse` is called once a segment, in the order of the file, and moves the state of both sides on. Almost every
segment continues where the last one ended and says nothing unusual; those never reach the rules
(`netlab.trace.rules`).
"""

from netlab.trace.flags import Flag
from netlab.trace.flow import HALF, MASK, MAX_UNACKED, Flow, Side, Unacked
from netlab.trace.rules import Unusual, ack_of_unseen, reaches_edge, spurious_retransmission, window_full
from netlab.trace.tcp import ACK, FIN, RST, SYN

_SPECIAL = SYN | FIN | RST
_COUNTED = SYN | FIN
_NONE: tuple[Flag, ...] = ()


def analyse(
    flow: Flow, sender: int, frame: int, time: int, seq: int, ack: int, bits: int, window: int, length: int
) -> tuple[Flag, ...]:
    """The flags of a segment that side ``sender`` sent, all numbers raw, ``window`` as in the header."""
    sides = flow.sides
    this, other = sides[sender], sides[1 - sender]
    if this.base is None:
        this.base = seq if bits & SYN else seq - 1 & MASK
    if other.base is None and bits & ACK:
        other.base = ack - 1 & MASK
    repeats = ack == this.last_ack
    if seq != this.expected or bits & _SPECIAL or not window or not other.window or (repeats and not length):
        flags = Unusual(flow, sender, frame, time, seq, ack, bits, window, length).flags()
    else:
        this.kept_alive = this.probed = False
        flags = _NONE
        if length:
            flags = _in_order(this, other, seq, length)
        if not repeats:
            this.duplicate_of = frame
            this.duplicates = 0
        beyond = other.contiguous
        if ack != beyond and beyond is not None and (ack - beyond & MASK) < HALF and bits & ACK:
            flags += ack_of_unseen(this, other, ack)
    _advance(this, frame, time, seq, bits, length)
    this.window = window
    this.last_ack = ack
    this.last_ack_time = time
    return flags


def _in_order(this: Side, other: Side, seq: int, length: int) -> tuple[Flag, ...]:
    """What may be said of data that comes as expected."""
    flight = seq + length - other.last_ack & MASK
    if 0 < flight < HALF or not other.last_ack:
        return (window_full(this, other, seq, length),) if reaches_edge(other, seq, length) else _NONE
    return (spurious_retransmission(this, other, seq, length),)


def _advance(this: Side, frame: int, time: int, seq: int, bits: int, length: int) -> None:
    """Note what a segment sent."""
    end = seq + length & MASK
    if length or bits & _COUNTED:
        unacked = this.unacked
        if len(unacked) < MAX_UNACKED:
            if bits & _COUNTED:
                end = end + 1 & MASK
            if unacked and (end - unacked[-1][1] & MASK) > HALF:
                _insert(unacked, (frame, end, time))
            else:
                unacked.append((frame, end, time))
    expected = this.expected
    if expected is None or 0 < (end - expected & MASK) < HALF:
        if this.probed:
            return
        this.expected = end
        this.expected_frame = frame
        this.expected_time = time
    if (this.contiguous is None or seq == this.contiguous) and not this.probed:
        this.contiguous = this.expected


def _insert(unacked: list[Unacked], sent: Unacked) -> None:
    """Put a segment that was not sent in order where its end is in order; of equal ends the oldest stays first."""
    place = len(unacked)
    while place and (sent[1] - unacked[place - 1][1] & MASK) > HALF:
        place -= 1
    unacked.insert(place, sent)


def acknowledge(this: Side, time: int, ack: int) -> tuple[int, int] | None:
    """Take what ``ack`` acknowledges off ``this`` side's unacknowledged segments, and count the round trip.

    The frame that ends exactly there, the oldest if it was sent more than once, and how long ago it was sent.
    """
    unacked = this.unacked
    found = None
    count = 0
    for frame, end, when in unacked:
        if (ack - end & MASK) >= HALF:
            break
        if end == ack and found is None:
            found = (frame, time - when)
        count += 1
    if count:
        del unacked[:count]
    if found:
        rtt = found[1]
        this.rtt_sum += rtt
        if not this.rtt_count or rtt < this.rtt_least:
            this.rtt_least = rtt
        if rtt > this.rtt_most:
            this.rtt_most = rtt
        this.rtt_count += 1
    return found
