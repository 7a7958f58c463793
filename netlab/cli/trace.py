"""``netlab trace``: what is in a capture file, packet by packet."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import click

from netlab.cli.telling_options import lang_option, language_here, roles_given, roles_option
from netlab.cli.terminal import Failed, say
from netlab.cli.trace_output import Output, output_to
from netlab.common.printable import printable
from netlab.trace.choosing import Choice, Chosen
from netlab.trace.errors import TraceError
from netlab.trace.facts import Damage
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from netlab.trace.words.loading import language

#: What the end of an output's name says of its format.
_SUFFIXES = {
    ".txt": "text",
    ".json": "json",
    ".html": "html",
    ".htm": "html",
    ".svg": "svg",
    ".md": "md",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".pcapng": "pcapng",
}
_FORMATS = ("text", "json", "html", "svg", "md", "mermaid", "pcapng")

_HELP = """Explain the capture FILE: pcap or pcapng, as it is or packed by gzip; "-" is standard input.

Each packet is told in sentences with the arithmetic of its numbers, which are Wireshark's (relative Seq and Ack, scaled
windows, analysis flags); each conversation in a paragraph that says why it ended; the whole in a summary, with a
ladder diagram of the first 300 packets. As pcapng it is the capture again, in which comments say what calculator
packets mean; Wireshark shows them (netlab wireshark).

A file that is damaged is read up to the damage, and one line on stderr says where that is; the exit code is then 1.

\b
A filter chooses packets:
  port 9999 and not flag any
  conversation 0-3 or (udp and host 10.0.0.0/8)
  frame 10-20 · from ADDRESS · to ADDRESS · length 100- · protocol NAME
  tcp udp icmp arp · syn fin rst psh ack · data · flag NAME · flawed · comment
"""


@click.command("trace", help=_HELP, epilog="While packets come: tcpdump -i lo -U -w - | netlab trace -")
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option("--filter", "chosen", metavar="FILTER", help="Show only these packets, and their conversations.")
@click.option(
    "--conversation", type=click.IntRange(0), multiple=True, metavar="N", help="Show only TCP conversation N, from 0."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="How to tell it; the default is text, or what the end of OUT says. JSON: docs/json-trace.md.",
)
@click.option("-o", "--output", "out", type=click.Path(), metavar="OUT", help="Write to this file, not to stdout.")
@lang_option
@roles_option
@click.option("--summary", is_flag=True, help="Only who spoke with whom, and how much; quick, whatever the size.")
@click.option(
    "--programs/--no-programs",
    default=True,
    help="In JSON: what the programs said, pairs and artefacts too. Without it JSON takes two thirds of the time.",
)
@click.option("--pager/--no-pager", default=True, help="Scroll through what goes to a terminal.")
@click.pass_context
def trace(ctx: click.Context, /, file: str, summary: bool, **options: object) -> None:
    """Read, write, and exit."""
    if file == "-":
        _outlive_the_first_interrupt()
    run = _Run(file, **options)  # type: ignore[arg-type]
    try:
        damage = run.summarize() if summary else run.explain()
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise Failed(f"netlab trace: {printable(str(error.filename or file))}: {error.strerror}") from None
    except TraceError as error:
        raise Failed(f"netlab trace: {_named(file)}: {error}") from None
    if damage is not None:
        say(
            f"netlab trace: {_named(file)}: {damage.problem} (at byte {damage.offset:,}); "
            "everything before that has been used"
        )
        ctx.exit(1)


def _named(file: str) -> str:
    return "standard input" if file == "-" else printable(file)


def _outlive_the_first_interrupt() -> None:
    """Ctrl+C at a terminal ends the program that writes into the pipe, too: tell what it wrote before we end."""

    def first(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, first)


class _Run:
    """One run of the command: what is read, what of it is shown, and how."""

    def __init__(
        self,
        file: str,
        chosen: str | None,
        conversation: tuple[int, ...],
        form: str | None,
        out: str | None,
        lang: str | None,
        roles: str,
        programs: bool,
        pager: bool,
    ) -> None:
        self._file = file
        self._out = out
        self._name = printable("stdin" if file == "-" else Path(file).name)
        self._form = form or _SUFFIXES.get(Path(out or "").suffix.lower(), "text")
        self._choice = _choice(chosen, conversation)
        self._roles = roles_given(roles)
        self._programs = programs
        self._language = language(lang or language_here())
        if out is not None and file != "-" and _same(file, out):
            raise Failed(f"netlab trace: {printable(out)} is the capture itself; write to another file")
        self._output: Output = output_to(out, live=file == "-", pager=pager and self._form == "text")

    def explain(self) -> Damage | None:
        """Tell everything."""
        if self._form == "pcapng":
            from netlab.cli.trace_annotated import annotate

            return annotate(self._file, self._out, self._output, blocks_of, self._choice, self._roles)
        found = Trace(self._output.watched(self._file, blocks_of))
        self._output.write(self._pieces(found))
        return found.damage

    def summarize(self) -> Damage | None:
        """Only count."""
        from netlab.trace.summary import Summary

        if self._choice is not None:
            raise click.UsageError("--summary counts everything; leave --filter and --conversation out")
        if self._form not in ("text", "json"):
            raise click.UsageError(f"--summary is text or json, not {self._form}")
        found = Summary(self._output.watched(self._file, blocks_of))
        found.read()
        if self._form == "json":
            from netlab.trace import json_report

            self._output.write(json_report.summary_report(found))
        else:
            from netlab.trace.report import summary

            self._output.write(_lines(summary.report(found, self._language, self._output.paint)))
        return found.damage

    def _pieces(self, found: Trace) -> Iterator[str]:
        if self._form == "json":
            return self._json(found)
        from netlab.trace.report.telling import Telling

        telling = Telling(found, self._choice, self._roles)
        if self._form == "html":
            from netlab.trace.report import page

            return page.report(telling, self._roles, self._language, self._name)
        if self._form == "md":
            from netlab.trace.report import markdown

            return _lines(markdown.report(telling, self._roles, self._language, self._name))
        if self._form in ("svg", "mermaid"):
            from netlab.trace.report import drawing

            return drawing.report(self._form, telling, self._roles, self._language, self._name)
        from netlab.trace.report.text import TextReport

        width, paint = self._output.width, self._output.paint
        return _lines(TextReport(telling, self._roles, self._language, width, paint, live=self._file == "-").lines())

    def _json(self, found: Trace) -> Iterator[str]:
        from netlab.trace import json_report

        if not self._programs:
            return json_report.report(found if self._choice is None else Chosen(found, self._choice))
        from netlab.trace.app.findings import Applications

        applications = Applications(roles={port: name for port, name in self._roles.items() if isinstance(port, int)})
        chosen = Chosen(found, self._choice, lambda packet, chosen: applications.packet(packet))
        return json_report.report(chosen, lambda: chosen.kept(applications.findings(found.conversations())))


def _lines(lines: Iterator[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)


def _choice(text: str | None, conversations: tuple[int, ...]) -> Choice | None:
    if text is None and not conversations:
        return None
    from netlab.trace.filter_terms import conversation
    from netlab.trace.filtering import FilterError, choice_of, every

    choices: list[Choice] = []
    if conversations:
        choices.append(conversation(",".join(map(str, conversations))))
    if text is not None:
        try:
            choices.append(choice_of(text))
        except FilterError as error:
            raise Failed(f"netlab trace: --filter: {error}", error.caret) from None
    return every(choices)


def _same(one: str, two: str) -> bool:
    try:
        return os.path.samefile(one, two)
    except OSError:
        return False
