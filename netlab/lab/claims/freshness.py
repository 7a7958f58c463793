"""Claims about what a cache may do with what it has: each decision with its sum (protocols.md §1, RFC 5861)."""

from collections.abc import Sequence

from attrs import frozen

from netlab.calc.header import FOREVER
from netlab.lab.claim import Claim, Judgement, decided, disproved, untold
from netlab.lab.claims import calc
from netlab.lab.claims.calc import Exchange, exchanges
from netlab.lab.evidence import Evidence
from netlab.trace.app.calc import CalcMessage
from netlab.trace.passage import HIT, MISS, OUTAGE, Passage
from netlab.trace.words.sentence import Duration, Plain, Sentence, Value, said

_SECOND = 1_000_000_000

#: Why a decision was as it was.
FIRST, FRESH, RELOAD, CLIENT_LIMIT, EXPIRED, STALE = "first", "fresh", "reload", "client-limit", "expired", "stale"
_VERDICTS = {FIRST: MISS, FRESH: HIT, RELOAD: MISS, CLIENT_LIMIT: MISS, EXPIRED: MISS, STALE: OUTAGE}


@frozen
class Sum:
    """What was stored when a request came: its ``age``, and what remained for the server and the client, in ns.

    `None` remains where there is no limit.
    """

    age: int
    kept: int | None
    accepted: int | None

    @property
    def server(self) -> int | None:
        """max-age of the response less the age."""
        return None if self.kept is None else self.kept - self.age

    @property
    def client(self) -> int | None:
        """max-age of the request less the age."""
        return None if self.accepted is None else self.accepted - self.age


def decision(proxy: int, index: int, why: str, text: Sentence, stale: int = 0) -> Claim:
    """Request ``index`` (from 0) was decided so, and the sum says why.

    ``stale`` is for how many seconds beyond its time an answer may be used where there is no server (RFC 5861 §4).
    """

    def look(evidence: Evidence) -> Judgement:
        asked = exchanges(evidence, proxy)
        passages = {(one.conversation, one.index): one for one in evidence.findings.passages}
        known = [passages.get(_key(evidence, one)) for one in asked]
        passage, sum_ = known[index], _sum(asked, known, index)
        if passage is None:
            return untold(said("What the proxy did with it cannot be told."))
        cited = [passage.request.first, passage.answer.first if passage.answer else None]
        cited += [frame for proof in passage.evidence for frame in proof.frames]
        response = asked[index].facts.response
        if response is None or response.header.status != calc.SUCCESS:
            return disproved(_unanswered(response), cited)
        holds = passage.verdict == _VERDICTS[why] and _fits(why, sum_)
        if why == STALE and sum_ is not None and sum_.server is not None:
            rest = sum_.server + stale * _SECOND
            return decided(holds and rest > 0, _told_stale(sum_, stale * _SECOND, rest), cited)
        return decided(holds, _told(sum_), cited)

    return Claim(f"decision-{index + 1}", text, look)


def _key(evidence: Evidence, one: Exchange) -> tuple[int, int]:
    application = evidence.application(one.conversation)
    places = application.facts.exchanges if application is not None else ()
    return one.conversation.number, next(place for place, each in enumerate(places) if each is one.facts)


def _sum(asked: Sequence[Exchange], known: Sequence[Passage | None], index: int) -> Sum | None:
    """The sum for request ``index``, of the answer that was stored last before it; `None` if none was."""
    request = asked[index].facts.request
    stored: CalcMessage | None = None
    for one, passage in zip(asked[:index], known[:index], strict=True):
        fresh = one.facts.freshness
        if passage is not None and passage.verdict == MISS and fresh is not None and fresh.storable:
            stored = one.facts.response
    if stored is None or request is None:
        return None
    age = max(0, request.span.last and request.span.ended - stored.header.timestamp * _SECOND)
    return Sum(age, _limit(stored.header.max_age), _limit(request.header.max_age))


def _limit(max_age: int) -> int | None:
    return None if max_age == FOREVER else max_age * _SECOND


def _fits(why: str, sum_: Sum | None) -> bool:
    """Whether the sum is the reason. A timer may be a little early, and the request a little on its way."""
    if sum_ is None:
        return why == FIRST
    server, client = sum_.server, sum_.client
    if why == FRESH:
        return (server is None or server > 0) and (client is None or client > 0)
    if why in (RELOAD, CLIENT_LIMIT):
        return client is not None and client <= 0 and (sum_.accepted == 0) == (why == RELOAD)
    return why in (EXPIRED, STALE) and server is not None and server <= 0 and (client is None or client > 0)


def _unanswered(response: CalcMessage | None) -> Sentence:
    if response is None:
        return said("There is no answer.")
    return calc.answer(response.header.status, response.span.length)


def _told(sum_: Sum | None) -> Sentence:
    if sum_ is None:
        return said("Nothing was stored for it.")
    return said(
        "What was stored was {age} old. For the server {kept} − {age} = {server}, for the client {accepted} − {age} = "
        "{client}.",
        age=Duration(sum_.age),
        kept=_time(sum_.kept),
        server=_time(sum_.server),
        accepted=_time(sum_.accepted),
        client=_time(sum_.client),
    )


def _told_stale(sum_: Sum, stale: int, rest: int) -> Sentence:
    return said(
        "{sums} Without a server it may be used for {stale} more: {kept} + {stale} − {age} = {rest}.",
        sums=_told(sum_),
        stale=Duration(stale),
        kept=_time(sum_.kept),
        age=Duration(sum_.age),
        rest=Duration(rest),
    )


def _time(time: int | None) -> Value:
    return said("∞") if time is None else Duration(time)


def limits(proxy: int, kept: int, text: Sentence) -> Claim:
    """What the server's answers say about how long they may be kept."""

    def look(evidence: Evidence) -> Judgement:
        found = [one.facts.response for one in exchanges(evidence, proxy) if one.facts.response]
        ages = {one.header.max_age for one in found}
        cited = [one.span.first for one in found]
        reason = said(
            "The answers say max-age {ages}.", ages=Plain(min(ages)) if len(ages) == 1 else said("of several kinds")
        )
        return decided(ages == {kept}, reason, cited)

    return Claim("max-age", text, look)
