"""A ladder as a Mermaid sequence diagram (https://mermaid.js.org/syntax/sequenceDiagram.html)."""

import re
from collections.abc import Iterator

from netlab.trace.ladder.layout import Arrow, Ladder, Lane, Pause
from netlab.trace.notation import seconds
from netlab.trace.words.language import Language, duration, endpoint
from netlab.trace.words.people import Roles, role_of

_HARMLESS = set(" .,=/()[]-_:+'×…")
#: ``end`` closes a block of the diagram's language, wherever it stands.
_END = re.compile("end", re.IGNORECASE)


def draw(ladder: Ladder, roles: Roles, language: Language, title: str) -> Iterator[str]:
    """The lines of a diagram."""
    yield "sequenceDiagram"
    yield f"    accTitle: {escaped(title)}"
    for lane in sorted(ladder.lanes, key=lambda lane: (lane.column, lane.top)):
        yield f"    participant {_key(lane)} as {_name(lane, roles, language)}"
    if not ladder.lanes:
        return
    ends = sorted(ladder.lanes, key=lambda lane: lane.column)
    across = ",".join(dict.fromkeys((_key(ends[0]), _key(ends[-1]))))
    for row in ladder.rows:
        if isinstance(row, Pause):
            yield f"    Note over {across}: {escaped(duration(row.length))}"
        elif isinstance(row, Arrow):
            yield from _arrow(row)
        else:
            yield f"    Note over {across}: {row.frame} {escaped(row.label)}"


def _arrow(row: Arrow) -> Iterator[str]:
    head = "-x" if row.reset else "->>"
    yield f"    P{row.source}{head}P{row.target}: {row.frame}, {seconds(row.time)}: {escaped(row.label)}"
    if row.marks:
        yield f"    Note right of P{max(row.source, row.target)}: {escaped(', '.join(row.marks))}"


def _key(lane: Lane) -> str:
    return f"P{lane.number}"


def _name(lane: Lane, roles: Roles, language: Language) -> str:
    role = role_of(lane.endpoint, roles)
    name = escaped(endpoint(lane.endpoint))
    return name if role is None else f"{escaped(language.stranger(role))}<br/>{name}"


def escaped(text: str) -> str:
    """``text`` as the diagram's language wants it: whatever could mean something there is written by its number."""
    safe = "".join(
        character if character.isalnum() or character in _HARMLESS else f"#{ord(character)};" for character in text
    )
    return _END.sub(lambda found: f"#{ord(found[0][0])};{found[0][1:]}", safe)
