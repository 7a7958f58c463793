"""An experiment for a terminal: story, what was run, the way of each request, ladder, verdicts."""

from collections.abc import Iterator
from textwrap import wrap

from netlab.lab.claim import DISPROVED, PROVED, UNTOLD
from netlab.lab.manifest import commands
from netlab.lab.report import headings
from netlab.lab.report.written import Written
from netlab.trace.ladder import text as ladder_text
from netlab.trace.passage import HIT, MISS, NO_ANSWER, OUTAGE, OWN
from netlab.trace.report.paint import Paint
from netlab.trace.words.language import Language

_MARKS = {PROVED: "✔", DISPROVED: "✘", UNTOLD: "?"}
#: The way of a request as arrows.
_WAYS = {
    MISS: "client → proxy → server → proxy → client",
    HIT: "client → proxy → client",
    OUTAGE: "client → proxy ✘ server, proxy → client",
    OWN: "client → proxy → client",
    NO_ANSWER: "client → proxy",
}


class TextReport:
    """Writes for something ``width`` characters wide."""

    def __init__(self, written: Written, language: Language, width: int, paint: Paint) -> None:
        self._written = written
        self._result = written.result
        self._language = language
        self._width = width
        self._paint = paint

    def lines(self) -> Iterator[str]:
        """All lines."""
        say = self._language.say
        yield self._paint.strong(say(headings.title(self._result)))
        for sentence in self._result.plan.story:
            yield from self._wrapped(say(sentence), 2)
        yield from self._run()
        yield from self._ways()
        yield from self._ladder()
        yield from self.verdicts()

    def verdicts(self) -> Iterator[str]:
        """The claims with their verdicts, and the packets that show them."""
        yield from self._heading(self._language.say(headings.CLAIMS))
        for claim, judged in self._result.judged:
            yield from self._claim(self._language.say(claim.text), judged.verdict)
            cited = headings.cited(judged.frames)
            shown = f" {self._language.say(cited)}" if cited else ""
            yield from self._wrapped(self._language.say(judged.reason) + shown, 6)
        yield ""
        yield "  " + self._paint.strong(self._language.say(headings.totals(self._result)))

    def _claim(self, text: str, verdict: str) -> Iterator[str]:
        """A claim and its verdict, in the verdict's colour."""
        colour = {PROVED: self._paint.good, DISPROVED: self._paint.bad, UNTOLD: self._paint.odd}[verdict]
        mark = f"{_MARKS[verdict]} {self._language.say(headings.VERDICTS[verdict])}"
        first, *rest = self._wrapped(f"{mark}: {text}", 2, 6)
        yield first.replace(mark, colour(mark), 1)
        yield from rest

    def _run(self) -> Iterator[str]:
        say = self._language.say
        yield from self._heading(say(headings.COMMANDS))
        for line in commands(self._result):
            yield self._language.isolated(f"  $ {line if len(line) <= 160 else line[:160] + '…'}")
        yield from self._wrapped(f"{say(headings.where(self._result))} {say(headings.for_whom(self._result))}", 2)

    def _ways(self) -> Iterator[str]:
        if not self._written.passages:
            return
        yield from self._heading(self._language.say(headings.PATH))
        for number, one in enumerate(self._written.passages, 1):
            way = self._language.say(headings.PATHS[one.verdict])
            yield f"  {number}  {self._language.isolated(_WAYS[one.verdict].ljust(42))} {way}"

    def _ladder(self) -> Iterator[str]:
        yield from self._heading(self._language.say(headings.LADDER))
        if not self._written.packets:
            yield "  " + self._language.say(headings.NO_CAPTURE)
            return
        ladder = self._written.telling.ladder()
        yield from ladder_text.draw(ladder, self._written.roles, self._language, self._width, self._paint)

    def _heading(self, text: str) -> Iterator[str]:
        yield ""
        yield self._paint.strong(text)

    def _wrapped(self, text: str, indent: int, later: int | None = None) -> list[str]:
        """``text`` in lines that begin with ``indent`` spaces, those after the first with ``later``."""
        before, after = " " * indent, " " * (indent if later is None else later)
        return wrap(text, self._width, initial_indent=before, subsequent_indent=after, break_on_hyphens=False)
