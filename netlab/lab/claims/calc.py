"""Claims about the calculator and its caching proxy (protocols.md §1)."""

from collections.abc import Sequence
from hashlib import sha256

from attrs import frozen

from netlab.calc.calculator import Calculator
from netlab.calc.question import Question, ask
from netlab.lab.claim import Claim, Judgement, decided, disproved
from netlab.lab.evidence import Evidence
from netlab.trace.app.calc import CalcExchange, CalcTalk
from netlab.trace.facts import Conversation
from netlab.trace.words.sentence import Listing, Plain, Sentence, counted, said

#: What the deployed proxy answers when it has nothing and reaches nobody.
OUTAGE_LENGTH = 170
SUCCESS, SERVER_ERROR = 200, 500


@frozen
class Exchange:
    """One exchange, and the conversation it was in."""

    conversation: Conversation
    facts: CalcExchange


def question(text: str) -> Question:
    """What the client of the laboratory asks for ``text``."""
    return ask(text, lambda: ())


def lengths(text: str) -> tuple[int, int]:
    """How long the request for ``text`` is, and the response, by the arithmetic of the daemon itself."""
    asked = question(text)
    return asked.length, Calculator(lambda low, high: low).reply(asked.packet(0)).length


def exchanges(evidence: Evidence, port: int) -> list[Exchange]:
    """All exchanges with the program on ``port``, in the order of their requests."""
    found = []
    for one in evidence.to_port(port):
        application = evidence.application(one)
        if application is not None and isinstance(application.facts, CalcTalk):
            found += [Exchange(one, each) for each in application.facts.exchanges if each.request is not None]
    return sorted(found, key=_place)


def _place(one: Exchange) -> int:
    return one.facts.request.span.first if one.facts.request else 0


def _cited(found: Sequence[Exchange]) -> list[int | None]:
    sides = (side for one in found for side in (one.facts.request, one.facts.response))
    return [side.span.first for side in sides if side is not None]


def asked(port: int, texts: Sequence[str]) -> Claim:
    """These expressions were asked of ``port``, byte for byte, in this order."""
    digests = [sha256(question(text).body).hexdigest() for text in texts]

    def look(evidence: Evidence) -> Judgement:
        found = exchanges(evidence, port)
        seen = [one.facts.request.sha256 for one in found if one.facts.request]
        said_texts = tuple(one.facts.request.expression or "?" for one in found[:8] if one.facts.request)
        reason = said("The capture has requests for: {texts}.", texts=Listing(said_texts))
        return decided(seen == digests, reason, _cited(found))

    listed = Listing(tuple(dict.fromkeys(texts)))
    text = said(
        "Port {port} is asked for {texts}, in {count} requests.", port=Plain(port), texts=listed, count=len(texts)
    )
    return Claim("asked", text, look)


def sizes(port: int, texts: Sequence[str]) -> Claim:
    """Requests and responses have the lengths that protocols.md gives, or that follow from it."""
    expected = [lengths(text) for text in texts]

    def look(evidence: Evidence) -> Judgement:
        found = exchanges(evidence, port)
        seen = [_sizes(one) for one in found]
        return decided(seen == expected, said("The lengths are {sizes}.", sizes=_listed(seen)), _cited(found))

    text = said("Request and response have {sizes} bytes, the same for the same.", sizes=_listed(expected))
    return Claim("lengths", text, look)


def _sizes(one: Exchange) -> tuple[int, int]:
    request, response = one.facts.request, one.facts.response
    return request.span.length if request else 0, response.span.length if response else 0


def _listed(pairs: Sequence[tuple[int, int]]) -> Listing:
    return Listing(tuple(said("{first}/{second}", first=Plain(a), second=Plain(b)) for a, b in pairs))


def separate(port: int, count: int) -> Claim:
    """So many conversations, each with one exchange."""

    def look(evidence: Evidence) -> Judgement:
        found = evidence.to_port(port)
        each = exchanges(evidence, port)
        holds = len(found) == count == len({one.conversation.number for one in each}) == len(each)
        reason = said(
            "There are {count} conversations, and {exchanges} exchanges.", count=len(found), exchanges=len(each)
        )
        return decided(holds, reason, [one.first for one in found])

    return Claim("conversations", said("There are {count} conversations, one for each request.", count=count), look)


