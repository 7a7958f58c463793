"""What may be written to a terminal, and how: texts made harmless, colour, and errors on one line."""

import os
import sys
from typing import IO

import click

from netlab.common.printable import printable

#: Nobody reads more of an error, and its text can come from a peer.
_MAX_LINE = 500
_MAX_DETAILS = 3


class Failed(click.ClickException):
    """A command failed: one line for stderr, and ``details``, lines that only a person at a terminal is shown."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


def error_text(message: str, details: str = "", *, terminal: bool) -> str:
    """An error as it is shown: one line, and at a terminal some lines of detail.

    Lines after the first of ``message`` are details too.
    """
    first, *more = message.split("\n")
    lines = [first, *more, *details.split("\n")][: 1 + _MAX_DETAILS] if terminal else [first]
    return "\n".join(_short(printable(line)) for line in lines if line)


def say(message: str, details: str = "") -> None:
    """Write an error to stderr, after everything that was written to stdout."""
    sys.stdout.flush()
    click.echo(error_text(message, details, terminal=sys.stderr.isatty()), err=True)


def has_colour(stream: IO[str]) -> bool:
    """Whether colours are seen and wanted there (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def seal_stdout() -> None:
    """Stop writing to stdout, which nobody reads; what is still buffered would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _short(line: str) -> str:
    return line if len(line) <= _MAX_LINE else line[:_MAX_LINE] + "…"
