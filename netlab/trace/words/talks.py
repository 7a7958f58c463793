"""What the two programs of a conversation said to each other, in words (docs/trace-apps.md)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from netlab.trace.app.application import CALC, HTTP, NOTHING, UPPER, WATCHDOG, Application, Fault
from netlab.trace.words.sentence import Duration, Notation, Plain, Sentence, counted, octets, said

if TYPE_CHECKING:
    from netlab.trace.app.calc import CalcExchange, Freshness
    from netlab.trace.app.http import HttpExchange, Unused
    from netlab.trace.app.uppercase import Sign, UpperTalk
    from netlab.trace.app.watchdog import WatchdogTalk

#: Exchanges, signs and faults of a conversation that are told one by one.
MAX_TOLD = 12

_T = TypeVar("_T")


def application_sentences(one: Application) -> Iterator[Sentence]:
    """The story of an application."""
    facts, protocol = one.facts, one.protocol
    if protocol == CALC:
        yield from _each(facts.exchanges, _calc)
    elif protocol == HTTP:
        yield from _each(facts.exchanges, _http)
    elif protocol == UPPER:
        yield from _upper(facts)
    elif protocol == WATCHDOG:
        yield from _watchdog(facts)
    elif protocol == NOTHING and facts is not None:
        yield _unused(facts)
    for fault in one.faults[:MAX_TOLD]:
        yield FAULTS[fault.kind](fault)


def _each(exchanges: "Sequence[_T]", tell: "Callable[[_T], Iterator[Sentence]]") -> Iterator[Sentence]:
    for exchange in islice(exchanges, MAX_TOLD):
        yield from tell(exchange)
    if len(exchanges) > MAX_TOLD:
        yield counted(
            "{count} exchange more is not told here.",
            "{count} exchanges more are not told here.",
            len(exchanges) - MAX_TOLD,
        )


def _calc(one: "CalcExchange") -> Iterator[Sentence]:
    asked, answered = one.request, one.response
    expression = None if asked is None else asked.expression
    if expression is not None and answered is not None and answered.result is not None:
        yield said(
            "The calculator was asked for {expression}: {result}.", expression=expression, result=answered.result
        )
    elif expression is not None and answered is not None and answered.error is not None:
        yield said(
            "The calculator was asked for {expression}, and answered {status}: {kind}: {message}.",
            expression=expression,
            status=Plain(answered.header.status),
            kind=answered.error.kind,
            message=answered.error.message,
        )
    elif expression is not None and answered is None:
        yield said("The calculator was asked for {expression}, and did not answer.", expression=expression)
    else:
        yield said("A question to the calculator, or its answer, cannot be read.")
    if one.waited is not None:
        yield said("That took {time}.", time=Duration(one.waited))
    if one.freshness is not None:
        yield from _freshness(one.freshness)


def _freshness(one: "Freshness") -> Iterator[Sentence]:
    if one.older:
        yield said(
            "The answer was made {time} before it was asked for: it came out of a cache.", time=Duration(one.older)
        )
    age = Duration(one.age)
    if one.kept is not None and one.server_remaining is not None:
        yield said(
            "Of the server's max-age there is left {limit} − age {age} = {left}.",
            limit=Duration(one.kept * _SECOND),
            age=age,
            left=Duration(one.server_remaining),
        )
    if one.accepted is not None and one.client_remaining is not None:
        yield said(
            "Of the client's max-age there is left {limit} − age {age} = {left}.",
            limit=Duration(one.accepted * _SECOND),
            age=age,
            left=Duration(one.client_remaining),
        )
    if one.storable and one.kept is None and one.accepted is None:
        yield said("It is fresh for ever: neither side sets a max-age.")
    elif not one.storable and any(
        left is not None and left <= 0 for left in (one.server_remaining, one.client_remaining)
    ):
        yield said("No cache may store it: nothing is left.")
    elif not one.storable:
        yield said("No cache may store it: its request says so (C=0).")


def _http(one: "HttpExchange") -> Iterator[Sentence]:
    asked, answered = one.request, one.response
    if asked is not None and answered is not None:
        yield said(
            "{method} {target} was answered {status} {reason}, with {size}.",
            method=asked.method,
            target=asked.target,
            status=Plain(answered.status),
            reason=answered.reason,
            size=octets(answered.body.length),
        )
    elif asked is not None:
        yield said("{method} {target} was not answered.", method=asked.method, target=asked.target)
    elif answered is not None:
        yield said(
            "The answer {status} {reason} belongs to no request that was captured.",
            status=Plain(answered.status),
            reason=answered.reason,
        )
    if one.pipelined:
        yield said("It was asked before the answer to the one before was complete (pipelining).")
    redirect = one.redirect
    if redirect is not None and redirect.conversation is not None:
        yield said(
            "That sent the client on to {location}, which it asked for in conversation {conversation}.",
            location=redirect.location,
            conversation=Plain(redirect.conversation),
        )
    elif redirect is not None:
        yield said("That sent the client on to {location}, where it did not go.", location=redirect.location)


def _unused(one: "Unused") -> Sentence:
    if one.beside is None:
        return said("Nothing was asked over it for {time}.", time=Duration(one.lasted))
    return said(
        "Nothing was asked over it for {time}: browsers keep such a connection in reserve, here beside conversation "
        "{conversation}.",
        time=Duration(one.lasted),
        conversation=Plain(one.beside),
    )


def _upper(one: "UpperTalk") -> Iterator[Sentence]:
    if one.variant is not None:
        yield said(
            "The server writes in capitals, as variant {variant} of the lab does.", variant=Notation(one.variant)
        )
    else:
        yield said("The server writes in capitals; more than one variant of the lab would do it like this.")
    for sign in one.evidence[:MAX_TOLD]:
        if sign.what not in TOLD_ELSEWHERE:
            yield SIGNS[sign.what](sign)
    yield counted("It answered {count} time.", "It answered {count} times.", len(one.answers))
    if one.unanswered is not None:
        yield said(
            "What came from packet {frame} on was never answered: {size}.",
            size=octets(one.unanswered.length),
            frame=Plain(one.unanswered.first),
        )


#: Nanoseconds.
_SECOND = 1_000_000_000
#: The artefact `read_together` says that.
TOLD_ELSEWHERE = {"answered_together"}
SIGNS: "dict[str, Callable[[Sign], Sentence]]" = {
    "server_closed_after": lambda sign: counted(
        "The server closed after {count} message (packet {frame}).",
        "The server closed after {count} messages (packet {frame}).",
        sign.numbers["messages"],
        frame=Plain(sign.frame),
    ),
    "until_client_closes": lambda sign: said(
        "The server goes on until the client closes (packet {frame}).", frame=Plain(sign.frame)
    ),
    "pieces_of": lambda sign: said(
        "It reads {size} at a time (packet {frame}).", size=octets(sign.numbers["size"]), frame=Plain(sign.frame)
    ),
    "repeated": lambda sign: counted(
        "Its answer has everything {count} time (packet {frame}).",
        "Its answer has everything {count} times (packet {frame}).",
        sign.numbers["factor"],
        frame=Plain(sign.frame),
    ),
    "delay": lambda sign: said(
        "It waits {time} before it reads (packet {frame}).",
        time=Duration(sign.numbers["ns"]),
        frame=Plain(sign.frame),
    ),
}


def _watchdog(one: "WatchdogTalk") -> Iterator[Sentence]:
    yield counted("The watchdog got {count} message.", "The watchdog got {count} messages.", len(one.messages))
    if one.longest is not None:
        yield said("The longest time between two was {time}.", time=Duration(one.longest))
    if one.silence is not None and one.closed is not None:
        yield said(
            "After the last of them it was silent for {time}; then the connection was closed (packet {frame}).",
            time=Duration(one.silence),
            frame=Plain(one.closed.frame),
        )


def _missing(fault: Fault) -> Sentence:
    return said(
        "The stream goes on after byte {offset} with {size} that were not captured.",
        size=octets(fault.numbers["length"]),
        offset=fault.offset,
    )


FAULTS: dict[str, Callable[[Fault], Sentence]] = {
    "gap": _missing,
    "unread": lambda fault: said(
        "After that nobody can read the stream any more: {size}.", size=octets(fault.numbers["length"])
    ),
    "unfinished": lambda fault: said(
        "The stream ends inside a message, of which {size} came.", size=octets(fault.numbers["length"])
    ),
    "length_too_short": lambda fault: said(
        "The header in packet {frame} says a length that is too short.", frame=Plain(fault.frame)
    ),
    "reserved_bits": lambda fault: said(
        "The header in packet {frame} has bits set that mean nothing.", frame=Plain(fault.frame)
    ),
    "wrong_direction": lambda fault: said(
        "Packet {frame} has a request where an answer belongs, or an answer where a request belongs.",
        frame=Plain(fault.frame),
    ),
    "bad_head": lambda fault: said("The head in packet {frame} is no head of HTTP.", frame=Plain(fault.frame)),
    "bad_chunk": lambda fault: said("A chunk in packet {frame} does not say its length.", frame=Plain(fault.frame)),
    "bad_length": lambda fault: said(
        "The head in packet {frame} says no length that could be.", frame=Plain(fault.frame)
    ),
    "head_too_long": lambda fault: said("The head in packet {frame} is too long.", frame=Plain(fault.frame)),
}
