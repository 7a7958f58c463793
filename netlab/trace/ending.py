"""How a conversation ended, told from what its packets were (`netlab.trace.closing` says what each cause means).

What a program did is inferred from what kernels do for it. Some of it looks the same on the wire: Linux sends the same
RST for a close with unread bytes and for an abort. Then the story before it decides, and the confidence says so.
"""

from netlab.trace import closing
from netlab.trace.closing import CERTAIN, LIKELY, POSSIBLE, Closing, Evidence, Remark
from netlab.trace.flow import HALF, MASK, Flow, Reset, Side

_SECOND = 1_000_000_000
#: How far from whole seconds a time-out may be: timers fire late, never early.
_EARLY, _LATE = 5_000_000, 50_000_000
#: What a segment carries on Ethernet.
_ONE_SEGMENT = 1_460
#: Retransmissions without any answer after which a silent side is taken to be gone.
_GONE_AFTER = 2


def ending_of(flow: Flow) -> Closing:
    """Why ``flow`` ended, as far as its packets tell."""
    found = _cause(flow)
    return Closing(found.cause, found.confidence, found.by, found.evidence, found.numbers, tuple(_remarks(flow, found)))


def _cause(flow: Flow) -> Closing:
    resets = [(number, side.reset) for number, side in enumerate(flow.sides) if side.reset is not None]
    both_fins = all(side.fin is not None for side in flow.sides)
    if resets:
        by, reset = min(resets, key=lambda item: item[1].frame)
        if not both_fins or flow.sides[by].after_close_bytes:
            return _reset(flow, by, reset)
    if both_fins or any(side.fin is not None for side in flow.sides):
        return _finished(flow, both_fins)
    return _unclosed(flow)


def _reset(flow: Flow, by: int, reset: Reset) -> Closing:
    """An RST ended it, and it was side ``by``'s."""
    this, other = flow.sides[by], flow.sides[1 - by]
    shown = Evidence(reset.frame, "rst")
    if flow.handshake[1] is None and other.syns and not this.syns:
        numbers = {"attempts": len(other.syns), "after": reset.time - other.syns[-1][1]}
        confidence = CERTAIN if reset.acks and reset.received == 0 else LIKELY
        return Closing(closing.REFUSED, confidence, by, (Evidence(other.syns[0][0], "syn"), shown), numbers)
    if flow.handshake[2] is None and flow.handshake[1] is not None and not (this.octets or other.octets):
        return Closing(closing.UNFINISHED_HANDSHAKE, CERTAIN, by, (Evidence(flow.handshake[1], "syn_ack"), shown), {})
    if this.fin is not None and this.after_close_bytes and not this.reads_on:
        return _reset_after_close(this, other, by, reset)
    if not reset.acks and this.fin is None:
        evidence = (*_last_data(other), shown)
        return Closing(closing.HALF_OPEN, LIKELY, by, evidence, {"silence": reset.time - this.before_reset})
    return _active_reset(flow, by, reset)


def _reset_after_close(this: Side, other: Side, by: int, reset: Reset) -> Closing:
    fin = this.fin or (0, 0)
    evidence = (
        Evidence(fin[0], "fin"),
        Evidence(this.after_close_frame, "data_after_close"),
        Evidence(reset.frame, "rst"),
    )
    # The number of such an RST is the one that the data acknowledged, and it has no ACK flag itself.
    answers = not reset.acks and reset.sequence == this.fin_end
    numbers = {"bytes": this.after_close_bytes, "after": reset.time - fin[1]}
    return Closing(closing.RESET_AFTER_CLOSE, CERTAIN if answers else LIKELY, by, evidence, numbers)


def _active_reset(flow: Flow, by: int, reset: Reset) -> Closing:
    """A program had its kernel send RST: it aborted, gave up waiting, or closed without having read everything."""
    this, other = flow.sides[by], flow.sides[1 - by]
    waited = reset.time - _last_activity(flow, reset.time)
    evidence = (*_last_data(other), Evidence(reset.frame, "rst"))
    numbers = {"received": reset.received, "unanswered": this.unanswered, "waited": waited}
    confidence = POSSIBLE if flow.client is None else LIKELY
    if by != flow.client and _is_whole_seconds(waited) and not this.unanswered:
        return Closing(closing.TIMEOUT, confidence, by, evidence, numbers | {"seconds": round(waited / _SECOND)})
    if not this.unanswered:
        return Closing(closing.ABORT, LIKELY, by, evidence, numbers)
    # A server answers what it reads. A client reads an answer that is one segment long, as a rule; on a loopback
    # interface, or before a card has cut it, a segment may be anything.
    long = this.unanswered_segments > 1 or this.unanswered > _ONE_SEGMENT
    if by != flow.client or long or not this.octets:
        return Closing(closing.RESET_UNREAD, confidence, by, evidence, numbers)
    return Closing(closing.ABORT, POSSIBLE, by, evidence, numbers)


