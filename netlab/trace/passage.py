"""What is said of a request that came to a proxy: a verdict with its proofs."""

from collections.abc import Mapping

from attrs import frozen

from netlab.trace.app.asking import Ask
from netlab.trace.app.span import Span
from netlab.trace.facts import Endpoint

MISS, HIT, OUTAGE, OWN, NO_ANSWER = "miss", "hit", "outage", "own", "unanswered"
VERDICTS = (MISS, HIT, OUTAGE, OWN, NO_ANSWER)

#: A status that says that a server, or a proxy's upstream, failed; HTTP's and the calculator's.
SERVER_ERROR = 500


@frozen
class Proof:
    """Something that shows what a proxy did: a word, the packets, and numbers by name (docs/trace-apps.md)."""

    what: str
    frames: tuple[int, ...]
    numbers: Mapping[str, int]


@frozen
class Passage:
    """What a ``proxy`` did with a request: exchange ``index`` of a client's ``conversation``.

    ``verdict`` is one of `VERDICTS`, ``confidence`` as in `netlab.trace.closing.Closing`. ``upstream`` is the
    conversation, and ``upstream_index`` the exchange, that the request caused, `None` if it caused none; ``shared``:
    another request caused it, and this one got the same answer.
    """

    proxy: Endpoint
    conversation: int
    index: int
    protocol: str
    request: Span
    answer: Span | None
    verdict: str
    confidence: str
    upstream: int | None
    upstream_index: int | None
    upstream_request: Span | None
    upstream_answer: Span | None
    shared: bool
    evidence: tuple[Proof, ...]

    @property
    def caused(self) -> tuple[int, ...]:
        """The conversations upstream that were opened or used for it, with those that were tried in vain."""
        tried = (proof.numbers.get("conversation") for proof in self.evidence)
        return tuple(number for number in (self.upstream, *tried) if number is not None)


def proof_within(ask: Ask, answer: Span, one: Ask, upstream: Span) -> Proof:
    """That the exchange ``one`` upstream, answered by ``upstream``, lies inside ``ask`` and its ``answer``."""
    frames = (ask.request.last, one.request.first, upstream.last, answer.first)
    before, after = one.request.began - ask.request.ended, answer.began - upstream.ended
    return Proof("within", frames, {"before": before, "inside": upstream.began - one.request.ended, "after": after})


def proof_of_status(ask: Ask) -> tuple[Proof, ...]:
    """That the answer says that something failed; empty if it does not."""
    if ask.answer is None or ask.status < SERVER_ERROR:
        return ()
    return (Proof("error_status", (ask.answer.first,), {"status": ask.status}),)


def passage_of(
    ask: Ask, verdict: str, confidence: str, evidence: tuple[Proof, ...], one: Ask | None = None, shared: bool = False
) -> Passage:
    """A passage; ``one`` is the exchange upstream that it caused."""
    return Passage(
        ask.server,
        ask.conversation,
        ask.index,
        ask.protocol,
        ask.request,
        ask.answer,
        verdict,
        confidence,
        one.conversation if one else None,
        one.index if one else None,
        one.request if one else None,
        one.answer if one else None,
        shared,
        evidence,
    )
