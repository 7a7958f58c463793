"""What each packet carried: the messages of all applications, turned round to be found by frame."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from netlab.trace.app.application import BYTES, CALC, HTTP, UPPER, WATCHDOG, Application
from netlab.trace.app.matching import Spanned
from netlab.trace.app.span import Span


class Note(NamedTuple):
    """A message, or a part of one, in packet ``frame``.

    ``role`` is ``request``, ``response``, ``message`` or ``bytes``; ``number`` is that of the exchange, answer or
    message in its application's facts, from 0; ``sender`` is 0 or 1. ``part`` counts the packets that carry it, from 1
    to ``parts``, and ``length`` its bytes in this one; ``last``: no packet after this brings more of it. ``what`` is
    the message itself.
    """

    frame: int
    conversation: int
    protocol: str
    role: str
    number: int
    sender: int
    part: int
    parts: int
    length: int
    last: bool
    what: Any


#: role, number, place, facts
_Message = tuple[str, int, Span, Any]


def notes_of(applications: Iterable[Application]) -> dict[int, tuple[Note, ...]]:
    """All notes by frame, in the order of the streams."""
    found: defaultdict[int, list[Note]] = defaultdict(list)
    for application in applications:
        for role, number, span, what in messages_of(application):
            for count, part in enumerate(span.parts, 1):
                found[part.frame].append(
                    Note(
                        part.frame,
                        application.conversation,
                        application.protocol,
                        role,
                        number,
                        span.sender,
                        count,
                        span.packets,
                        part.length,
                        part.frame == span.last,
                        what,
                    )
                )
    return {frame: tuple(notes) for frame, notes in sorted(found.items())}


def messages_of(application: Application) -> Iterator[_Message]:
    """Every message: its role, its number, where it stood, and the facts themselves."""
    facts = application.facts
    if application.protocol == CALC:
        for index, exchange in enumerate(facts.exchanges):
            yield from _pair(index, exchange.request, (exchange.response,))
    elif application.protocol == HTTP:
        for index, pair in enumerate(facts.exchanges):
            yield from _pair(index, pair.request, (*pair.interim, pair.response))
    elif application.protocol == UPPER:
        for index, answer in enumerate(facts.answers):
            yield "request", index, answer.request, answer
            yield "response", index, answer.answer, answer
    elif application.protocol == WATCHDOG:
        for index, one in enumerate(facts.messages):
            yield "message", index, one.span, one
    elif application.protocol == BYTES:
        for index, turn in enumerate(facts.turns):
            yield "bytes", index, turn.span, turn


def _pair(index: int, request: Spanned | None, responses: Iterable[Spanned | None]) -> Iterator[_Message]:
    if request is not None:
        yield "request", index, request.span, request
    for one in responses:
        if one is not None:
            yield "response", index, one.span, one
