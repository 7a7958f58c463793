"""The proxy's ways as a flow chart: with the cache and without, the one that a request took highlighted."""

from collections.abc import Iterator
from html import escape
from textwrap import wrap
from typing import NamedTuple

from netlab.lab.report import headings
from netlab.trace.passage import HIT, MISS, NO_ANSWER, OUTAGE, OWN, Passage
from netlab.trace.words.language import Language
from netlab.trace.words.sentence import Sentence


class Box(NamedTuple):
    """A place of the chart: its name in Mermaid, its words, and where it is drawn (its middle, and half its width)."""

    name: str
    words: Sentence
    x: int
    y: int
    half: int


class Way(NamedTuple):
    """A way from one box to another, and the word beside it."""

    source: str
    target: str
    words: Sentence | None = None


BOXES = (
    Box("client", headings.CLIENT, 70, 90, 50),
    Box("proxy", headings.PROXY, 210, 90, 50),
    Box("cache", headings.CACHE, 400, 90, 100),
    Box("stored", headings.FROM_CACHE, 660, 30, 110),
    Box("server", headings.SERVER, 400, 200, 50),
    Box("fetched", headings.STORE, 660, 150, 110),
    Box("failed", headings.FAILED, 660, 235, 110),
)
WAYS = (
    Way("client", "proxy"),
    Way("proxy", "cache"),
    Way("cache", "stored", headings.YES),
    Way("cache", "server", headings.NO),
    Way("server", "fetched"),
    Way("server", "failed"),
)
_BEGIN = {("client", "proxy"), ("proxy", "cache")}
_TAKEN = {
    HIT: _BEGIN | {("cache", "stored")},
    MISS: _BEGIN | {("cache", "server"), ("server", "fetched")},
    OUTAGE: _BEGIN | {("cache", "server"), ("server", "failed")},
    OWN: {("client", "proxy")},
    NO_ANSWER: {("client", "proxy")},
}
_WIDTH, _HEIGHT, _TALL, _LINE = 790, 270, 44, 17


def taken(verdict: str) -> set[tuple[str, str]]:
    """The ways that a request with this verdict went."""
    return _TAKEN[verdict]


def svg_chart(passage: Passage, language: Language, number: int) -> Iterator[str]:
    """The pieces of an ``svg`` element."""
    ways = taken(passage.verdict)
    visited = {name for way in ways for name in way}
    label = language.say(headings.request(number, headings.PATHS[passage.verdict]))
    side = "rtl" if language.right_to_left else "ltr"
    yield f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">\n'
    yield f'<g direction="{side}">\n'
    boxes = {box.name: box for box in BOXES}
    for way in sorted(WAYS, key=lambda way: way[:2] in ways):
        yield from _arrow(way, boxes, language, way[:2] in ways)
    for box in BOXES:
        yield from _box(box, language, box.name in visited)
    yield "</g></svg>\n"


def _arrow(way: Way, boxes: dict[str, Box], language: Language, is_taken: bool) -> Iterator[str]:
    source, target = boxes[way.source], boxes[way.target]
    kind = "taken" if is_taken else "idle"
    if source.x == target.x:
        x1, y1, x2, y2 = source.x, source.y + _TALL // 2, target.x, target.y - _TALL // 2
        head = f"{x2 - 5},{y2 - 9} {x2 + 5},{y2 - 9} {x2},{y2}"
        beside = (x1 + 8, (y1 + y2) // 2 + 5)
    else:
        x1, y1, x2, y2 = source.x + source.half, source.y, target.x - target.half, target.y
        head = f"{x2 - 9},{y2 - 5} {x2 - 9},{y2 + 5} {x2},{y2}"
        beside = (x1 - 2, (y1 + y2) // 2 - 14)
    bend = (x1 + x2) // 2
    path = f"M{x1} {y1}V{y2}" if source.x == target.x else f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2 - 8} {y2}"
    yield f'<path class="{kind}" d="{path}"/><polygon class="{kind}" points="{head}"/>\n'
    if way.words is not None:
        # The words begin at the same place in each language: where a text from right to left ends.
        anchor = "end" if language.right_to_left else "start"
        words = escape(language.say(way.words))
        yield f'<text class="{kind}" text-anchor="{anchor}" x="{beside[0]}" y="{beside[1]}">{words}</text>\n'


def _box(box: Box, language: Language, is_taken: bool) -> Iterator[str]:
    kind = "taken" if is_taken else "idle"
    x, y = box.x - box.half, box.y - _TALL // 2
    yield f'<rect class="{kind}" x="{x}" y="{y}" width="{2 * box.half}" height="{_TALL}" rx="6"/>\n'
    lines = _lines(language.say(box.words), box.half // 4)
    for place, line in enumerate(lines):
        height = box.y + 5 + _LINE * place - _LINE * (len(lines) - 1) // 2
        yield f'<text class="{kind} middle" x="{box.x}" y="{height}">{escape(line)}</text>\n'


def _lines(text: str, letters: int) -> list[str]:
    return wrap(text, max(letters, 10), break_long_words=False) or [""]


def mermaid_chart(passage: Passage, language: Language) -> Iterator[str]:
    """The same in Mermaid."""
    ways = taken(passage.verdict)
    yield "flowchart LR"
    for box in BOXES:
        yield f'    {box.name}["{_safe(language.say(box.words))}"]'
    for way in WAYS:
        words = f'|"{_safe(language.say(way.words))}"|' if way.words is not None else ""
        yield f"    {way.source} {'==>' if way[:2] in ways else '-.->'}{words} {way.target}"
    visited = sorted({name for way in ways for name in way})
    yield "    classDef taken fill:#1d4ed8,color:#fff,stroke:#1d4ed8"
    yield f"    class {','.join(visited)} taken"


def _safe(text: str) -> str:
    return text.replace('"', "'")
