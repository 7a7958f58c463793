"""Glue: a capture as one HTML page that needs nothing else; the template, style and script are the files beside."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from netlab.trace.facts import Segment
from netlab.trace.notation import details, ends_of, marks, seconds
from netlab.trace.report import headings
from netlab.trace.report.drawing import svg_pieces
from netlab.trace.report.hexdump import MAX_BYTES, hexdump
from netlab.trace.report.telling import Telling, ToldPacket
from netlab.trace.tcp import RST
from netlab.trace.words.language import Language, endpoint
from netlab.trace.words.people import Roles
from netlab.trace.words.sentence import octets

#: A browser still scrolls so many; the rest is counted.
MAX_ROWS = 5_000
_HERE = Path(__file__).parent


class Row(NamedTuple):
    """A packet as the template shows it; everything is text that the template escapes."""

    number: int
    time: str
    source: str
    destination: str
    what: str
    marks: tuple[str, ...]
    kind: str
    sentences: tuple[str, ...]
    dump: str
    more: str


def report(telling: Telling, roles: Roles, language: Language, name: str) -> Iterator[str]:
    """The pieces of the page; ``name`` is the capture's."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    packets = telling.packets()
    rows = [row_of(told, language) for told in islice(packets, MAX_ROWS)]
    more = sum(1 for _ in packets)
    ladder = telling.ladder()
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    drawn = "".join(svg_pieces(ladder, roles, language, name, links=True))
    return environment.get_template("page.html").generate(
        language=language,
        say=language.say,
        h=headings,
        name=name,
        summary=telling.summary(),
        ladder=ladder,
        drawn=Markup(drawn),  # `svg` escapes
        conversations=list(telling.conversations()),
        rows=rows,
        more=more,
        style=Markup((_HERE / "page.css").read_text("utf-8")),
        script=Markup((_HERE / "page.js").read_text("utf-8")),
    )


def row_of(told: ToldPacket, language: Language) -> Row:
    """A packet for the template."""
    packet = told.packet
    ends = ends_of(packet)
    names = (endpoint(ends[0]), endpoint(ends[1])) if ends else ("", "")
    what = packet.transport
    reset = isinstance(what, Segment) and bool(what.bits & RST)
    found = marks(packet)
    more = len(packet.data) - MAX_BYTES
    return Row(
        number=packet.number,
        time=seconds(told.since),
        source=names[0],
        destination=names[1],
        what=details(packet),
        marks=found,
        kind="bad" if reset else "odd" if found or packet.flaws else "",
        sentences=tuple(map(language.say, told.sentences)),
        dump="\n".join(hexdump(packet.data)),
        more=language.say(headings.more_bytes(octets(more))) if more > 0 else "",
    )
