"""A ladder as SVG: light or dark as the reader likes it, and told to who cannot see it."""

from collections.abc import Callable, Iterator
from html import escape
from math import log10
from typing import NamedTuple

from netlab.common.printable import printable
from netlab.trace.ladder.layout import Arrow, Aside, Ladder, Lane, Pause
from netlab.trace.notation import seconds
from netlab.trace.words.language import Language, duration, endpoint
from netlab.trace.words.people import Roles, role_of

STYLE = """
.ladder{--ink:#1a1a1a;--soft:#6b7280;--line:#cbd5e1;--paper:#ffffff;--bad:#b91c1c;--odd:#b45309;--good:#1d4ed8;\
font:11px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;direction:ltr;background:var(--paper)}
@media (prefers-color-scheme:dark){.ladder{--ink:#e5e7eb;--soft:#9ca3af;--line:#374151;--paper:#111827;\
--bad:#f87171;--odd:#fbbf24;--good:#93c5fd}}
.ladder text{fill:var(--ink);unicode-bidi:plaintext}
.ladder .paper{fill:var(--paper)}
.ladder .soft{fill:var(--soft)}
.ladder .lane{stroke:var(--line);stroke-width:1}
.ladder .pause{stroke:var(--paper);stroke-width:3;stroke-dasharray:2 4}
.ladder .head{font-weight:bold}
.ladder .arrow{stroke:var(--good);fill:var(--good);stroke-width:1.3}
.ladder .arrow path{stroke:none}
.ladder .arrow .cross{stroke:var(--bad);stroke-width:2}
.ladder .label{paint-order:stroke;stroke:var(--paper);stroke-width:3px;text-anchor:middle}
.ladder .odd .arrow{stroke:var(--odd);fill:var(--odd)}
.ladder .odd .mark{fill:var(--odd)}
.ladder .bad .arrow{stroke:var(--bad);fill:var(--bad)}
.ladder .bad .mark{fill:var(--bad)}
.ladder .band{fill:transparent}
.ladder a:hover .band,.ladder a:focus .band{fill:var(--line);opacity:.5}
.ladder a:focus{outline:none}
@media print{.ladder{--ink:#000;--soft:#444;--line:#999;--paper:#fff;--bad:#a00;--odd:#840;--good:#008}\
.ladder .label{stroke:none}}
""".strip()

_MARGIN, _TOP, _ROW, _MARK = 122, 46, 26, 13
#: So wide is a character of the labels.
_CHARACTER = 6.7
#: What is left beside the outer lanes, and around a label.
_EDGE, _ROOM = 100, 30


class Texts(NamedTuple):
    """What a reader of the screen is told: the diagram's name, what it shows, and each packet by its number."""

    title: str
    description: str
    packet: Callable[[int], str]


def draw(ladder: Ladder, roles: Roles, language: Language, texts: Texts, *, links: bool = False) -> Iterator[str]:
    """The pieces of an ``svg`` element; with ``links`` each packet leads to the ``#pN`` of the page that it is in."""
    return _Drawing(ladder, roles, language, texts, links).pieces()


