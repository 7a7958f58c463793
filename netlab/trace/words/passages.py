"""What a proxy did with each request, in words: passed on, or answered from what it had (docs/trace-apps.md)."""

from collections.abc import Callable, Iterator

from netlab.trace.closing import CERTAIN, LIKELY, POSSIBLE
from netlab.trace.passage import HIT, MISS, NO_ANSWER, OUTAGE, OWN, Passage, Proof
from netlab.trace.words.sentence import Duration, Listing, Plain, Sentence, Value, counted, frames, said


def passage_sentences(one: Passage, proxy: Value) -> Iterator[Sentence]:
    """What the ``proxy`` did, and what shows it."""
    yield VERDICTS[one.verdict](one, proxy)
    if one.shared:
        yield said("Another request had caused that question upstream, and both got the same answer.")
    if one.evidence:
        yield CONFIDENCE[one.confidence](Listing(tuple(PROOFS[proof.what](proof) for proof in one.evidence)))


def caused_by(one: Passage, proxy: Value) -> Sentence:
    """The same in the paragraph of the conversation upstream."""
    return said(
        "It is {proxy} that asks here, for the request of packet {frame} in conversation {conversation}.",
        proxy=proxy,
        frame=_request(one),
        conversation=Plain(one.conversation),
    )


def _request(one: Passage) -> Plain:
    return Plain(one.request.last)


VERDICTS: dict[str, Callable[[Passage, Value], Sentence]] = {
    MISS: lambda one, proxy: said(
        "The request of packet {frame} was passed on by {proxy} in conversation {conversation}: a cache miss.",
        frame=_request(one),
        proxy=proxy,
        conversation=Plain(one.upstream or 0),
    ),
    HIT: lambda one, proxy: said(
        "The request of packet {frame} was answered by {proxy} with what it had: a cache hit.",
        frame=_request(one),
        proxy=proxy,
    ),
    OUTAGE: lambda one, proxy: said(
        "The request of packet {frame} could not be passed on by {proxy}: the server behind it was not there.",
        frame=_request(one),
        proxy=proxy,
    ),
    OWN: lambda one, proxy: said(
        "The request of packet {frame} was answered by {proxy} by itself.", frame=_request(one), proxy=proxy
    ),
    NO_ANSWER: lambda one, proxy: said(
        "The request of packet {frame} was never answered by {proxy}.", frame=_request(one), proxy=proxy
    ),
}

CONFIDENCE: dict[str, Callable[[Listing], Sentence]] = {
    CERTAIN: lambda shown: said("That is certain: {evidence}.", evidence=shown),
    LIKELY: lambda shown: said("That is likely: {evidence}.", evidence=shown),
    POSSIBLE: lambda shown: said("That is possible, not more: {evidence}.", evidence=shown),
}


def _no_packet(proof: Proof) -> Sentence:
    if proof.numbers.get("others"):
        return counted(
            "between packets {frames} ({time}) only {count} packet went upstream, for another request",
            "between packets {frames} ({time}) only {count} packets went upstream, for other requests",
            proof.numbers["others"],
            frames=frames(proof.frames),
            time=Duration(proof.numbers["ns"]),
        )
    return said(
        "between packets {frames} ({time}) no packet went upstream",
        frames=frames(proof.frames),
        time=Duration(proof.numbers["ns"]),
    )


def _within(proof: Proof) -> Sentence:
    return said(
        "the question upstream (packets {frames}) lies inside this one: {before} before it, {inside} for it, {after} "
        "after it",
        frames=frames(proof.frames),
        before=Duration(proof.numbers["before"]),
        inside=Duration(proof.numbers["inside"]),
        after=Duration(proof.numbers["after"]),
    )


PROOFS: dict[str, Callable[[Proof], Sentence]] = {
    "same_request": lambda proof: said("the same request in packets {frames}", frames=frames(proof.frames)),
    "same_answer": lambda proof: said("the same answer in packets {frames}", frames=frames(proof.frames)),
    "within": _within,
    "no_upstream_packet": _no_packet,
    "answered_before": lambda proof: said(
        "the same answer was given before, in packet {frames}", frames=frames(proof.frames)
    ),
    "made_earlier": lambda proof: said(
        "the answer (packet {frames}) was made {time} before it was asked for",
        frames=frames(proof.frames),
        time=Duration(proof.numbers["older"]),
    ),
    "refused": lambda proof: said("the server refused (packets {frames})", frames=frames(proof.frames)),
    "no_answer_to_syn": lambda proof: said(
        "the server did not answer SYN (packets {frames})", frames=frames(proof.frames)
    ),
    "upstream_reset": lambda proof: said(
        "the connection upstream was reset (packets {frames})", frames=frames(proof.frames)
    ),
    "error_status": lambda proof: said(
        "the answer (packet {frames}) has status {status}",
        frames=frames(proof.frames),
        status=Plain(proof.numbers["status"]),
    ),
}
