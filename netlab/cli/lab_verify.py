"""``netlab lab verify``: somebody's reports, checked; a table, and JUnit XML."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from netlab.cli.terminal import Failed, has_colour
from netlab.common.printable import printable
from netlab.lab.experiment import Experiment
from netlab.trace.report.paint import Paint
from netlab.trace.words.language import Language
from netlab.trace.words.sentence import Sentence

_MARKS = {"passed": "✔", "failed": "✘", "skipped": "?"}


def verified(
    paths: tuple[str, ...], student: str | None, junit: str | None, code: str, known: Mapping[str, Experiment]
) -> int:
    """Check all bundles at these paths and tell; the exit code."""
    from netlab.lab.bundle import bundles, reports_of
    from netlab.lab.junit import xml
    from netlab.lab.verifying import FAILED, Check, Verified, check
    from netlab.lab.words.loading import language

    words = language(code)
    found: list[Verified] = []
    for bundle in (one for path in paths for one in bundles(path)):
        if bundle.trouble:
            found.append(Verified(bundle.name, (Check("files", FAILED, bundle.trouble),)))
        else:
            found.append(check(bundle.name, bundle.files, known, student, reports_of))
    for one in found:
        _tell(one.name, [(each.name, each.outcome, _text(each.reason, words)) for each in one.checks])
    if junit is not None:
        try:
            Path(junit).write_text(xml(found, words), "utf-8")
        except OSError as error:
            raise Failed(f"netlab lab verify: cannot write {junit}: {error.strerror}") from None
    return 0 if all(one.is_good for one in found) else 1


def _text(reason: Sentence | str, words: Language) -> str:
    return printable(reason) if isinstance(reason, str) else words.say(reason)


def _tell(name: str, rows: list[tuple[str, str, str]]) -> None:
    paint = Paint(has_colour(sys.stdout))
    failed = sum(outcome == "failed" for _, outcome, _ in rows)
    click.echo(paint.strong(printable(name)))
    for check, outcome, reason in rows:
        colour = {"passed": paint.good, "failed": paint.bad, "skipped": paint.odd}[outcome]
        click.echo(f"  {colour(_MARKS[outcome])} {check:<14} {reason}")
    verdict = (
        paint.good("verified") if not failed else paint.bad(f"not verified: {failed} of {len(rows)} checks failed")
    )
    click.echo(f"  {verdict}\n")
