"""The ladder of a capture by itself: SVG or Mermaid."""

from collections.abc import Iterator

from netlab.trace.ladder import mermaid, svg
from netlab.trace.ladder.layout import Ladder, Pause
from netlab.trace.report import headings
from netlab.trace.report.telling import Telling
from netlab.trace.words.language import Language
from netlab.trace.words.people import Roles
from netlab.trace.words.sentence import Notation


def report(form: str, telling: Telling, roles: Roles, language: Language, name: str) -> Iterator[str]:
    """The pieces of the drawing; ``form`` is ``svg`` or ``mermaid``."""
    telling.read()
    ladder = telling.ladder()
    if form == "svg":
        yield from svg_pieces(ladder, roles, language, name)
        return
    for line in mermaid.draw(ladder, roles, language, language.say(headings.ladder_of(name))):
        yield f"{line}\n"
    if ladder.left_out:
        yield f"    %% {mermaid.escaped(language.say(headings.more_packets(ladder.left_out)))}\n"


def svg_pieces(ladder: Ladder, roles: Roles, language: Language, name: str, *, links: bool = False) -> Iterator[str]:
    """The pieces of an ``svg`` element; ``links`` as in `netlab.trace.ladder.svg`."""
    labels = {row.frame: row.label for row in ladder.rows if not isinstance(row, Pause)}
    shown = language.say(headings.ladder_text(len(labels), len(ladder.lanes)))
    if ladder.left_out:
        shown += " " + language.say(headings.more_packets(ladder.left_out))
    texts = svg.Texts(
        language.say(headings.ladder_of(name)),
        shown,
        lambda frame: language.say(headings.packet_label(frame, Notation(labels[frame]))),
    )
    return svg.draw(ladder, roles, language, texts, links=links)
