"""What may be written to a terminal, and how: texts made harmless, colour, errors on one line, lost streams."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import click

from netlab.common.printable import printable

#: Nobody reads more of an error, and its text can come from a peer.
_MAX_LINE = 500
_MAX_DETAILS = 3

#: What a shell reports of a program that died of this signal.
_BROKEN_PIPE = 128 + 13

#: What writing can fail of. Errors of files and sockets are told where these are used, and never get that far.
_OUTPUT_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


class Failed(click.ClickException):
    """A command failed: one line for stderr, and ``details``, lines that only a person at a terminal is shown."""

    def __init__(self, message: str, details: str = "", *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.details = details
        self.exit_code = exit_code  # type: ignore[misc] # click has one for all instances


def error_text(message: str, details: str = "", *, terminal: bool) -> str:
    """An error as it is shown: one line, and at a terminal some lines of detail.

    Lines after the first of ``message`` are details too.
    """
    first, *more = message.split("\n")
    lines = [first, *more, *details.split("\n")][: 1 + _MAX_DETAILS] if terminal else [first]
    return "\n".join(_short(printable(line)) for line in lines if line)


def say(message: str, details: str = "") -> None:
    """Write an error to stderr, after everything that was written to stdout; where nobody reads it, it is lost."""
    sys.stdout.flush()
    try:
        click.echo(error_text(message, details, terminal=sys.stderr.isatty()), err=True)
    except OSError:
        _seal(sys.stderr)


def has_colour(stream: IO[str]) -> bool:
    """Whether colours are seen and wanted there (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def open_missing_streams() -> None:
    """Have /dev/null where this process was started without a stdin, stdout or stderr (``>&-``).

    Otherwise the next file or socket would become the missing one, and Python has `None` for it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


@contextmanager
def writing() -> Iterator[None]:
    """While stdout is written to: a reader who left ends the command quietly, and a full disk with a line.

    :raises Failed: stdout takes no more.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _seal(sys.stdout)
        raise click.exceptions.Exit(_BROKEN_PIPE) from None
    except OSError as error:
        if error.errno not in _OUTPUT_FAULTS or error.filename is not None:
            raise
        _seal(sys.stdout)
        raise Failed(f"netlab: the output cannot be written: {error.strerror}") from None


def _seal(stream: IO[str]) -> None:
    """Write no more to where nothing can be written; what is still buffered would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _short(line: str) -> str:
    return line if len(line) <= _MAX_LINE else line[:_MAX_LINE] + "…"
