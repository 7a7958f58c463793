"""What the programs of an experiment said, when: lines of JSON, on the capture's clock."""

import json
from collections.abc import Iterable, Iterator

from attrs import frozen

from netlab.lab.errors import BadBundle

#: Lines of one experiment, and characters of a line; more is a program that has gone wild.
MAX_EVENTS = 20_000
MAX_TEXT = 4_096
_SECOND = 1_000_000_000

STEP, OUTPUT, ERROR, EXIT, LOG = "step", "output", "error", "exit", "log"
KINDS = (STEP, OUTPUT, ERROR, EXIT, LOG)


@frozen
class Event:
    """Something that ``source`` did at ``time`` (ns since 1970, by the clock that packets are stamped by).

    ``kind``: a step of the experiment began, a line of a command's output or of its errors, a program's end (``text``
    is its exit code), or an entry in a daemon's log.
    """

    time: int
    source: str
    kind: str
    text: str


def written(events: Iterable[Event]) -> str:
    """The lines of a file, in the order of time."""
    return "".join(_line(one) for one in sorted(events, key=lambda one: one.time))


def _line(one: Event) -> str:
    time = f"{one.time // _SECOND}.{one.time % _SECOND:09d}"
    value = {"time": time, "source": one.source, "kind": one.kind, "text": one.text[:MAX_TEXT]}
    return json.dumps(value, ensure_ascii=False) + "\n"


def read(text: str) -> Iterator[Event]:
    """The events of a file.

    :raises BadBundle: a line is no event, or there are too many.
    """
    for number, line in enumerate(text.removesuffix("\n").split("\n", MAX_EVENTS) if text else (), 1):
        if number > MAX_EVENTS:
            raise BadBundle(f"events.jsonl has more than {MAX_EVENTS:,} lines")
        yield _event(line, number)


def _event(line: str, number: int) -> Event:
    try:
        value = json.loads(line)
        whole, _, part = value["time"].partition(".")
        time = int(whole) * _SECOND + int(part.ljust(9, "0")[:9])
        texts = tuple(value[name] for name in ("source", "kind", "text"))
        "".join(texts).encode()  # half a character, as JSON may have it, is no text
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise BadBundle(f"line {number} of events.jsonl is no event") from None
    if not all(isinstance(one, str) and len(one) <= MAX_TEXT for one in texts) or texts[1] not in KINDS:
        raise BadBundle(f"line {number} of events.jsonl is no event")
    return Event(time, *texts)
