"""The golden reports: ``python -m tests.trace.report.golden`` writes them, `test_golden` compares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from netlab.trace.app.findings import Applications
from netlab.trace.choosing import Chosen
from netlab.trace.json_report import report as json_report
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from netlab.trace.report import drawing, markdown, page
from netlab.trace.report.paint import Paint
from netlab.trace.report.telling import Telling
from netlab.trace.report.text import TextReport
from netlab.trace.roles import roles_of
from netlab.trace.words.loading import LANGUAGES, language

CAPTURES = Path(__file__).resolve().parent.parent.parent / "data/captures"
REPORTS = CAPTURES.parent / "reports"
ROLES = "9998=proxy,9999=server"

#: Drawn, and as a page, only these: the other formats are there of all captures, in both languages.
WHOLE = ("proxy", "lossy")
OF_ALL = ("text", "md", "mermaid")
SUFFIXES = {"text": "txt", "md": "md", "mermaid": "mmd", "svg": "svg", "html": "html"}


def report(path: Path, form: str, code: str) -> str:
    """The report of a capture, as `netlab trace` writes it into a file."""
    telling = Telling(Trace(blocks_of(str(path))), None, roles := roles_of(ROLES))
    words = language(code)
    if form == "text":
        lines = TextReport(telling, roles, words, 120, Paint(False)).lines()
        return "".join(f"{line}\n" for line in lines)
    if form == "md":
        return "".join(f"{line}\n" for line in markdown.report(telling, roles, words, path.name))
    if form == "html":
        return "".join(page.report(telling, roles, words, path.name))
    return "".join(drawing.report(form, telling, roles, words, path.name))


def document(path: Path) -> str:
    """The JSON of a capture, which is the same in all languages."""
    applications = Applications(roles={9998: "proxy", 9999: "server"})
    trace = Trace(blocks_of(str(path)))
    watched = Chosen(trace, None, lambda packet, _chosen: applications.packet(packet))
    return "".join(json_report(watched, lambda: applications.findings(trace.conversations())))


def reports() -> Iterator[tuple[Path, Path, str, str]]:
    """Every golden report: capture, file, format, language."""
    for path in sorted(CAPTURES.glob("*.pcapng")):
        for code in LANGUAGES:
            for form, suffix in SUFFIXES.items():
                if form in OF_ALL or path.stem in WHOLE:
                    yield path, REPORTS / f"{path.stem}.{code}.{suffix}", form, code


def documents() -> Iterator[tuple[Path, Path]]:
    """Every golden JSON document: capture, file."""
    for path in sorted(CAPTURES.glob("*.pcapng")):
        yield path, REPORTS / f"{path.stem}.json"


if __name__ == "__main__":
    REPORTS.mkdir(exist_ok=True)
    for source, target, kind, lang in reports():
        target.write_text(report(source, kind, lang), "utf-8")
    for source, target in documents():
        target.write_text(document(source), "utf-8")