class _Drawing:
    def __init__(self, ladder: Ladder, roles: Roles, language: Language, texts: Texts, links: bool) -> None:
        self._ladder, self._roles, self._language, self._texts, self._links = ladder, roles, language, texts, links
        self._places = _places(ladder, roles)
        self._tops: list[int] = []
        top = _TOP
        for place, row in enumerate(ladder.rows):
            top += 18 * bool(ladder.beginning(place))
            self._tops.append(top)
            top += _height(row)
        self._tops.append(top)
        self._width = max((*self._places, _MARGIN)) + max(_EDGE, _own_label(ladder))
        self._height = top + 12

    def pieces(self) -> Iterator[str]:
        """The whole element."""
        role, title, lang = ("group" if self._links else "img"), self._texts.title, self._language.code
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ladder" role="{role}" lang="{lang}" '
            f'aria-labelledby="ladder-title ladder-text" width="{self._width}" height="{self._height}" '
            f'viewBox="0 0 {self._width} {self._height}">\n'
        )
        yield f'<title id="ladder-title">{escape(title)}</title>\n'
        yield f'<desc id="ladder-text">{escape(self._texts.description)}</desc>\n<style>{STYLE}</style>\n'
        yield f'<rect class="paper" width="{self._width}" height="{self._height}"/>\n'
        for lane in self._ladder.lanes:
            yield from self._lane(lane)
        for place, row in enumerate(self._ladder.rows):
            yield from self._row(place, row)
        yield "</svg>\n"

    def _x(self, lane: Lane) -> int:
        return self._places[lane.column]

    def _lane(self, lane: Lane) -> Iterator[str]:
        leads = lane.leads
        top, bottom = _TOP if leads else self._tops[lane.top], self._tops[lane.bottom + 1]
        x = self._x(lane)
        yield f'<line class="lane" x1="{x}" y1="{top}" x2="{x}" y2="{bottom}"/>\n'
        role = role_of(lane.endpoint, self._roles)
        name = escape(endpoint(lane.endpoint))
        if role is not None:
            role = escape(self._language.stranger(role))
            if leads:
                yield f'<text class="label head" x="{x}" y="{top - 22}">{role}</text>\n'
            else:
                name = f"{role} · {name}"
        yield f'<text class="label head" x="{x}" y="{top - 7}">{name}</text>\n'

    def _row(self, place: int, row: Arrow | Pause | Aside) -> Iterator[str]:
        top, height = self._tops[place], _height(row)
        if isinstance(row, Pause):
            for lane in self._ladder.alive(place):
                x = self._x(lane)
                yield f'<line class="pause" x1="{x}" y1="{top + 3}" x2="{x}" y2="{top + height - 3}"/>\n'
            yield f'<text class="soft" x="50" y="{top + height // 2 + 4}">⋮ {escape(duration(row.length))}</text>\n'
            return
        kind = ""
        if isinstance(row, Arrow):
            kind = "bad" if row.reset else "odd" if row.marks or row.hurt else ""
        told = escape(self._texts.packet(row.frame))
        if self._links:
            yield f'<a href="#p{row.frame}" class="{kind}" aria-label="{told}">'
        else:
            yield f'<g class="{kind}">'
        yield f"<title>{told}</title>"
        yield f'<rect class="band" x="0" y="{top}" width="{self._width}" height="{height}"/>'
        yield f'<text x="36" y="{top + 18}" text-anchor="end">{row.frame}</text>'
        yield f'<text class="soft" x="{_MARGIN - 6}" y="{top + 18}" text-anchor="end">{seconds(row.time)}</text>'
        if isinstance(row, Arrow):
            yield from self._arrow(row, top)
        else:
            yield f'<text x="{_MARGIN + 10}" y="{top + 18}">{_safe(row.label)}</text>'
        yield "</a>\n" if self._links else "</g>\n"

    def _arrow(self, row: Arrow, top: int) -> Iterator[str]:
        source, target = (self._x(self._ladder.lanes[number]) for number in (row.source, row.target))
        y = top + 19
        middle = (source + target) // 2
        if source == target:
            yield f'<g class="arrow"><circle cx="{source}" cy="{y - 4}" r="4"/></g>'
        else:
            back = 8 if source < target else -8
            yield f'<g class="arrow"><line x1="{source}" y1="{y}" x2="{target - back}" y2="{y}"/>'
            yield f'<path d="M{target} {y}L{target - back} {y - 4}L{target - back} {y + 4}Z"/>'
            if row.reset:
                cross = target - 3 * back
                yield f'<path class="cross" d="M{cross - 5} {y - 5}l10 10m0 -10l-10 10"/>'
            yield "</g>"
        if source == target:
            yield f'<text x="{source + 12}" y="{y - 1}">{_safe(row.label)}</text>'
        else:
            yield f'<text class="label" x="{middle}" y="{y - 5}">{_safe(row.label)}</text>'
        if row.marks:
            text = _safe("⚑ " + ", ".join(row.marks))
            yield f'<text class="label mark" x="{middle}" y="{y + _MARK}">{text}</text>'


def _places(ladder: Ladder, roles: Roles) -> list[int]:
    """Where each column stands: as far from those at its left as their names and the labels between them need."""
    names = [0] * ladder.columns
    for lane in ladder.lanes:
        role, name = len(role_of(lane.endpoint, roles) or ""), len(endpoint(lane.endpoint))
        names[lane.column] = max(names[lane.column], max(role, name) if lane.leads else role + 3 + name)
    between: dict[tuple[int, int], int] = {}
    for row in ladder.rows:
        if isinstance(row, Arrow):
            left, right = sorted(ladder.lanes[lane].column for lane in (row.source, row.target))
            longest = max(len(row.label), len(", ".join(row.marks)) + 2)
            between[left, right] = max(between.get((left, right), 0), longest)
    places = [_MARGIN + _EDGE] * min(ladder.columns, 1)
    for column in range(1, ladder.columns):
        needs = [places[-1] + round((names[column - 1] + names[column]) / 2 * _CHARACTER) + _ROOM // 2]
        for (left, right), size in between.items():
            if left < right == column:
                needs.append(places[left] + round(size * _CHARACTER) + _ROOM)
        places.append(max(needs))
    return places


def _own_label(ladder: Ladder) -> int:
    """The room for the longest label of a packet to itself, which stands at the right of its lane."""
    own = (row.label for row in ladder.rows if isinstance(row, Arrow) and row.source == row.target)
    return round(max(map(len, own), default=0) * _CHARACTER) + _ROOM


def _height(row: Arrow | Pause | Aside) -> int:
    if isinstance(row, Pause):
        return 16 + round(6 * max(0.0, log10(row.length / 1_000_000)))
    return _ROW + (_MARK if isinstance(row, Arrow) and row.marks else 0)


def _safe(text: str) -> str:
    """``text`` inside an element or an attribute: XML knows no control characters at all."""
    return escape(printable(text))
