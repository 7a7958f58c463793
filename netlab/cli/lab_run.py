"""``netlab lab run``: one experiment told at length, or many in a table."""

import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from netlab.cli.lab_progress import Status
from netlab.cli.terminal import has_colour, say
from netlab.common.errors import NetlabError
from netlab.common.printable import printable
from netlab.lab.claim import DISPROVED, PROVED, UNTOLD
from netlab.lab.draw import Whose
from netlab.lab.experiment import Experiment
from netlab.lab.manifest import REPORT
from netlab.trace.report.paint import Paint

if TYPE_CHECKING:
    from netlab.lab.bench_process import Ran
    from netlab.lab.result import Result

_WIDTH = 120


@frozen
class Line:
    """An experiment in the table; ``trouble`` says why there is no result."""

    name: str
    result: "Result | None"
    trouble: str
    seconds: float
    failed: bool


class Runs:
    """All runs of one command."""

    def __init__(
        self, chosen: Sequence[Experiment], whose: Whose, folder: str | None, out: Path, options: dict[str, Any]
    ) -> None:
        self._chosen = chosen
        self._whose = whose
        self._folder = folder
        self._out = out
        self._options = options
        self._paint = Paint(has_colour(sys.stdout))
        self._status = Status(len(chosen))

    def run(self) -> int:
        """Run them; the exit code."""
        _end_by_signals()
        lines = []
        for number, experiment in enumerate(self._chosen, 1):
            self._status.begin(number, experiment.name)
            line = self._one(experiment)
            self._status.clear()
            lines.append(line)
            if len(self._chosen) > 1:
                click.echo(self._row(line))
            elif line.trouble:
                say(f"netlab lab run: {line.name}: {line.trouble}")
        if len(lines) > 1:
            self._table(lines)
        return 1 if any(line.failed for line in lines) else 0

    def _one(self, experiment: Experiment) -> Line:
        from netlab.lab.bench_process import Wish, ran
        from netlab.lab.bundle import check_place

        began = time.monotonic()
        options = self._options
        wish = Wish(experiment.name, self._whose, self._folder, options["machine"], not options["no_capture"])
        try:
            check_place(self._out / experiment.name)
            seen = ran(wish, self._status.step)
            result = self._judged(experiment, seen)
        except NetlabError as error:
            return Line(experiment.name, None, printable(str(error)), time.monotonic() - began, True)
        took = time.monotonic() - began
        if seen.skipped:
            return Line(experiment.name, result, seen.skipped, took, False)
        return Line(experiment.name, result, "", took, result.is_disproved)

    def _judged(self, experiment: Experiment, seen: "Ran") -> "Result":
        from netlab.lab import bundle
        from netlab.lab.result import result_of

        result = result_of(experiment, self._whose, seen.capture, seen.events, seen.network, seen.why)
        if not seen.skipped:
            self._status.say("the report is written")
            bundle.write(self._out / experiment.name, bundle.files_of(result, self._options["lang"]))
        self._status.clear()
        if len(self._chosen) == 1 and not seen.skipped:
            self._tell(result)
        return result

    def _tell(self, result: "Result") -> None:
        """Story, ladder, verdicts, and where the report is."""
        from netlab.lab.report.text import TextReport
        from netlab.lab.report.written import Written
        from netlab.lab.words.loading import language

        width = shutil.get_terminal_size((_WIDTH, 40)).columns if sys.stdout.isatty() else _WIDTH
        told = TextReport(Written(result), language(self._options["lang"]), width, self._paint)
        for line in told.lines():
            click.echo(line)
        if result.capture is None and not self._options["no_capture"]:
            click.echo(
                f"  Nothing could be captured ({printable(result.why)}); root can, and who may have own networks."
            )
        report = self._out / result.experiment.name / REPORT
        if report.exists():
            click.echo(f"  {report}")

    def _row(self, line: Line) -> str:
        name = f"{line.name:<18}"
        if line.result is None:
            return f"{self._paint.bad('✘')} {name} {line.trouble.splitlines()[0]}"
        counts = line.result.verdicts
        total = len(line.result.judged)
        words = [f"{counts[PROVED]} of {total} proved"]
        words += [f"{counts[verdict]} {verdict}" for verdict in (DISPROVED, UNTOLD) if counts[verdict]]
        mark = self._paint.bad("✘") if line.failed else self._paint.good("✔") if line.result.is_proved else "?"
        more = f": {line.trouble}" if line.trouble else ""
        return f"{mark} {name} {', '.join(words):<36} {line.seconds:6.1f} s{more}"

    def _table(self, lines: Sequence[Line]) -> None:
        """What all of them add up to, and the claims that were not proved."""
        from netlab.lab.words.loading import language

        words = language(self._options["lang"])
        results = [line.result for line in lines if line.result is not None]
        for result in results:
            for claim, judged in result.judged:
                if judged.verdict == DISPROVED:
                    click.echo(f"\n{result.experiment.name}, {claim.name}: {words.say(claim.text)}")
                    click.echo(f"  {self._paint.bad(DISPROVED)}: {words.say(judged.reason)}")
        totals = {
            verdict: sum(result.verdicts[verdict] for result in results) for verdict in (PROVED, DISPROVED, UNTOLD)
        }
        told = ", ".join(f"{count} {verdict}" for verdict, count in totals.items() if count)
        failed = sum(line.result is None for line in lines)
        parts = [f"{len(lines)} experiments", f"{failed} could not be run" if failed else ""]
        parts.append(f"{sum(totals.values())} claims: {told}. Reports: {self._out}" if told else "")
        click.echo("\n" + ", ".join(filter(None, parts)))


def _end_by_signals() -> None:
    """End by SIGTERM and SIGHUP as by Ctrl+C: nothing that was begun is left, in the memory or on the disk."""

    def end(number: int, frame: object) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)
