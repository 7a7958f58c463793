"""Requests of all protocols in one shape, so that those that two connections have in common are found."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from netlab.trace.app.application import CALC, HTTP, Application
from netlab.trace.app.span import Span
from netlab.trace.facts import Conversation, Endpoint

if TYPE_CHECKING:
    from netlab.trace.app.calc import CalcExchange, CalcMessage
    from netlab.trace.app.http import HttpExchange
    from netlab.trace.app.plain import Turn


@frozen
class Ask:
    """A request and its answer.

    ``index`` is that of the exchange, or of the client's turn. ``key`` and ``answer_key`` are equal for the same
    request and the same answer, up to their headers, which ``header`` and ``answer_header`` are, less a time stamp.
    ``status`` is 0 where there is none; ``older`` is by how many ns the answer was made before the request.
    """

    conversation: int
    index: int
    protocol: str
    client: Endpoint
    server: Endpoint
    key: Hashable
    header: Hashable
    request: Span
    answer: Span | None = None
    answer_key: Hashable = None
    answer_header: Hashable = None
    status: int = 0
    older: int = 0


def asks_of(application: Application, conversation: Conversation, turns: "Sequence[Turn]") -> Iterator[Ask]:
    """Every request of a conversation; ``turns`` are those of one whose messages are not known."""
    facts = application.facts
    ends = conversation.endpoints[application.client], conversation.endpoints[1 - application.client]
    place = application.conversation
    if application.protocol == CALC:
        for index, exchange in enumerate(facts.exchanges):
            if exchange.request is not None:
                yield _calc(place, index, *ends, exchange, exchange.request)
    elif application.protocol == HTTP:
        for index, pair in enumerate(facts.exchanges):
            found = _http(place, index, *ends, pair)
            if found is not None:
                yield found
    else:
        yield from _turns(application, *ends, turns)


def _calc(place: int, index: int, client: Endpoint, server: Endpoint, one: "CalcExchange", asked: "CalcMessage") -> Ask:
    key, header = (asked.header.steps, asked.sha256), _header(asked)
    answer = one.response
    if answer is None:
        return Ask(place, index, "calc", client, server, key, header, asked.span)
    return Ask(
        place,
        index,
        "calc",
        client,
        server,
        key,
        header,
        asked.span,
        answer.span,
        (answer.header.status, answer.sha256),
        _header(answer),
        answer.header.status,
        one.freshness.older if one.freshness else 0,
    )


def _header(message: "CalcMessage") -> Hashable:
    return message.flags, message.header.max_age


def _http(place: int, index: int, client: Endpoint, server: Endpoint, one: "HttpExchange") -> Ask | None:
    request, answer = one.request, one.response
    if request is None:
        return None
    key = request.method, request.target, request.body.sha256
    if answer is None:
        return Ask(place, index, "http", client, server, key, request.headers, request.span)
    return Ask(
        place,
        index,
        "http",
        client,
        server,
        key,
        request.headers,
        request.span,
        answer.span,
        (answer.status, answer.body.sha256),
        answer.headers,
        answer.status,
    )


def _turns(application: Application, client: Endpoint, server: Endpoint, turns: "Iterable[Turn]") -> Iterator[Ask]:
    """Each turn of the client, with the server's that follows it."""
    request: tuple[int, Turn] | None = None
    for index, turn in enumerate(turns):
        answer = turn if turn.span.sender != application.client else None
        if request is not None:
            number, asked = request
            yield Ask(
                application.conversation,
                number,
                application.protocol,
                client,
                server,
                asked.sha256,
                None,
                asked.span,
                answer.span if answer else None,
                answer.sha256 if answer else None,
            )
        request = None if answer else (index, turn)
    if request is not None:
        number, asked = request
        place, protocol = application.conversation, application.protocol
        yield Ask(place, number, protocol, client, server, asked.sha256, None, asked.span)
