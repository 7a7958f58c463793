"""``netlab trace FILE -o OUT.pcapng``: the capture itself, with comments that say what its packets mean."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

import click

from netlab import __version__
from netlab.cli.terminal import Failed
from netlab.cli.trace_output import Opener, Output
from netlab.common.printable import printable
from netlab.trace.choosing import Choice
from netlab.trace.facts import Damage
from netlab.trace.opening import BLOCK
from netlab.trace.reading import Trace
from netlab.trace.report.annotated import annotated, comments_of
from netlab.trace.words.people import Roles


def annotate(
    file: str, out: str | None, output: Output, opener: Opener, choice: Choice | None, roles: Roles
) -> Damage | None:
    """Read ``file`` twice, for what a message says is known when it is complete, and write ``out``, `None` for stdout.

    :raises Failed: it cannot be written, or stdout is a terminal.
    """
    if out is None and sys.stdout.isatty():
        raise click.UsageError("pcapng is nothing for a terminal: name a file with -o, or send it to a program")
    by_port = {port: role for port, role in roles.items() if isinstance(port, int)}
    with ExitStack() as stack:
        kept = stack.enter_context(TemporaryFile()) if file == "-" else None
        blocks = output.watched(file, opener)
        found = Trace(blocks if kept is None else _keeping(blocks, kept))
        comments = comments_of(found, by_port)
        again = Trace(opener(file, lambda size: None) if kept is None else _kept(kept))
        pieces = annotated(again, choice, comments, f"netlab {__version__}")
        _write(pieces, out)
    return found.damage


def _write(pieces: Iterator[bytes], out: str | None) -> None:
    """The file is opened now: a capture that cannot be read ruins nothing."""
    try:
        with open(sys.stdout.fileno() if out is None else out, "wb", closefd=out is not None) as file:
            file.writelines(pieces)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failed(f"netlab trace: cannot write {printable(out or 'stdout')}: {error.strerror}") from None


def _keeping(blocks: Iterator[bytes], kept: IO[bytes]) -> Iterator[bytes]:
    """``blocks``, and a copy of them for the second time."""
    for block in blocks:
        kept.write(block)
        yield block


def _kept(kept: IO[bytes]) -> Iterator[bytes]:
    kept.seek(0)
    while block := kept.read(BLOCK):
        yield block
