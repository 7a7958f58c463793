"""Claims about ICMP echoes (RFC 792; protocols.md §4)."""

from netlab.lab.claim import Claim, Judgement, decided, disproved
from netlab.lab.evidence import Evidence
from netlab.trace.app.echo import EchoSession
from netlab.trace.words.sentence import Listing, Plain, octets, said


def session(evidence: Evidence) -> EchoSession:
    """The first program's echoes.

    :raises LookupError: there are none.
    """
    return evidence.findings.echoes[0]


def pairs(count: int) -> Claim:
    """Each request has its reply, with the same data."""

    def look(evidence: Evidence) -> Judgement:
        one = session(evidence)
        cited = [frame for echo in one.echoes for frame in (echo.request, echo.reply)]
        same = sum(echo.same_data is True for echo in one.echoes)
        reason = said(
            "{sent} requests, {received} replies, {same} with the same data.",
            sent=one.sent,
            received=one.received,
            same=same,
        )
        holds = one.sent == one.received == same == count and not one.duplicates
        return decided(holds, reason, cited)

    return Claim("pairs", said("There are {count} requests, each with its reply.", count=count), look)


def identifiers() -> Claim:
    """One program, one identifier."""

    def look(evidence: Evidence) -> Judgement:
        found = evidence.findings.echoes
        if not found:
            return disproved(said("There are no echoes."))
        listed = Listing(tuple(Plain(one.identifier) for one in found[:8]))
        cited = [echo.request for one in found for echo in one.echoes]
        return decided(len(found) == 1, said("Identifiers: {identifiers}.", identifiers=listed), cited)

    return Claim("identifier", said("All have one identifier: they are of one program."), look)


def sequences(count: int) -> Claim:
    """From 0, one by one."""

    def look(evidence: Evidence) -> Judgement:
        one = session(evidence)
        found = [echo.sequence for echo in one.echoes]
        cited = [echo.request for echo in one.echoes]
        reason = said("Sequence numbers: {numbers}.", numbers=Listing(tuple(map(Plain, found[:16]))))
        return decided(found == list(range(count)), reason, cited)

    return Claim("sequence", said("Sequence numbers begin with 0 and go up by one."), look)


def length(size: int) -> Claim:
    """How much data each request has."""

    def look(evidence: Evidence) -> Judgement:
        one = session(evidence)
        found = sorted({echo.length for echo in one.echoes})
        listed = Listing(tuple(map(octets, found[:8])))
        reason = said("Each has {sizes}.", sizes=listed)
        return decided(found == [size], reason, [echo.request for echo in one.echoes])

    return Claim("size", said("Each request has {size} of data.", size=octets(size)), look)


def unanswered(least: int) -> Claim:
    """After the last reply there are requests that nobody answers."""

    def look(evidence: Evidence) -> Judgement:
        one = session(evidence)
        last = max((echo.reply or 0 for echo in one.echoes), default=0)
        late = [echo.request for echo in one.echoes if echo.reply is None and (echo.request or 0) > last]
        reason = said(
            "After the last reply (packet {frame}) {count} requests had none.", frame=Plain(last), count=len(late)
        )
        return decided(bool(last) and len(late) >= least, reason, [last, *late])

    return Claim("silence", said("The target answers, and then no more."), look)
