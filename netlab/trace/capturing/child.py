"""The command that a capture goes along with."""

import os
import shutil
import signal
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from netlab.trace.capturing.errors import CannotCapture

#: What a shell reports of a program that a signal ended.
_SIGNALLED = 128


class Child(ProcessProtocol):
    """A running command that has our terminal; ``ended`` fires with its exit code, as a shell has it."""

    def __init__(self) -> None:
        self.ended: Deferred[int] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        """It has ended."""
        error = reason.value
        if isinstance(error, ProcessDone):
            self.ended.callback(0)
        else:
            code = getattr(error, "exitCode", None)
            self.ended.callback(_SIGNALLED + (getattr(error, "signal", 0) or 0) if code is None else code)

    def terminate(self) -> None:
        """Ask it to end."""
        if self.transport is not None and self.transport.pid:
            os.kill(self.transport.pid, signal.SIGTERM)


def start(reactor: Any, command: Sequence[str]) -> Child:
    """Start it, with our standard input and output.

    :raises CannotCapture: there is no such program.
    """
    program = shutil.which(command[0])
    if program is None:
        raise CannotCapture(f"there is no program {command[0]!r} to run")
    child = Child()
    reactor.spawnProcess(child, program, list(command), env=None, childFDs={0: 0, 1: 1, 2: 2})
    return child
