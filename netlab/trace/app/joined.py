"""Several sends in one segment, and several segments read at once: told by where messages begin and end."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from netlab.trace.app.application import BYTES, UPPER, Application
from netlab.trace.app.holding import Held, Holding
from netlab.trace.app.notes import messages_of

if TYPE_CHECKING:
    from netlab.trace.app.uppercase import UpperTalk

#: Of plain bytes, so many segments of a turn are looked at.
MAX_LOOKED_AT = 256


@frozen
class Joined:
    """``sends_together`` or ``read_together``: frames, and numbers by name (docs/trace-apps.md)."""

    kind: str
    sender: int
    frames: tuple[int, ...]
    numbers: Mapping[str, int]


def joined(application: Application, holding: Holding) -> Iterator[Joined]:
    """What of a conversation was sent or read together."""
    facts = application.facts
    if facts is None:
        return
    if application.protocol in (UPPER, BYTES):
        if application.protocol == UPPER:
            yield from _read_together(facts)
        yield from _alike(application, holding)
        return
    ways: defaultdict[tuple[int, int], int] = defaultdict(int)
    for _role, _number, span, _what in messages_of(application):
        for part in span.parts:
            ways[part.frame, span.sender] += 1
    for (frame, sender), messages in sorted(ways.items()):
        if messages > 1:
            yield _sent(sender, frame, messages, holding.held.get(frame), alike=False)


def _read_together(facts: "UpperTalk") -> Iterator[Joined]:
    """Answers to what came in several packets."""
    for answer in facts.answers:
        if answer.request.packets > 1:
            numbers = {
                "segments": answer.request.packets,
                "bytes": answer.request.length,
                "waited": answer.answer.began - answer.request.began,
            }
            yield Joined("read_together", answer.answer.sender, (answer.answer.first,), numbers)


def _alike(application: Application, holding: Holding) -> Iterator[Joined]:
    """Segments that were held back and are several times as long as the one before: sends of the same size."""
    seen: set[int] = set()
    for _role, _number, span, _what in messages_of(application):
        for part in span.parts[:MAX_LOOKED_AT]:
            held = holding.held.get(part.frame)
            if held is None or part.frame in seen:
                continue
            seen.add(part.frame)
            if held.length > held.before and held.length % held.before == 0:
                yield _sent(span.sender, part.frame, held.length // held.before, held, alike=True)


def _sent(sender: int, frame: int, messages: int, held: Held | None, *, alike: bool) -> Joined:
    numbers = {"messages": messages, "alike": int(alike), "nagle": int(held is not None)}
    if held is not None:
        numbers |= {"waited": held.waited, "held": held.held, "before": held.before}
    return Joined("sends_together", sender, (frame,), numbers)
