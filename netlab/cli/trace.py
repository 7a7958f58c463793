"""``netlab trace``: what is in a capture file, packet by packet."""

import gc
import signal
import sys
from collections.abc import Iterator

import click

from netlab.cli.terminal import Failed, printable, say
from netlab.trace import json_report, text_report
from netlab.trace.errors import TraceError
from netlab.trace.facts import Damage
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from netlab.trace.summary import Summary

#: Pieces of output that are written together.
_TOGETHER = 2_000

_HELP = """Explain the capture FILE: pcap or pcapng, as it is or packed by gzip; "-" is standard input.

For each packet its numbers as Wireshark has them (relative Seq and Ack, scaled windows, analysis flags), each flag with
the arithmetic that set it; for each conversation what went each way, and why it ended.

A file that is damaged is read up to the damage, and one line on stderr says where that is; the exit code is then 1.
"""


@click.command("trace", help=_HELP, epilog="While packets come: tcpdump -i lo -U -w - | netlab trace -")
@click.argument("file", type=click.Path(), metavar="FILE")
@click.option("--summary", is_flag=True, help="Only who spoke with whom, and how much; quick, whatever the size.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines of text, or one JSON document (docs/json-trace.md).",
)
@click.pass_context
def trace(ctx: click.Context, /, file: str, summary: bool, form: str) -> None:
    """Read, write, and exit."""
    # Nothing here refers to itself, and looking for what does takes a tenth of the time.
    gc.disable()
    if file == "-":
        _outlive_the_first_interrupt()
    try:
        damage = _summarize(file, form) if summary else _explain(file, form)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise Failed(f"netlab trace: {printable(file)}: {error.strerror}") from None
    except TraceError as error:
        raise Failed(f"netlab trace: {printable(file)}: {error}") from None
    if damage is not None:
        say(
            f"netlab trace: {printable(file)}: {damage.problem} (at byte {damage.offset:,}); "
            "everything before that has been used"
        )
        ctx.exit(1)


def _outlive_the_first_interrupt() -> None:
    """Ctrl+C at a terminal ends the program that writes into the pipe, too: tell what it wrote before we end."""

    def first(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, first)


def _explain(file: str, form: str) -> Damage | None:
    found = Trace(blocks_of(file))
    _write(json_report.report(found) if form == "json" else _lines(text_report.report(found)), file == "-")
    return found.damage


def _summarize(file: str, form: str) -> Damage | None:
    found = Summary(blocks_of(file))
    found.read()
    pieces = json_report.summary_report(found) if form == "json" else _lines(text_report.summary_report(found))
    _write(pieces, False)
    return found.damage


def _lines(lines: Iterator[str]) -> Iterator[str]:
    """Lines, harmless whatever the file has in its texts."""
    return (f"{printable(line)}\n" for line in lines)


def _write(pieces: Iterator[str], at_once: bool) -> None:
    """Write to stdout, many pieces at a time, or each ``at_once`` if somebody waits for it."""
    write = sys.stdout.write
    if at_once:
        for piece in pieces:
            write(piece)
            sys.stdout.flush()
        return
    held: list[str] = []
    for piece in pieces:
        held.append(piece)
        if len(held) >= _TOGETHER:
            write("".join(held))
            held.clear()
    write("".join(held))
