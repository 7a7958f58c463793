"""A command's output on its way through us: passed on unchanged, each piece a sign that the command lives."""

import os
import select
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

#: What a pipe that can be written to takes without making us wait (PIPE_BUF, pipe(7)).
_PIECE = 4096

#: Seconds between tries to write where nobody reads.
_PAUSE = 0.05


class Relay:
    """Reads from ``source``, writes to ``sink``. Whoever reads too slowly holds up the command, not us.

    As long as it does, ``sign`` is called again and again: the command is not to blame. ``ended`` fires when all that
    there was is passed on, or cannot be.

    :param sign: is called for every piece of output.
    """

    def __init__(self, reactor: Any, source: int, sink: int, sign: Callable[[], None]) -> None:
        from twisted.internet import defer

        self._reactor = reactor
        self._source = source
        self._sink = sink
        self._sign = sign
        self._waiting = b""
        self._retry: Any = None
        self.ended: Deferred[None] = defer.Deferred()
        reactor.addReader(self)

    def stop(self) -> None:
        """Pass on no more."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._source >= 0:
            self._reactor.removeReader(self)
            os.close(self._source)
            self._source = -1
            self.ended.callback(None)

    # ---- what the reactor calls

    def fileno(self) -> int:
        """The source."""
        return self._source

    def doRead(self) -> None:
        """There is output, or an end of it."""
        try:
            self._waiting = os.read(self._source, _PIECE)
        except OSError:  # what a terminal says when nobody has it open any more
            self._waiting = b""
        if self._waiting:
            self._sign()
            self._write()
        else:
            self.stop()

    def connectionLost(self, reason: "Failure") -> None:
        """Nobody can write any more (the reactor says so, without a read, when nothing is there), or it stops."""
        self.stop()

    def logPrefix(self) -> str:
        """A name for the log."""
        return "relay"

    # ---- inside

    def _write(self) -> None:
        """Write what waits if that is possible without waiting; else try again soon, and read nothing meanwhile."""
        if not _takes(self._sink):
            self._sign()
            self._reactor.removeReader(self)
            self._retry = self._reactor.callLater(_PAUSE, self._write)
            return
        if self._retry is not None:
            self._retry = None
            self._reactor.addReader(self)
        data, self._waiting = self._waiting, b""
        try:
            while data:
                data = data[os.write(self._sink, data) :]
        except OSError:  # nobody reads any more, and the command finds that out as it would without us
            self.stop()


def stream_for(sink: int) -> tuple[int, int]:
    """Where the command writes what is to go to ``sink``, and where it is read: a terminal if the sink is one.

    Programs that do not write to a terminal keep back what they write, and would seem to be silent.
    """
    if not os.isatty(sink):
        source, theirs = os.pipe()
        return source, theirs
    import pty
    import termios

    source, theirs = pty.openpty()
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST  # the real terminal makes line ends of them
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    termios.tcsetwinsize(theirs, termios.tcgetwinsize(sink))
    return source, theirs


def own_stdin() -> int:
    """Another descriptor of what we read, or of nothing if we have none."""
    try:
        return os.dup(0)
    except OSError:
        return os.open(os.devnull, os.O_RDONLY)


def _takes(sink: int) -> bool:
    """Whether writing a piece would not wait; where nobody reads any more, it fails at once."""
    poll = select.poll()
    poll.register(sink, select.POLLOUT)
    return bool(poll.poll(0))
