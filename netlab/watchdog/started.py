"""A program that this process started itself, and when it ends."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.watchdog.errors import CannotWatch
from netlab.watchdog.kin import Process
from netlab.watchdog.processes import read_process


@frozen
class Recipe:
    """How a program is started: its words, and where its streams go (descriptors of ours; `None` for nowhere).

    ``program`` is the file that is run, if it is not to be looked up by the first word. `None` for ``environment`` or
    ``folder`` is what this process has. The descriptors ``passed`` are left to it under their numbers.
    """

    words: Sequence[str | bytes]
    environment: Mapping[str, str] | Mapping[bytes, bytes] | None = None
    folder: str | None = None
    program: str | None = None
    streams: tuple[int | None, int | None, int | None] = (None, 1, 2)
    passed: tuple[int, ...] = ()


@implementer(IReadDescriptor)
class Started:
    """A program under way, the leader of a session of its own, so that no signal of a terminal reaches it unasked.

    ``ended`` fires with its exit status: 0 to 255, or minus the number of the signal that it died of.
    """

    def __init__(self, reactor: Any, recipe: Recipe) -> None:
        """Start it.

        :raises CannotWatch: that cannot be done.
        """
        self._reactor = reactor
        self.ended: Deferred[int] = Deferred()
        streams = [subprocess.DEVNULL if stream is None else stream for stream in recipe.streams]
        try:
            self._popen = subprocess.Popen(
                recipe.words,
                executable=recipe.program,
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                cwd=recipe.folder,
                env=recipe.environment,
                pass_fds=recipe.passed,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            found = not isinstance(error, FileNotFoundError)
            raise CannotWatch(f"{os.fsdecode(recipe.words[0])} cannot be started: {reason}", found=found) from error
        self.pid = self._popen.pid
        self._pidfd = os.pidfd_open(self.pid)
        process = read_process(self.pid)
        assert process is not None, "a child that nobody has waited for has its place in /proc"
        #: Itself, as it was when it had just begun: the leader of its session.
        self.process: Process = process
        #: Its exit status once it has ended, as ``ended`` has it.
        self.status: int | None = None
        reactor.addReader(self)

    def kill(self) -> None:
        """End it at once, and nothing that it started."""
        self._popen.kill()

    # ---- what the reactor calls

    def fileno(self) -> int:
        """The pidfd, which can be read from when the process has ended."""
        return self._pidfd

    def doRead(self) -> None:
        """It has ended."""
        self._reactor.removeReader(self)
        os.close(self._pidfd)
        self._pidfd = -1
        self.status = self._popen.wait()
        self.ended.callback(self.status)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def logPrefix(self) -> str:
        """A name for the log."""
        return "started program"


def how_ended(status: int) -> str:
    """An exit status in words: ``status 1``, ``SIGKILL``, and ``signal 40`` for those without names (signal(7))."""
    if status >= 0:
        return f"status {status}"
    return signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
