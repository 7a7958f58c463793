"""Lines of a file or of stdin: all at once where they are all there, else as they come."""

import codecs
import os
import stat
from collections import deque
from collections.abc import Callable
from io import IncrementalNewlineDecoder
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from netlab.cli.terminal import Failed

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

T = TypeVar("T")

#: Characters. What is longer is cut there, so that an endless line takes no endless memory; no packet holds half of it.
MAX_LINE = 131_072

_CHUNK = 65_536

#: Lines that may wait to be taken before no more are read.
_MAX_WAITING = 256


class LineReader:
    """Bytes in, lines out: UTF-8 with or without its mark, any line ends; what is no UTF-8 is replaced."""

    def __init__(self) -> None:
        utf_8 = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._decoder = IncrementalNewlineDecoder(utf_8, translate=True)
        self._partial = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completed; no bytes are the end, which completes the last one."""
        *lines, rest = self._decoder.decode(data, final=not data).split("\n")
        if lines:
            lines[0] = self._partial + lines[0]
            self._partial = ""
        self._partial = (self._partial + rest)[:MAX_LINE]
        if not data and self._partial:
            lines.append(self._partial)
            self._partial = ""
        return [line[:MAX_LINE] for line in lines]


def open_lines(file: str) -> int:
    """The file descriptor of ``file``, of stdin if that is ``-``.

    :raises Failed: it cannot be opened.
    """
    try:
        return 0 if file == "-" else os.open(file, os.O_RDONLY)
    except OSError as error:
        raise _unreadable(file, error) from None


def is_whole(descriptor: int) -> bool:
    """Whether all lines are there already, as in a file on a disk."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def whole_lines(descriptor: int, file: str) -> list[str]:
    """All lines of a file on a disk.

    :raises Failed: it cannot be read.
    """
    reader, lines = LineReader(), []
    try:
        while data := os.read(descriptor, _CHUNK):
            lines += reader.feed(data)
    except OSError as error:
        raise _unreadable(file, error) from None
    return lines + reader.feed(b"")


class LineStream(Generic[T]):
    """A source (`netlab.calc.sources.Source`) of lines that come through a pipe, from a terminal, maybe without end.

    It gives what ``made`` makes of each line, in order; lines that it makes `None` of are left out.

    The reactor reads it, a part whenever there is one, and nothing while enough lines wait to be taken. The descriptor
    stays a blocking one: a terminal shares that state with stdout and with the shell.
    """

    def __init__(self, reactor: Any, descriptor: int, file: str, made: Callable[[str], T | None]) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._file = file
        self._made = made
        self._reader = LineReader()
        self._waiting: deque[T] = deque()
        self._ended = False
        self._error: Failed | None = None
        self._wanted: Deferred[None] | None = None
        self._reading = False

    @property
    def ready(self) -> bool:
        """Whether a line, or the end, is there."""
        return bool(self._waiting) or self._ended

    async def take(self) -> T | None:
        """The next line; `None` at the end.

        :raises Failed: it cannot be read.
        """
        from twisted.internet.defer import Deferred

        self._read(len(self._waiting) < _MAX_WAITING and not self._ended)
        while not self.ready:
            self._wanted = Deferred()
            await self._wanted
        if self._waiting:
            return self._waiting.popleft()
        if self._error:
            raise self._error
        return None

    def close(self) -> None:
        """Read no more."""
        self._read(False)

    # ---- what the reactor calls

    def fileno(self) -> int:
        """What to watch."""
        return self._descriptor

    def logPrefix(self) -> str:
        """The name of this in a log."""
        return "lines"

    def doRead(self) -> None:
        """Read what is there, once."""
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._error = _unreadable(self._file, error)
            data = b""
        self._add(data)

    def connectionLost(self, _reason: object) -> None:
        """The other end of a pipe is gone, with nothing left to read."""
        self._add(b"")

    # ---- inside

    def _add(self, data: bytes) -> None:
        lines = map(self._made, self._reader.feed(data))
        self._waiting += [line for line in lines if line is not None]
        self._ended = not data
        if self._ended or len(self._waiting) >= _MAX_WAITING:
            self._read(False)
        if self._wanted is not None and self.ready:
            wanted, self._wanted = self._wanted, None
            wanted.callback(None)

    def _read(self, reading: bool) -> None:
        if reading != self._reading:
            self._reading = reading
            (self._reactor.addReader if reading else self._reactor.removeReader)(self)


def _unreadable(file: str, error: OSError) -> Failed:
    return Failed(f"netlab calc: {'stdin' if file == '-' else file} cannot be read: {error.strerror}")
