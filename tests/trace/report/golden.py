"""The golden reports: ``python -m tests.trace.report.golden`` writes them, `test_golden` compares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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

#: All languages and formats of these, and text in both languages of all.
WHOLE = ("proxy", "lossy")
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


def reports() -> Iterator[tuple[Path, Path, str, str]]:
    """Every golden report: capture, file, format, language."""
    for path in sorted(CAPTURES.glob("*.pcapng")):
        for code in LANGUAGES:
            for form, suffix in SUFFIXES.items():
                if form == "text" or path.stem in WHOLE:
                    yield path, REPORTS / f"{path.stem}.{code}.{suffix}", form, code


if __name__ == "__main__":
    REPORTS.mkdir(exist_ok=True)
    for source, target, kind, lang in reports():
        target.write_text(report(source, kind, lang), "utf-8")
