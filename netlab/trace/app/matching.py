"""Answers belong to requests by their order alone, in every protocol here."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from netlab.trace.app.span import Span


class Spanned(Protocol):
    """Something that stood somewhere in a stream."""

    @property
    def span(self) -> Span:
        """Where."""
        ...


Q = TypeVar("Q", bound=Spanned)
A = TypeVar("A", bound=Spanned)


def matched(requests: Iterable[Q], answers: Sequence[A], in_order: bool) -> list[tuple[Q | None, A | None]]:
    """Requests with their answers, in order; `None` for the one that is not there.

    Unless both streams are whole (``in_order``), an answer that began before the next request did is another's.
    """
    found: list[tuple[Q | None, A | None]] = []
    waiting = iter(requests)
    request = next(waiting, None)
    for answer in answers:
        if request is not None and (in_order or request.span.first < answer.span.first):
            found.append((request, answer))
            request = next(waiting, None)
        else:
            found.append((None, answer))
    while request is not None:
        found.append((request, None))
        request = next(waiting, None)
    return found


def waited(request: Spanned | None, answer: Spanned | None) -> int | None:
    """The time from the last packet of a request to the first of its answer, in ns; `None` without both."""
    return None if request is None or answer is None else answer.span.began - request.span.ended