def _finished(flow: Flow, both: bool) -> Closing:
    """A FIN ended it, or one from each side."""
    fins = [(side.fin, number) for number, side in enumerate(flow.sides) if side.fin is not None]
    (first, by), *second = sorted(fins)
    this, other = flow.sides[by], flow.sides[1 - by]
    waited = first[1] - _last_activity(flow, first[1])
    evidence = [Evidence(first[0], "fin")]
    numbers = {"waited": waited}
    if this.fin_acked is not None:
        evidence.append(Evidence(this.fin_acked, "fin_ack"))
    if not both:
        numbers["after"] = flow.last_time - first[1]
        return Closing(closing.HALF_CLOSED, CERTAIN, by, tuple(evidence), numbers)
    evidence.append(Evidence(second[0][0][0], "fin"))
    if other.fin_acked is not None:
        evidence.append(Evidence(other.fin_acked, "fin_ack"))
    numbers["between"] = second[0][0][1] - first[1]
    if flow.client is not None and by != flow.client and _is_whole_seconds(waited):
        return Closing(closing.TIMEOUT, LIKELY, by, tuple(evidence), numbers | {"seconds": round(waited / _SECOND)})
    acked = this.fin_acked is not None and other.fin_acked is not None
    return Closing(closing.POLITE, CERTAIN if acked else LIKELY, by, tuple(evidence), numbers)


def _unclosed(flow: Flow) -> Closing:
    """Neither FIN nor RST was seen."""
    for number, side in enumerate(flow.sides):
        other = flow.sides[1 - number]
        if side.syns and not other.packets:
            evidence = [Evidence(frame, "syn") for frame, _ in side.syns]
            evidence += [Evidence(frame, "icmp_error") for frame in flow.errors]
            numbers = {"attempts": len(side.syns), "waited": flow.last_time - side.syns[0][1]}
            return Closing(closing.UNANSWERED, CERTAIN, None, tuple(evidence), numbers)
        late = [(frame, time) for frame, time in side.retries if time > other.last_time]
        if len(late) >= _GONE_AFTER and other.packets:
            numbers = {"retries": len(late), "silence": flow.last_time - other.last_time}
            evidence = [Evidence(frame, "retry") for frame, _ in late]
            return Closing(closing.HALF_OPEN, POSSIBLE, 1 - number, tuple(evidence), numbers)
    syn_ack = flow.handshake[1]
    if syn_ack is not None and flow.handshake[2] is None:
        return Closing(closing.UNFINISHED_HANDSHAKE, CERTAIN, None, (Evidence(syn_ack, "syn_ack"),), {})
    return Closing(closing.OPEN, CERTAIN, None, (), {"lasted": flow.last_time - flow.began})


def _remarks(flow: Flow, found: Closing) -> list[Remark]:
    """What else is worth a word about the beginning and the end."""
    remarks = []
    for number, side in enumerate(flow.sides):
        if len(side.syns) > 1:
            waited = side.syns[-1][1] - side.syns[0][1]
            remarks.append(Remark("syn_retries", {"by": number, "count": len(side.syns) - 1, "waited": waited}))
        if side.reset is not None and found.cause in (closing.POLITE, closing.TIMEOUT) and _follows(found, side.reset):
            remarks.append(Remark("reset_after_end", {"by": number, "frame": side.reset.frame}))
    one, two = flow.sides
    if one.fin and two.fin and _unseen_by(one, two) and _unseen_by(two, one):
        remarks.append(Remark("simultaneous_close", {"frame": one.fin[0], "other_frame": two.fin[0]}))
    if found.confidence == POSSIBLE and found.cause == closing.ABORT:
        remarks.append(Remark("looks_like_unread", {"unanswered": found.numbers["unanswered"]}))
    return remarks


def _follows(found: Closing, reset: Reset) -> bool:
    fins = [shown.frame for shown in found.evidence if shown.what == "fin"]
    return bool(fins) and reset.frame > max(fins)


def _unseen_by(one: Side, two: Side) -> bool:
    """Whether ``one`` sent its FIN before it knew of the other's."""
    return (one.fin_acks - two.fin_end & MASK) >= HALF


def _last_data(side: Side) -> tuple[Evidence, ...]:
    return (Evidence(side.last_data[0], "last_data"),) if side.last_data[0] else ()


def _last_activity(flow: Flow, now: int) -> int:
    """When there was data last before ``now``, from either side; if there never was, when the conversation began."""
    times = [side.last_data[1] for side in flow.sides if side.last_data[0] and side.last_data[1] <= now]
    return max(times, default=flow.began)


def _is_whole_seconds(waited: int) -> bool:
    """Whether this is a time that somebody wrote into a program."""
    seconds = round(waited / _SECOND)
    return seconds >= 1 and -_EARLY <= waited - seconds * _SECOND <= _LATE
