"""Claims about the uppercase servers and their clients (protocols.md §2)."""

from netlab.lab.claim import Claim, Judgement, decided, disproved
from netlab.lab.claims.tcp import CLIENT, SERVER, in_time, only, side, time_of
from netlab.lab.evidence import Evidence
from netlab.trace.words.sentence import Duration, Listing, Plain, octets, said


def spoken(port: int, text: str, times: int = 1) -> Claim:
    """What the client sent, and that what the server sent is all of that in upper case, ``times`` over."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        client, server = side(one, CLIENT), side(one, SERVER)
        asked, answered = evidence.stream(one, client), evidence.stream(one, server)
        cited = [p.number for p, _ in (*evidence.data(one, client), *evidence.data(one, server))]
        if asked != text.encode():
            shown = asked[:60].decode("ascii", "replace")
            return disproved(said("The client sent something else: {text}.", text=shown), cited)
        holds = answered == asked.upper() * times
        reason = said("{sent} were sent, {came} came back.", sent=octets(len(asked)), came=octets(len(answered)))
        return decided(holds, reason, cited)

    return Claim("text", said("The client says “{text}”, and is answered in upper case.", text=_short(text)), look)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def pieces(port: int, who: str, lengths: tuple[int, ...]) -> Claim:
    """One side's bytes came in segments of just these lengths."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        sent = evidence.data(one, side(one, who))
        found = tuple(segment.length for _, segment in sent)
        reason = said("The segments have {sizes} bytes.", sizes=Listing(tuple(map(Plain, found))))
        return decided(found == lengths, reason, [packet.number for packet, _ in sent])

    listed = Listing(tuple(map(Plain, lengths)))
    text = (
        said(
            "The client's bytes leave in segments of {sizes} bytes: what waited for an acknowledgment left together.",
            sizes=listed,
        )
        if who == CLIENT
        else said(
            "The answer comes in segments of {sizes} bytes: what waited for an acknowledgment left together.",
            sizes=listed,
        )
    )
    return Claim("segments", text, look)


def amount(port: int, count: int) -> Claim:
    """So many bytes of answer were sent."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        server = side(one, SERVER)
        cited = [packet.number for packet, _ in evidence.data(one, server)]
        total = one.directions[server].unique_bytes
        return decided(total == count, said("The server sent {size}.", size=octets(total)), cited)

    return Claim("amount", said("The server answers {size}.", size=octets(count)), look)


def delayed(port: int, delay: float, slack: float) -> Claim:
    """The answer comes after the delay."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        asked, answered = (evidence.data(one, side(one, who)) for who in (CLIENT, SERVER))
        if not answered:
            return disproved(said("There is no answer."), [one.last])
        waited = answered[0][0].time - asked[0][0].time
        cited = [asked[0][0].number, answered[0][0].number]
        return decided(in_time(waited, delay, slack), said("It came after {time}.", time=Duration(waited)), cited)

    return Claim("delay", said("The answer comes {time} after the first bytes.", time=time_of(delay)), look)


def late_fin(port: int, delay: float, slack: float) -> Claim:
    """The server's FIN comes the delay after its last `recv` had begun, which is when it answered."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        server = side(one, SERVER)
        fin = next((packet for packet, segment in evidence.sent(one, server) if segment.fin), None)
        ours = next((packet for packet, segment in evidence.sent(one, 1 - server) if segment.fin), None)
        if fin is None or ours is None:
            return disproved(said("There are not two FINs."), [one.last])
        answer = evidence.data(one, server)[-1][0]
        reason = said(
            "The client's FIN is packet {client}; the server's came {time} after its answer.",
            client=Plain(ours.number),
            time=Duration(fin.time - answer.time),
        )
        holds = ours.number < fin.number and in_time(fin.time - answer.time, delay, slack)
        return decided(holds, reason, [answer.number, ours.number, fin.number])

    return Claim("late-fin", said("The server's FIN comes {time} after its answer.", time=time_of(delay)), look)
