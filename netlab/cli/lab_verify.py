"""``netlab lab verify``: somebody's reports, checked; a table, and JUnit XML."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from netlab.cli.terminal import Failed, has_colour
from netlab.common.printable import printable
from netlab.lab.experiment import Experiment
from netlab.lab.verifying import FAILED, PASSED, SKIPPED, Check, Verified, Wanted, check
from netlab.trace.report.paint import Paint
from netlab.trace.words.language import Language
from netlab.trace.words.sentence import Sentence

_MARKS = {PASSED: "✔", FAILED: "✘", SKIPPED: "?"}


def verified(
    paths: tuple[str, ...], wanted: Wanted, junit: str | None, code: str, known: Mapping[str, Experiment]
) -> int:
    """Check all bundles at these paths and tell; the exit code."""
    from netlab.lab.bundle import bundles, reports_of
    from netlab.lab.junit import xml
    from netlab.lab.words.loading import language

    words = language(code)
    found: list[Verified] = []
    for bundle in (one for path in paths for one in bundles(path)):
        if bundle.trouble:
            found.append(Verified(bundle.name, (Check("files", FAILED, bundle.trouble),)))
        else:
            found.append(check(bundle.name, bundle.files, known, wanted, reports_of))
        _tell(found[-1], words)
    if junit is not None:
        try:
            Path(junit).write_text(xml(found, words), "utf-8")
        except OSError as error:
            raise Failed(f"netlab lab verify: cannot write {junit}: {error.strerror}") from None
    return 0 if all(one.is_good for one in found) else 1


def _text(reason: Sentence | str, words: Language) -> str:
    return printable(reason) if isinstance(reason, str) else words.say(reason)


def _tell(one: Verified, words: Language) -> None:
    paint = Paint(has_colour(sys.stdout))
    click.echo(paint.strong(printable(one.name)))
    for each in one.checks:
        colour = {PASSED: paint.good, FAILED: paint.bad, SKIPPED: paint.odd}[each.outcome]
        click.echo(f"  {colour(_MARKS[each.outcome])} {each.name:<14} {_text(each.reason, words)}")
    failed = sum(each.outcome == FAILED for each in one.checks)
    if failed:
        verdict = paint.bad(f"not verified: {failed} of {len(one.checks)} checks failed")
    elif one.skipped:
        verdict = paint.odd(f"verified, but for what could not be looked at: {', '.join(one.skipped)}")
    else:
        verdict = paint.good("verified")
    click.echo(f"  {verdict}\n")
