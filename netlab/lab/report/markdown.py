"""An experiment as Markdown."""

from collections.abc import Iterable, Iterator
from itertools import islice

from netlab.lab.manifest import commands
from netlab.lab.report import headings
from netlab.lab.report.chart import mermaid_chart
from netlab.lab.report.written import Written
from netlab.trace.ladder import mermaid
from netlab.trace.notation import details, ends_of, marks, seconds
from netlab.trace.report.headings import DESTINATION, EXPLANATION, NUMBER, SOURCE, TIME, WHAT, more_rows
from netlab.trace.report.markdown import MAX_ROWS, escaped
from netlab.trace.report.telling import ToldPacket
from netlab.trace.words.language import Language, endpoint
from netlab.trace.words.sentence import Sentence


def report(written: Written, language: Language) -> Iterator[str]:
    """The lines of the document."""
    result = written.result

    def say(sentence: Sentence) -> str:
        return escaped(language.say(sentence))

    if language.right_to_left:
        yield f'<div dir="rtl" lang="{language.code}">\n'
    yield f"# {say(headings.title(result))}\n"
    yield f"## {say(headings.STORY)}\n"
    yield " ".join(map(say, result.plan.story)) + "\n"
    yield f"## {say(headings.COMMANDS)}\n"
    yield _fenced("console", (f"$ {line}" for line in commands(result)))
    yield f"{say(headings.where(result))} {say(headings.for_whom(result))} {say(headings.AGAIN)}\n"
    yield _fenced("console", [f"$ {headings.again(result)}"])
    if written.passages:
        yield f"## {say(headings.PATH)}\n"
        for number, passage in enumerate(written.passages, 1):
            yield say(headings.request(number, headings.PATHS[passage.verdict])) + "\n"
            yield _fenced("mermaid", mermaid_chart(passage, language))
    yield from _ladder(written, language)
    yield f"## {say(headings.CLAIMS)}\n"
    columns = (headings.VERDICT, headings.CLAIM, headings.REASON, headings.FRAMES)
    yield "| " + " | ".join(map(say, columns)) + " |"
    yield "| --- | --- | --- | --- |"
    for claim, judged in result.judged:
        numbers = ", ".join(map(str, judged.frames))
        cells = (headings.VERDICTS[judged.verdict], claim.text, judged.reason)
        yield "| " + " | ".join((*map(say, cells), numbers)) + " |"
    yield f"\n{say(headings.totals(result))}\n"
    yield from _packets(written, language)
    if language.right_to_left:
        yield "\n</div>"


def _ladder(written: Written, language: Language) -> Iterator[str]:
    yield f"## {escaped(language.say(headings.LADDER))}\n"
    if not written.packets:
        yield escaped(language.say(headings.NO_CAPTURE)) + "\n"
        return
    title = language.say(headings.title(written.result))
    yield _fenced("mermaid", mermaid.draw(written.telling.ladder(), written.roles, language, title))


def _packets(written: Written, language: Language) -> Iterator[str]:
    if not written.packets:
        return
    yield f"## {escaped(language.say(headings.MATTER))}\n"
    yield from _table(written.that_matter, language)
    yield f"\n## {escaped(language.say(headings.ALL))}\n"
    yield from _table(written.packets, language)


def _table(packets: Iterable[ToldPacket], language: Language) -> Iterator[str]:
    rows = list(packets)
    columns = (NUMBER, TIME, SOURCE, DESTINATION, WHAT, EXPLANATION)
    yield "| " + " | ".join(escaped(language.say(column)) for column in columns) + " |"
    yield "| ---: | ---: | --- | --- | --- | --- |"
    for told in islice(rows, MAX_ROWS):
        ends = ends_of(told.packet)
        names = [f"`{endpoint(end)}`" for end in ends] if ends else ["", ""]
        what = details(told.packet) + "".join(f" [{mark}]" for mark in marks(told.packet))
        explained = " ".join(escaped(language.say(sentence)) for sentence in told.sentences)
        cells = (str(told.packet.number), seconds(told.since), *names, f"`{what}`", explained)
        yield "| " + " | ".join(cells) + " |"
    if len(rows) > MAX_ROWS:
        yield "\n" + escaped(language.say(more_rows(len(rows) - MAX_ROWS)))


def _fenced(kind: str, lines: Iterable[str]) -> str:
    """Lines that stand as they are; a fence of our own cannot be closed by one of them."""
    inside = "\n".join(line.replace("```", "'''") for line in lines)
    return f"```{kind}\n{inside}\n```\n"
