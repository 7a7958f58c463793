"""A ladder as lines of text: lanes side by side, and what each arrow says at the right of them."""

from collections.abc import Iterator

from netlab.common.printable import printable
from netlab.trace.facts import Endpoint
from netlab.trace.ladder.layout import Arrow, Ladder, Lane, Pause
from netlab.trace.notation import seconds
from netlab.trace.report.paint import Paint
from netlab.trace.words.language import Language, duration, endpoint
from netlab.trace.words.people import Roles, role_of

#: The columns before the first lane: packet and time.
_MARGIN = 21
#: What is left for the words beside the lanes, at least and at most.
_FEW_WORDS, _MANY_WORDS = 20, 64
_LEAST, _MOST = 4, 30
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def draw(ladder: Ladder, roles: Roles, language: Language, width: int, paint: Paint) -> Iterator[str]:
    """The lines of a ladder, ``width`` characters wide if there is a way."""
    if not ladder.lanes:
        return
    for line in _Drawing(ladder, roles, language, width, paint).lines():
        yield language.isolated(line.rstrip()) if line.strip() else ""


class _Drawing:
    def __init__(self, ladder: Ladder, roles: Roles, language: Language, width: int, paint: Paint) -> None:
        self._ladder = ladder
        self._language = language
        self._paint = paint
        self._names = [_name(lane.endpoint, roles, language) for lane in ladder.lanes]
        words = max((len(_said(row)) for row in ladder.rows if isinstance(row, Arrow)), default=0) + 2
        room = max(width - _MARGIN - min(max(words, _FEW_WORDS), _MANY_WORDS), 1) // ladder.columns
        longest = max(len(part) for name in self._names for part in name)
        self._step = max(_LEAST, min(room, _MOST, longest + 2))
        self._short = longest + 1 > self._step
        self._wide = ladder.columns * self._step

    def lines(self) -> Iterator[str]:
        """The names, then a line or two for each row."""
        yield from self._heads()
        for place, row in enumerate(self._ladder.rows):
            for lane in self._ladder.beginning(place):
                yield self._joins(lane, place)
            if isinstance(row, Pause):
                yield f"{'':{_MARGIN}}{self._rails(place, '┆')} {self._paint.dim(duration(row.length))}"
            elif isinstance(row, Arrow):
                yield from self._arrow(row, place)
            else:
                yield f"{row.frame:>6} {seconds(row.time):>13} {self._rails(place)} {printable(row.label)}"

    def _heads(self) -> Iterator[str]:
        leading = [lane.number for lane in self._ladder.lanes if lane.leads]
        if self._short:
            for number, name in enumerate(self._names):
                yield f"  {self._letter(number)} = {' '.join(part for part in name if part)}"
            yield ""
        heads = {number: (self._letter(number), "") if self._short else self._names[number] for number in leading}
        for part in (0, 1):
            line = [" "] * self._wide
            for number, name in heads.items():
                self._put(line, self._ladder.lanes[number].column, name[part])
            if "".join(line).strip():
                yield " " * _MARGIN + "".join(line)

    def _put(self, line: list[str], column: int, text: str) -> None:
        """Write ``text`` around the middle of a column."""
        start = max(0, min(self._middle(column) - len(text) // 2, len(line) - len(text)))
        line[start : start + len(text)] = text

    def _joins(self, lane: Lane, place: int) -> str:
        """The name of a lane that takes its column over."""
        number = lane.number
        line = list(self._rails(place - 1) if place else " " * self._wide)
        self._put(
            line, lane.column, self._letter(number) if self._short else " ".join(filter(None, self._names[number]))
        )
        return " " * _MARGIN + "".join(line)

    def _letter(self, number: int) -> str:
        return _LETTERS[number] if number < len(_LETTERS) else str(number + 1)

    def _middle(self, column: int) -> int:
        return column * self._step + self._step // 2

    def _rails(self, place: int, rail: str = "│") -> str:
        line = [" "] * self._wide
        for lane in self._ladder.alive(place):
            line[self._middle(lane.column)] = rail
        return "".join(line)

    def _arrow(self, row: Arrow, place: int) -> Iterator[str]:
        line = list(self._rails(place))
        source, target = (self._middle(self._ladder.lanes[number].column) for number in (row.source, row.target))
        if source == target:
            line[source] = "↺"
        else:
            low, high = sorted((source, target))
            line[low + 1 : high] = ["┼" if rail == "│" else "─" for rail in line[low + 1 : high]]
            line[target + (1 if target < source else -1)] = "◀" if target < source else "▶"
            if row.reset:
                line[(low + high) // 2] = "╳"
        drawn, said = self._coloured(row, "".join(line), _said(row))
        yield f"{row.frame:>6} {seconds(row.time):>13} {drawn} {said}"

    def _coloured(self, row: Arrow, drawn: str, said: str) -> tuple[str, str]:
        if row.reset:
            return self._paint.bad(drawn), self._paint.bad(said)
        if row.marks or row.hurt:
            return self._paint.odd(drawn), self._paint.odd(said)
        return drawn, said


def _name(end: Endpoint, roles: Roles, language: Language) -> tuple[str, str]:
    """The name of a lane on two lines: its role, empty if it has none, and its address."""
    role = role_of(end, roles)
    return ("" if role is None else language.stranger(role), endpoint(end))


def _said(row: Arrow) -> str:
    """What stands beside an arrow."""
    return printable(row.label + "".join(f" [{mark}]" for mark in row.marks))
