"""Claims about TCP itself (RFC 9293): arithmetic, ends, resets."""

from netlab.lab.claim import Claim, Judgement, decided, disproved, proved, untold
from netlab.lab.evidence import Evidence
from netlab.trace.closing import POLITE
from netlab.trace.facts import Conversation, Segment
from netlab.trace.words.sentence import Duration, Plain, Sentence, counted, octets, packets, said

CLIENT, SERVER = "client", "server"
_SECOND = 1_000_000_000

#: The ends that claims are about, in words.
_ENDS = {
    "polite": said("Both sides sent FIN."),
    "refused": said("The SYN was answered with RST."),
    "reset_after_close": said("Data came to a side that had closed, and its kernel answered RST."),
    "reset_unread": said("One side closed with unread data, and its kernel said RST instead of FIN."),
    "abort": said("One side gave the connection up with RST."),
    "timeout": said("One side closed after waiting for the other."),
    "half_open": said("One side did not know the connection any more, or fell silent."),
    "half_closed": said("Only one side closed."),
    "open": said("Nobody closed before the capture ended."),
}


def only(evidence: Evidence, port: int) -> Conversation:
    """The first conversation with the server on ``port``.

    :raises LookupError: there is none.
    """
    return evidence.to_port(port)[0]


def side(one: Conversation, who: str) -> int:
    """The index of the client or the server."""
    client = one.client or 0
    return client if who == CLIENT else 1 - client


def connected(port: int) -> Claim:
    """Somebody asked for a connection to ``port``: without that, it is not this experiment's capture."""

    def look(evidence: Evidence) -> Judgement:
        found = evidence.to_port(port)
        if not found:
            return disproved(said("No packet of this capture asks for a connection to port {port}.", port=Plain(port)))
        reason = counted("{count} connection was asked for.", "{count} connections were asked for.", len(found))
        return proved(reason, [one.first for one in found])

    return Claim("port", said("The server is on port {port}.", port=Plain(port)), look)


def handshake(port: int) -> Claim:
    """SYN, SYN-ACK, ACK, and each acknowledges the other's number and one."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        if None in one.handshake:
            return disproved(said("The handshake is not there as a whole."), one.handshake)
        by_number = {packet.number: segment for packet, segment in evidence.sent(one)}
        syn, answer, ack = (by_number[frame] for frame in one.handshake if frame)
        holds = answer.acknowledgment == syn.sequence + 1 and ack.acknowledgment == answer.sequence + 1
        reason = said(
            "SYN Seq {syn}; SYN-ACK Ack {first} = {syn} + 1; ACK Ack {second} = Seq {answer} + 1.",
            syn=Plain(syn.raw_sequence),
            first=Plain(answer.raw_acknowledgment),
            answer=Plain(answer.raw_sequence),
            second=Plain(ack.raw_acknowledgment),
        )
        return decided(holds, reason, one.handshake)

    return Claim("handshake", said("The connection begins with SYN, SYN-ACK, ACK; each SYN counts as one."), look)


def data_sums(port: int) -> Claim:
    """Every byte is acknowledged: Ack = Seq + Len."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        cited: list[int | None] = []
        total = 0
        for packet, segment in evidence.sent(one):
            if not segment.length:
                continue
            answers = evidence.sent(one, 1 - segment.sender)
            sums = (p for p, s in answers if p.number > packet.number and s.acknowledgment >= segment.next_sequence)
            ack = next(sums, None)
            if ack is None:
                return disproved(
                    said("Packet {frame} is not acknowledged.", frame=Plain(packet.number)), [packet.number]
                )
            cited += [packet.number, ack.number]
            total += segment.length
        if not cited:
            return disproved(said("No data was sent."))
        reason = said("All {size} were acknowledged, each packet by Ack = Seq + Len.", size=octets(total))
        return proved(reason, cited)

    return Claim("data", said("Every byte that is sent is acknowledged: Ack = Seq + Len."), look)