def verdicts(proxy: int, expected: Sequence[str]) -> Claim:
    """What the proxy did with each request."""

    def look(evidence: Evidence) -> Judgement:
        found = [one for one in evidence.findings.passages if one.proxy.port == proxy]
        found.sort(key=lambda one: one.request.first)
        seen = [one.verdict for one in found]
        cited = [frame for one in found for frame in (one.request.first, one.answer.first if one.answer else None)]
        return decided(seen == list(expected), said("The requests were: {path}.", path=path(seen)), cited)

    return Claim("path", said("To the proxy the requests are, in turn: {path}.", path=path(expected)), look)


_VERDICTS = {
    "miss": said("miss"),
    "hit": said("hit"),
    "outage": said("outage"),
    "own": said("answered by itself"),
    "unanswered": said("unanswered"),
}


def path(verdicts: Sequence[str]) -> Listing:
    """Verdicts in words."""
    return Listing(tuple(_VERDICTS[one] for one in verdicts))


def upstream(server: int, count: int) -> Claim:
    """So many requests reached the server."""

    def look(evidence: Evidence) -> Judgement:
        found = exchanges(evidence, server)
        reason = counted("{count} request reached it.", "{count} requests reached it.", len(found))
        return decided(len(found) == count, reason, _cited(found))

    text = counted(
        "Exactly {count} request reaches the server on port {port}.",
        "Exactly {count} requests reach the server on port {port}.",
        count,
        port=Plain(server),
    )
    return Claim("upstream", text, look)


def quiet_hit(proxy: int, server: int, index: int) -> Claim:
    """Between a request and its answer no packet went to the server or came from it."""

    def look(evidence: Evidence) -> Judgement:
        one = exchanges(evidence, proxy)[index]
        request, response = one.facts.request, one.facts.response
        if request is None or response is None:
            return disproved(said("There is no answer."), [one.conversation.last])
        between = [
            packet.number
            for conversation in evidence.to_port(server)
            for packet, _ in evidence.sent(conversation)
            if request.span.first < packet.number < response.span.first
        ]
        cited = [request.span.first, response.span.first, *between]
        reason = (
            said("Between request and answer there are packets to or from the server.")
            if between
            else said("Between request and answer there is no packet to or from the server.")
        )
        return decided(not between and response.header.status == SUCCESS, reason, cited)

    text = said("Request {number} is answered from the cache: no packet goes upstream.", number=Plain(index + 1))
    return Claim("quiet", text, look)


def refused(server: int) -> Claim:
    """The proxy's SYN to the stopped server is answered with RST."""

    def look(evidence: Evidence) -> Judgement:
        found = [one for one in evidence.to_port(server) if one.closing.cause == "refused"]
        if not found:
            return disproved(said("No SYN to port {port} was refused.", port=Plain(server)))
        cited = [item.frame for one in found for item in one.closing.evidence]
        return decided(True, said("Its SYN was answered with RST."), cited)

    return Claim("refused", said("The proxy asks the stopped server for a connection, and is refused."), look)


def outage(proxy: int, index: int) -> Claim:
    """The proxy answers 500, in 170 bytes."""

    def look(evidence: Evidence) -> Judgement:
        one = exchanges(evidence, proxy)[index]
        response = one.facts.response
        if response is None:
            return disproved(said("There is no answer."), [one.conversation.last])
        reason = answer(response.header.status, response.span.length)
        holds = response.header.status == SERVER_ERROR and response.span.length == OUTAGE_LENGTH
        return decided(holds, reason, _cited([one]))

    text = said(
        "Request {number} is answered with status {status}, in {count} bytes.",
        number=Plain(index + 1),
        status=Plain(SERVER_ERROR),
        count=OUTAGE_LENGTH,
    )
    return Claim("error", text, look)


def answer(status: int, length: int) -> Sentence:
    """Status and length of an answer, in bytes."""
    return said("The answer has status {status} and {count} bytes.", status=Plain(status), count=length)
