"""A watchdog as the child of one program: ``python -m netlab.watchdog.child``, which `netlab.watchdog.companion` runs.

It is in charge of the program that started it, or of a command that it is to start itself. That program has left it a
socket that listens already, and two pipes for `netlab.watchdog.notes`. When the pipe from the program ends, the program
is gone or done, and so is the watchdog. It is in a session of its own, where no key of a terminal reaches it.
"""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.python.usage import Options as UsageOptions

from netlab.common.monotonic import use_monotonic_clock
from netlab.watchdog.charge import Charge
from netlab.watchdog.errors import CannotWatch
from netlab.watchdog.kin import Process
from netlab.watchdog.notes import Ended, Expired, Finish, Note, Refused, Request
from netlab.watchdog.pipes import Notes
from netlab.watchdog.processes import adopt_orphans, bury_orphans, read_process
from netlab.watchdog.server import Rules, WatchdogFactory
from netlab.watchdog.started import Recipe, Started
from netlab.watchdog.supervisor import Orders, Supervisor

#: Seconds that a command may take to be gone after it was killed; the kernel may hold it longer, and then we go.
_LAST_WAIT = 5.0

#: Seconds between looks for adopted orphans that have ended.
_BURY_EVERY = 1.0


class Options(UsageOptions):
    """What `netlab.watchdog.companion` says on the command line; descriptors are numbers."""

    optParameters = [
        ["timeout", None, 10.0, "Seconds from a sign of life to the deadline", float],
        ["grace", None, 5.0, "Seconds from SIGTERM to SIGKILL", float],
        ["listener", None, None, "The socket that listens", int],
        ["notes-in", None, None, "The pipe from the program", int],
        ["notes-out", None, None, "The pipe to the program", int],
        ["stdin", None, None, "What the command reads", int],
        ["stdout", None, None, "What the command writes", int],
        ["stderr", None, None, "What the command complains to", int],
    ]

    def parseArgs(self, *command: str) -> None:
        """The command, if there is one."""
        self["command"] = command


class Child:
    """The watchdog of one program, from its first turn of the reactor to its last, in which ``done`` fires."""

    def __init__(self, reactor: Any, options: Options, say: Callable[[str], None]) -> None:
        self._reactor = reactor
        self._options = options
        self._say = say
        self._notes = Notes(self._heard, self.leave)
        self._charge: Charge | None = None
        self._command: Started | None = None
        self._exited: Deferred[int] = Deferred()
        self._expired = False
        self._leaving = False
        self.done: Deferred[None] = Deferred()

    def begin(self) -> None:
        """Start the command, if there is one, and watch."""
        self._notes.open(self._reactor, self._options["notes-in"], self._options["notes-out"])
        reporter = read_process(os.getppid())
        try:
            watched = self._start() if self._options["command"] else reporter
        except CannotWatch as error:
            self._notes.tell(Refused(str(error), error.found))
            self.leave()
            return
        if reporter is not None and watched is not None:  # else it has ended, and its pipe is about to say so
            self._watch(watched, reporter)

    def leave(self, polite: signal.Signals = signal.SIGTERM) -> None:
        """End the command, if there is one, by that signal first; then this process. Asked again, be quick about it."""
        again, self._leaving = self._leaving, True
        if self._charge is not None and self._command is not None:
            self._charge.finish(polite)
        elif not again and not (self._charge is not None and self._charge.begun):
            self._over()

    # ---- inside

    def _start(self) -> Process:
        """Start the command; it alone has its streams from then on."""
        adopt_orphans()
        burying = LoopingCall(lambda: bury_orphans({self._command.pid} if self._command else ()))
        burying.clock = self._reactor
        streams = tuple(self._options[name] for name in ("stdin", "stdout", "stderr"))
        try:
            self._command = Started(self._reactor, Recipe(self._options["command"], streams=streams))
        finally:
            for stream in set(streams):
                os.close(stream)
        self._command.ended.addCallback(self._command_ended)
        burying.start(_BURY_EVERY, now=False)
        return self._command.process

    def _watch(self, watched: Process, reporter: Process) -> None:
        orders = Orders(self._options["grace"], adopting=self._command is not None)
        supervisor = Supervisor(self._reactor)
        self._charge = Charge(supervisor, watched, reporter, orders, self._say, self._begins, self._over)
        factory = WatchdogFactory(self._reactor, Rules(timeout=self._options["timeout"]), self._charge)
        with socket.socket(fileno=self._options["listener"]) as listener:
            self._reactor.adoptStreamPort(listener.fileno(), listener.family, factory)
        signal.signal(signal.SIGCONT, lambda *_: self._reactor.callFromThread(factory.excuse_all))

    def _heard(self, note: Note) -> None:
        if isinstance(note, Request) and self._charge is not None:
            self._charge.request = (note.at, note.text)
        elif isinstance(note, Finish):
            self.leave(signal.Signals[note.signal])

    def _begins(self) -> None:
        """The end of the program has begun, for its silence; with it ours."""
        self._leaving = self._expired = True
        self._notes.tell(Expired())

    def _command_ended(self, status: int) -> None:
        """The command has ended, by itself or by us; what it left running is ended, too."""
        self._exited.callback(status)
        if not self._leaving:
            self.leave()

    def _over(self) -> None:
        ensureDeferred(self._farewell()).chainDeferred(self.done)

    async def _farewell(self) -> None:
        if self._command is not None and self._charge is not None:
            status = await self._exited.addTimeout(_LAST_WAIT, self._reactor)
            self._notes.tell(Ended(status, self._expired, self._charge.killed))
        await self._notes.close()


def main(arguments: list[str]) -> None:
    """Run until the program is gone or done."""
    for number in (signal.SIGINT, signal.SIGHUP):  # not ignored: the command would ignore them, too
        signal.signal(number, lambda *_: None)
    from twisted.internet import reactor as global_reactor

    reactor: Any = global_reactor
    use_monotonic_clock(reactor)
    options = Options()
    options.parseOptions(arguments)
    child = Child(reactor, options, say)
    signal.signal(signal.SIGTERM, lambda *_: reactor.callFromThread(child.leave))
    child.done.addErrback(lambda failure: say(f"a fault of its own: {failure.getErrorMessage()}"))
    child.done.addCallback(lambda _: reactor.stop())
    reactor.callWhenRunning(child.begin)
    reactor.run(installSignalHandlers=False)


def say(line: str) -> None:
    """Write a line for a person, whether or not anybody can still read it."""
    with contextlib.suppress(OSError):
        os.write(2, f"netlab watchdog: {line}\n".encode(errors="backslashreplace"))


if __name__ == "__main__":
    main(sys.argv[1:])
