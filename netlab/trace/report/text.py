"""A capture as lines of text: each packet as it is read, then the ladder, the conversations, and the summary."""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from netlab.trace.ladder import text as ladder_text
from netlab.trace.notation import details, ends_of, marks, seconds
from netlab.trace.report import headings
from netlab.trace.report.paint import Paint
from netlab.trace.report.telling import MAX_HELD, Telling, ToldPacket
from netlab.trace.words.language import Language, endpoint
from netlab.trace.words.people import Roles
from netlab.trace.words.sentence import Sentence

_INDENT = 8


class TextReport:
    """Writes for a terminal, or a file, that is ``width`` characters wide."""

    def __init__(
        self, telling: Telling, roles: Roles, language: Language, width: int, paint: Paint, *, live: bool = False
    ) -> None:
        self._telling = telling
        self._roles = roles
        self._language = language
        self._width = width
        self._paint = paint
        #: Nothing is held back from who waits for packets.
        self._held = 0 if live else MAX_HELD

    def lines(self) -> Iterator[str]:
        """All lines."""
        for told in self._telling.packets(self._held):
            yield from self._packet(told)
        if self._telling.messages_left_out:
            yield ""
            yield from self._paragraph((headings.messages_left_out(self._held),))
        yield from self._ladder()
        for talk in self._telling.conversations():
            yield from self._heading(talk.title)
            yield from self._paragraph(talk.sentences)
            if talk.programs:
                yield from self._paragraph(talk.programs)
        yield from self._heading(headings.SUMMARY)
        yield from self._paragraph(self._telling.summary())

    def _packet(self, told: ToldPacket) -> Iterator[str]:
        packet, paint = told.packet, self._paint
        ends = ends_of(packet)
        between = f"{endpoint(ends[0])} → {endpoint(ends[1])}  " if ends else ""
        found = marks(packet)
        noted = "".join(f" [{mark}]" for mark in found)
        head = f"{packet.number:>6} {seconds(told.since):>13}  {between}{details(packet)}"
        lines = [paint.strong(head) + paint.odd(noted)]
        if found and len(head) + len(noted) > self._width:
            lines = [paint.strong(head), " " * (_INDENT - 1) + paint.odd(noted)]
        yield from map(self._language.isolated, lines)
        yield from self._sentences(told.sentences, _INDENT)

    def _ladder(self) -> Iterator[str]:
        ladder = self._telling.ladder()
        if not ladder.lanes:
            return
        yield from self._heading(headings.LADDER)
        yield from ladder_text.draw(ladder, self._roles, self._language, self._width, self._paint)
        if ladder.left_out:
            yield from self._paragraph((headings.more_packets(ladder.left_out),))

    def _heading(self, sentence: Sentence) -> Iterator[str]:
        yield ""
        yield self._paint.strong(self._language.say(sentence))

    def _sentences(self, sentences: Iterable[Sentence], indent: int) -> Iterator[str]:
        for sentence in sentences:
            yield from self._wrapped(self._language.say(sentence), indent)

    def _paragraph(self, sentences: Iterable[Sentence]) -> Iterator[str]:
        yield from self._wrapped(" ".join(map(self._language.say, sentences)), 2)

    def _wrapped(self, text: str, indent: int) -> list[str]:
        before = " " * indent
        if len(text) + indent <= self._width:
            return [before + text]
        return wrap(text, self._width, initial_indent=before, subsequent_indent=before, break_on_hyphens=False)