def fin_sums(port: int) -> Claim:
    """Each FIN counts as one."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        cited: list[int | None] = []
        for packet, segment in evidence.sent(one):
            if segment.fin:
                answers = evidence.sent(one, 1 - segment.sender)
                sums = (p.number for p, s in answers if p.number > packet.number and _acknowledges(s, segment))
                cited += [packet.number, next(sums, None)]
        if len(cited) < 4 or None in cited:
            return disproved(said("There are not two FINs that are both acknowledged."), cited)
        return proved(said("Each FIN is acknowledged by its Seq + 1."), cited)

    return Claim("fin", said("Both sides end with FIN, and each FIN counts as one."), look)


def _acknowledges(answer: Segment, segment: Segment) -> bool:
    """Whether it acknowledges all of a segment and nothing more."""
    return answer.ack and answer.acknowledgment == segment.next_sequence


def packet_count(port: int, messages: int) -> Claim:
    """3 + 4 for each message and its answer + 3, and no packet that is anything else.

    Which acknowledgments travel with something else, and whether that of a FIN waits for the other FIN, is the kernel's
    to choose (RFC 9293 §3.8.6.3): each such is a packet less or more, and the sum says so.
    """
    expected = 6 + 4 * messages

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        every = {packet.number: segment for packet, segment in evidence.sent(one)}
        begin = len({frame for frame in one.handshake if frame})
        data = sum(segment.length > 0 for segment in every.values())
        ends = sum(segment.fin for segment in every.values())
        rest = len(every) - begin - data - ends
        reason = said(
            "{packets}: {begin} to begin, {data} with data, {ends} with FIN, and {rest} that only acknowledge.",
            packets=packets(len(every)),
            begin=begin,
            data=data,
            ends=ends,
            rest=rest,
        )
        holds = (begin, data, ends) == (3, 2 * messages, 2) and 1 <= rest <= 2 * messages + 2
        return decided(holds and not any(segment.rst for segment in every.values()), reason, every)

    text = said(
        "It takes {count} packets: 3 to begin, {data} for data and its acknowledgments, 3 to end; other numbers only "
        "where an acknowledgment travels with something else, or alone.",
        count=expected,
        data=4 * messages,
    )
    return Claim("packets", text, look)


def ends(port: int, cause: str, who: str, text: Sentence) -> Claim:
    """How the connection ended, and by whom."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        closing = one.closing
        by = None if closing.by is None else CLIENT if closing.by == side(one, CLIENT) else SERVER
        reason = _ENDS.get(closing.cause, said("It ended in another way."))
        if by is not None:
            first = said("The client was first.") if by == CLIENT else said("The server was first.")
            reason = said("{one} {other}", one=reason, other=first)
        return decided(closing.cause == cause and by == who, reason, [item.frame for item in closing.evidence])

    return Claim("end", text, look)


def closes_first(port: int, who: str) -> Claim:
    """Both sides close politely, and this one first."""
    text = said("The client closes first.") if who == CLIENT else said("The server closes first.")
    return ends(port, POLITE, who, text)


def silence(port: int, seconds: float, slack: float) -> Claim:
    """The server closes an idle connection after so long."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        server = side(one, SERVER)
        fin = next(((p, s) for p, s in evidence.sent(one) if s.fin or s.rst), None)
        if fin is None:
            return untold(said("Nobody closed before the capture ended."), [one.last])
        last = [p for p, s in evidence.sent(one) if s.length and p.number < fin[0].number]
        waited = fin[0].time - last[-1].time
        holds = fin[1].sender == server and in_time(waited, seconds, slack)
        who = said("The server closed.") if fin[1].sender == server else said("The client closed.")
        return decided(holds, said("{who} {time}", who=who, time=after(waited)), [last[-1].number, fin[0].number])

    text = said("The server closes the idle connection after {time}.", time=time_of(seconds))
    return Claim("idle", text, look)


def in_time(waited: int, seconds: float, slack: float) -> bool:
    """Whether something came after ``seconds``, and not much later; kernels' timers may be 20 ms early."""
    return seconds - 0.02 <= waited / _SECOND <= seconds + slack


def time_of(seconds: float) -> Duration:
    """A time for a sentence."""
    return Duration(round(seconds * _SECOND))


def after(waited: int) -> Sentence:
    """How long it took."""
    return said("It was {time} after the last data.", time=Duration(waited))
