"""A capture as Markdown: summary, ladder (Mermaid), conversations, and a table of packets with what they mean."""

from collections.abc import Iterable, Iterator
from itertools import islice

from netlab.trace.ladder import mermaid
from netlab.trace.notation import details, ends_of, marks, seconds
from netlab.trace.report import headings
from netlab.trace.report.telling import Telling, ToldPacket
from netlab.trace.words.language import Language, endpoint
from netlab.trace.words.people import Roles
from netlab.trace.words.sentence import Sentence

#: A longer table is read by nobody; the rest is counted.
MAX_ROWS = 2_000


def report(telling: Telling, roles: Roles, language: Language, name: str) -> Iterator[str]:
    """The lines of the document; ``name`` is the capture's."""
    packets = telling.packets()
    shown = list(islice(packets, MAX_ROWS))
    more = sum(1 for _ in packets)

    def say(sentence: Sentence) -> str:
        return escaped(language.say(sentence))

    if language.right_to_left:
        yield f'<div dir="rtl" lang="{language.code}">\n'
    yield f"# {say(headings.capture_of(name))}\n"
    yield f"## {say(headings.SUMMARY)}\n"
    yield _paragraph(map(say, telling.summary()))
    yield from _ladder(telling, roles, language, name)
    talks = list(telling.conversations())
    if talks:
        yield f"## {say(headings.CONVERSATIONS)}\n"
    for talk in talks:
        yield f"### {say(talk.title)}\n"
        yield _paragraph(map(say, talk.sentences))
        if talk.programs:
            yield _paragraph(map(say, talk.programs))
    yield f"## {say(headings.PACKETS)}\n"
    columns = (headings.NUMBER, headings.TIME, headings.SOURCE, headings.DESTINATION, headings.WHAT)
    yield "| " + " | ".join(map(say, (*columns, headings.EXPLANATION))) + " |"
    yield "| ---: | ---: | --- | --- | --- | --- |"
    for told in shown:
        yield _row(told, language)
    if more:
        yield ""
        yield say(headings.more_rows(more))
    if language.right_to_left:
        yield "\n</div>"


def _paragraph(sentences: Iterable[str]) -> str:
    return " ".join(sentences) + "\n"


def _ladder(telling: Telling, roles: Roles, language: Language, name: str) -> Iterator[str]:
    ladder = telling.ladder()
    if not ladder.lanes:
        return
    yield f"## {escaped(language.say(headings.LADDER))}\n"
    yield "```mermaid"
    yield from mermaid.draw(ladder, roles, language, language.say(headings.ladder_of(name)))
    yield "```\n"
    if ladder.left_out:
        yield escaped(language.say(headings.more_packets(ladder.left_out))) + "\n"


def _row(told: ToldPacket, language: Language) -> str:
    packet = told.packet
    ends = ends_of(packet)
    names = [f"`{endpoint(end)}`" for end in ends] if ends else ["", ""]
    what = details(packet) + "".join(f" [{mark}]" for mark in marks(packet))
    explained = " ".join(escaped(language.say(sentence)) for sentence in told.sentences)
    return "| " + " | ".join((str(packet.number), seconds(told.since), *names, f"`{what}`", explained)) + " |"


def escaped(text: str) -> str:
    """``text`` as Markdown takes it: every character that could mean something stands for itself."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)


#: Backslash escapes of CommonMark §2.4 that matter in the middle of a line; ``@`` and ``://`` make links on GitHub.
_SPECIAL = set("\\`*_[]|#~$!")
