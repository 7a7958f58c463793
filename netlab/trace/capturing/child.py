"""The command that a capture goes along with."""

import contextlib
import shutil
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from netlab.trace.capturing.errors import CannotCapture

#: What a shell reports of a program that a signal ended.
_SIGNALLED = 128

#: Seconds that a command has to end after it was asked to.
PATIENCE = 5.0


class Child(ProcessProtocol):
    """A running command that has our terminal; ``ended`` fires with its exit code, as a shell has it."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._killing: IDelayedCall | None = None
        self.ended: Deferred[int] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        """It has ended."""
        if self._killing is not None and self._killing.active():
            self._killing.cancel()
        error = reason.value
        if isinstance(error, ProcessDone):
            self.ended.callback(0)
        else:
            code = getattr(error, "exitCode", None)
            self.ended.callback(_SIGNALLED + (getattr(error, "signal", 0) or 0) if code is None else code)

    def terminate(self) -> None:
        """Ask it to end; when it is asked again, or has not ended after `PATIENCE`, it is killed."""
        if self._killing is None:
            self._signal("TERM")
            self._killing = self._reactor.callLater(PATIENCE, self._signal, "KILL")
        else:
            self._signal("KILL")

    def _signal(self, name: str) -> None:
        if self.transport is not None:
            with contextlib.suppress(ProcessExitedAlready):
                self.transport.signalProcess(name)


def program_of(command: Sequence[str]) -> str:
    """The path of the program that ``command`` begins with.

    :raises CannotCapture: there is none.
    """
    program = shutil.which(command[0])
    if program is None:
        raise CannotCapture(f"there is no program {command[0]!r} to run")
    return program


def start(reactor: Any, program: str, command: Sequence[str], stdout: int = 1) -> Child:
    """Start it, with our standard input and error, and the descriptor ``stdout``.

    :raises CannotCapture: it is no program that the kernel can run.
    """
    child = Child(reactor)
    try:
        reactor.spawnProcess(child, program, list(command), env=None, childFDs={0: 0, 1: stdout, 2: 2})
    except OSError as error:
        raise CannotCapture(f"cannot run {program}: {error.strerror}") from None
    return child
