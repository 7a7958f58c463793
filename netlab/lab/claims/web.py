"""Claims about HTTP as the file server speaks it (protocols.md §3, RFC 9112)."""

from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from netlab.lab.claim import Claim, Judgement, decided, disproved
from netlab.lab.claims.sample import DIGESTS
from netlab.lab.claims.tcp import SERVER, only, side
from netlab.lab.evidence import Evidence
from netlab.trace.app.http import HttpExchange, HttpTalk
from netlab.trace.facts import Conversation
from netlab.trace.words.sentence import Listing, Notation, Plain, Sentence, counted, octets, said


@frozen
class Fetch:
    """One exchange, and the conversation it was in."""

    conversation: Conversation
    facts: HttpExchange

    @property
    def target(self) -> str:
        """What was asked for."""
        return self.facts.request.target if self.facts.request else ""


def fetches(evidence: Evidence, port: int) -> list[Fetch]:
    """All exchanges with the server on ``port``, in the order of their requests."""
    found = []
    for one in evidence.to_port(port):
        application = evidence.application(one)
        if application is not None and isinstance(application.facts, HttpTalk):
            found += [Fetch(one, each) for each in application.facts.exchanges if each.request is not None]
    return sorted(found, key=lambda one: one.facts.request.span.first if one.facts.request else 0)


def _cited(found: Sequence[Fetch]) -> list[int | None]:
    sides = (side for one in found for side in (one.facts.request, one.facts.response))
    return [side.span.first for side in sides if side is not None]


def answered(port: int, index: int, target: str, status: int, length: int | None = None) -> Claim:
    """Exchange ``index``: what was asked for, the status, and how many bytes the whole response has."""

    def look(evidence: Evidence) -> Judgement:
        found = fetches(evidence, port)
        if len(found) <= index or found[index].facts.response is None:
            return disproved(said("There is no such request with an answer."), _cited(found))
        one = found[index]
        response = one.facts.response
        assert response is not None
        reason = said(
            "The answer to {target} has status {status} and {size}.",
            target=one.target,
            status=Plain(response.status),
            size=octets(response.span.length),
        )
        holds = (one.target, response.status) == (target, status) and length in (None, response.span.length)
        return decided(holds, reason, _cited([one]))

    text = said("{target} is answered with status {status}.", target=Notation(target), status=Plain(status))
    if length is not None:
        text = said(
            "{target} is answered with status {status}, in {size}.",
            target=Notation(target),
            status=Plain(status),
            size=octets(length),
        )
    return Claim(f"answer-{index + 1}", text, look)


def marked(port: int, mark: str) -> Claim:
    """Every request has the field X-Lab with this text."""

    def look(evidence: Evidence) -> Judgement:
        found = fetches(evidence, port)
        seen = [one.facts.request.header("X-Lab") or "-" for one in found if one.facts.request]
        reason = said("X-Lab says: {values}.", values=Listing(tuple(dict.fromkeys(seen))))
        return decided(bool(seen) and set(seen) == {mark}, reason, _cited(found))

    return Claim("mark", said("The requests have the field X-Lab: {mark}.", mark=mark), look)


def kept_alive(port: int) -> Claim:
    """Both sides say keep-alive, and the connection stays."""

    def look(evidence: Evidence) -> Judgement:
        one = fetches(evidence, port)[0]
        response = one.facts.response
        found = (response.header("Connection") if response else None) or ""
        reason = said("The response says: Connection: {value}.", value=found or "-")
        return decided(found.lower() == "keep-alive", reason, _cited([one]))

    return Claim("keep-alive", said("The server keeps the connection: its response says keep-alive."), look)


def same_bytes(port: int, targets: Sequence[str]) -> Claim:
    """Each of these was asked for just once, and its body is the file's, byte for byte (by SHA-256)."""

    def look(evidence: Evidence) -> Judgement:
        found = [one for one in fetches(evidence, port) if _file(one.target) in DIGESTS]
        asked = Counter(one.target for one in found)
        wrong = [one for one in found if _digest(one) != DIGESTS[_file(one.target)]]
        missing = [target for target in targets if asked[target] != 1]
        if missing:
            return disproved(said("Not asked for just once: {targets}.", targets=_names(missing)), _cited(found))
        if wrong:
            return disproved(said("Other bytes came for: {targets}.", targets=_names(_targets(wrong))), _cited(wrong))
        total = sum(one.facts.response.body.length for one in found if one.facts.response)
        reason = counted(
            "{size} in {count} body, with the SHA-256 of its file.",
            "{size} in {count} bodies, each with the SHA-256 of its file.",
            len(found),
            size=octets(total),
        )
        return decided(len(found) == len(targets), reason, _cited(found))

    names = _names(targets) if len(targets) < 3 else said("all {count} files", count=len(targets))
    return Claim("bytes", said("The bytes that come are those of {names}.", names=names), look)


def _file(target: str) -> str:
    return target.partition("?")[0]


def _digest(one: Fetch) -> str:
    response = one.facts.response
    return response.body.sha256 if response is not None and response.body.complete else ""


def _targets(found: Sequence[Fetch]) -> list[str]:
    return [one.target for one in found]


def _names(targets: Sequence[str]) -> Listing:
    return Listing(tuple(map(Notation, targets[:8])))


def requests(port: int, targets: Sequence[str]) -> Claim:
    """So many requests, over fewer connections, some of which carried several."""

    def look(evidence: Evidence) -> Judgement:
        found = [one for one in fetches(evidence, port) if one.target in targets]
        used = Counter(one.conversation.number for one in found)
        reason = said(
            "{requests} requests came over {connections} connections; the busiest carried {most}.",
            requests=len(found),
            connections=len(used),
            most=max(used.values(), default=0),
        )
        holds = len(found) == len(targets) and len(used) < len(found)
        return decided(holds, reason, [one.conversation.first for one in found])

    return Claim("reuse", said("{count} requests are made, and connections are used again.", count=len(targets)), look)


def redirected(port: int, target: str) -> Claim:
    """The redirect was followed: the next request went where it pointed."""

    def look(evidence: Evidence) -> Judgement:
        one = fetches(evidence, port)[0]
        redirect = one.facts.redirect
        if redirect is None or redirect.conversation is None:
            return disproved(said("Nobody followed a redirect."), _cited([one]))
        reason = _followed(redirect.location, redirect.same_connection)
        return decided(redirect.location == target, reason, _cited(fetches(evidence, port)))

    return Claim("followed", said("The client follows the redirect to {target}.", target=Notation(target)), look)


def _followed(location: str, same: bool) -> Sentence:
    if same:
        return said("It was followed to {location}, over the same connection.", location=location)
    return said("It was followed to {location}, over a new connection.", location=location)


def closed_after(port: int) -> Claim:
    """The server closes after its answer, as it said."""

    def look(evidence: Evidence) -> Judgement:
        one = only(evidence, port)
        closing = one.closing
        cited = [item.frame for item in closing.evidence]
        first = next((s.sender for _, s in evidence.sent(one) if s.fin or s.rst), None)
        if first is None:
            return disproved(said("Nobody closed."), [one.last])
        by_server = first == side(one, SERVER)
        return decided(by_server, said("The server was first.") if by_server else said("The client was first."), cited)

    return Claim("closed", said("The server closes the connection after that answer."), look)
