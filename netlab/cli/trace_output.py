"""Where ``netlab trace`` writes: a file, a pipe, a terminal with a pager; and how it shows that it is reading."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import islice

import click

from netlab.cli.terminal import has_colour
from netlab.trace.report.paint import Paint

#: Pieces of output that are written together.
_TOGETHER = 2_000
#: The width of a text that nobody looks at yet.
_WIDTH = 120
#: What less is told, unless somebody told it something: colours, and to be gone if one screen is enough.
_LESS = "FRX"

#: Opens a file's blocks, telling how many bytes were read.
Opener = Callable[[str, Callable[[int], None]], Iterator[bytes]]


class Output:
    """Writes to stdout."""

    def __init__(self, live: bool, pager: bool) -> None:
        self._live = live
        self._terminal = sys.stdout.isatty()
        self._pager = pager and self._terminal and not live
        self.paint = Paint(has_colour(sys.stdout))
        self.width = shutil.get_terminal_size((_WIDTH, 40)).columns if self._terminal else _WIDTH

    def watched(self, file: str, opener: Opener) -> Iterator[bytes]:
        """The blocks of ``file``; on the way a bar shows how far it has been read, where there is room for one."""
        if file == "-" or self._terminal or not sys.stderr.isatty():
            yield from opener(file, lambda size: None)
            return
        yield from _with_bar(file, opener)

    def write(self, pieces: Iterator[str]) -> None:
        """Write everything."""
        if self._pager:
            os.environ.setdefault("LESS", _LESS)
            click.echo_via_pager(_joined(pieces), color=self.paint.colour)
            return
        if not self._live:
            pieces = _joined(pieces)
        for piece in pieces:
            sys.stdout.write(piece)
            if self._live:
                sys.stdout.flush()


class _FileOutput(Output):
    """Writes to a file, which is opened when the first piece is there: a capture that cannot be read ruins nothing."""

    def __init__(self, path: str, live: bool) -> None:
        super().__init__(live, pager=False)
        self._path = path
        self._terminal = False
        self.paint = Paint(False)
        self.width = _WIDTH

    def write(self, pieces: Iterator[str]) -> None:
        together = _joined(pieces)
        first = next(together, "")
        with open(self._path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(first)
            file.writelines(together)


def output_to(path: str | None, *, live: bool, pager: bool) -> Output:
    """Where to write: the file ``path``, or stdout; ``live`` if packets are awaited one by one."""
    return Output(live, pager) if path is None else _FileOutput(path, live)


def _joined(pieces: Iterator[str]) -> Iterator[str]:
    """Many pieces at a time."""
    while held := list(islice(pieces, _TOGETHER)):
        yield "".join(held)


def _with_bar(file: str, opener: Opener) -> Iterator[bytes]:
    from netlab.cli.progress import Progress, Turned

    clock = Turned()
    done = 0

    def read(size: int) -> None:
        nonlocal done
        done += size
        clock.turn()

    try:
        total = os.stat(file).st_size
    except OSError:
        total = 0
    progress = Progress(clock, total, lambda: done) if total else None
    try:
        yield from opener(file, read)
    finally:
        if progress:
            progress.stop()
