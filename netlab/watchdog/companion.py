"""A program's own watchdog: started as its child, connected to, and told of every sign of life (protocols.md §4).

`start_watchdog` gives a `Companion`. Then:

- `Companion.start` once, `Companion.alive` after every reply, `Companion.request` with every request if there are any;
- `Companion.when_gone` tells at once when the watchdog has died, or has begun to end the program;
- `Companion.stop` ends the watching and the watchdog.

When the signs of life stop, the watchdog ends the program and all that it started, by SIGTERM and after the grace by
SIGKILL, and prints a timeline on stderr.
"""

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from netlab.watchdog.client import Connection, connect
from netlab.watchdog.errors import BeingEnded, CannotWatch, WatchdogGone
from netlab.watchdog.notes import MAX_TEXT, Ended, Expired, Finish, Note, Refused, Request
from netlab.watchdog.pipes import Notes
from netlab.watchdog.started import Recipe, Started, how_ended

#: Where deployed programs expect their watchdog.
PORT = 3000
_HOST = "127.0.0.1"

#: Seconds between two words about requests: a flood of them is not told one by one.
_REQUESTS_EVERY = 0.1

#: Seconds that a watchdog may take to end when it has nothing more to do.
_LEAVE = 5.0


@frozen
class Wishes:
    """How to watch: on which port of 127.0.0.1 (0 for a free one), and for how long in seconds."""

    port: int = PORT
    timeout: float = 10.0
    grace: float = 5.0


@frozen
class Command:
    """A command for the watchdog to start and to be in charge of, and the descriptors that are its streams.

    ``environment`` is for the watchdog itself as well; `None` is that of this process.
    """

    words: Sequence[str]
    stdin: int
    stdout: int
    stderr: int
    environment: Mapping[str, str] | None = None


def start_watchdog(reactor: Any, wishes: Wishes | None = None, command: Command | None = None) -> "Deferred[Companion]":
    """Start a watchdog as a child of this process and connect to it.

    It is in charge of this process, or of ``command`` if there is one. The Deferred fails with `CannotWatch` when
    the port is taken, and with `netlab.common.errors.ConnectFailed`.

    :param reactor: its clock must not follow the system's (`netlab.common.monotonic`).
    """
    return ensureDeferred(_start(reactor, wishes or Wishes(), command))


async def _start(reactor: Any, wishes: Wishes, command: Command | None) -> "Companion":
    with _listener(wishes.port) as listener:
        port: int = listener.getsockname()[1]
        companion = Companion(reactor, wishes, command, listener.fileno())
    try:
        companion.attach(await connect(TCP4ClientEndpoint(reactor, _HOST, port), reactor))
    except Exception:
        companion.kill()
        raise
    return companion


def _listener(port: int) -> socket.socket:
    """The socket on which the watchdog listens, made here so that whoever cannot have it knows at once.

    :raises CannotWatch: the port is taken, or not ours.
    """
    try:
        listener = socket.create_server((_HOST, port))
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise CannotWatch(f"cannot listen on {_HOST}:{port}: {reason} (port 0 takes a free one)") from None
    listener.setblocking(False)
    return listener


class Companion:
    """A watchdog that is a child of this process, as `start_watchdog` gives it."""

    def __init__(self, reactor: Any, wishes: Wishes, command: Command | None, listener: int) -> None:
        self._reactor = reactor
        self._connection: Connection | None = None
        self._waiting: list[Deferred[None]] = []
        self._why: WatchdogGone | None = None
        self._stopping: Deferred[None] | None = None
        self._limit: IDelayedCall | None = None
        self._asked: Request | None = None
        self._telling: IDelayedCall | None = None
        #: Fires with what became of the command, or fails with `CannotWatch` or `WatchdogGone`.
        self.outcome: Deferred[Ended] = Deferred()
        self._has_command = command is not None
        self._notes = Notes(self._heard, self._check_ended)
        self._process = self._run(wishes, command, listener)
        self._process.ended.addCallback(self._has_ended)

    @property
    def pid(self) -> int:
        """The watchdog's own process."""
        return self._process.pid

    # ---- what a program says

    def start(self) -> None:
        """Ask to be watched."""
        if self._connection is not None:
            self._connection.start()

    def alive(self) -> None:
        """Give a sign of life."""
        if self._connection is not None:
            self._connection.alive()

    def request(self, text: str) -> None:
        """Tell what was asked just now, for the timeline; of many, the watchdog gets the latest now and then."""
        self._asked = Request(self._reactor.seconds(), text[:MAX_TEXT])
        if self._telling is None and self._stopping is None:
            self._tell_request()

    def finish(self, number: signal.Signals) -> None:
        """Have the command ended, by that signal first; asked again, at once. ``outcome`` tells when it is done."""
        self._notes.tell(Finish(number.name))

    def stop(self) -> Deferred[None]:
        """End the watching; fires when the watchdog has ended, or when it is about to end this process."""
        if self._stopping is None:
            self._stopping = Deferred()
            self._stop_telling()
            if self._why is None and self._connection is not None:
                self._connection.close()
            self._notes.say_no_more()
            self._limit = self._reactor.callLater(_LEAVE, self.kill)
            self._check_stopped()
        waiting: Deferred[None] = Deferred()
        self._stopping.addCallback(waiting.callback)
        return waiting

    def kill(self) -> None:
        """End a watchdog that does not end by itself."""
        self._process.kill()

    # ---- what becomes of the watchdog

    def attach(self, connection: Connection) -> None:
        """Take the connection to the watchdog, which comes about once."""
        self._connection = connection
        connection.when_gone().addErrback(self._connection_gone)

    def when_gone(self) -> Deferred[None]:
        """Fails with `WatchdogGone` once nobody watches, with `BeingEnded` once the watchdog ends this program.

        It does neither after `stop`.
        """
        gone: Deferred[None] = Deferred()
        if self._why is not None:
            gone.errback(self._why)
        else:
            self._waiting.append(gone)
        return gone

    # ---- inside

    def _run(self, wishes: Wishes, command: Command | None, listener: int) -> Started:
        inward, their_out = os.pipe()
        their_in, outward = os.pipe()
        theirs = {"listener": listener, "notes-in": their_in, "notes-out": their_out}
        if command is not None:
            theirs |= {"stdin": command.stdin, "stdout": command.stdout, "stderr": command.stderr}
        options = {"timeout": wishes.timeout, "grace": wishes.grace, **theirs}
        words = [sys.executable, "-P", "-m", "netlab.watchdog.child"]
        words += [word for name, value in options.items() for word in (f"--{name}", str(value))]
        words += ["--", *command.words] if command is not None else []
        try:
            environment = command.environment if command is not None else None
            recipe = Recipe(words, environment, streams=(None, 2, 2), passed=tuple(theirs.values()))
            started = Started(self._reactor, recipe)
        except CannotWatch:
            os.close(inward)
            os.close(outward)
            raise
        finally:
            os.close(their_in)
            os.close(their_out)
        self._notes.open(self._reactor, inward, outward)
        return started

    def _tell_request(self) -> None:
        """Tell the latest at once, unless one was told a moment ago: then when that is over."""
        self._telling = None
        if self._asked is not None:
            self._notes.tell(self._asked)
            self._asked = None
            self._telling = self._reactor.callLater(_REQUESTS_EVERY, self._tell_request)

    def _stop_telling(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None

    def _heard(self, note: Note) -> None:
        if isinstance(note, Expired):
            self._gone(BeingEnded("the watchdog ends this program: its signs of life have stopped"))
        elif isinstance(note, Ended) and not self.outcome.called:
            self.outcome.callback(note)
        elif isinstance(note, Refused) and not self.outcome.called:
            self.outcome.errback(CannotWatch(note.reason, found=note.found))

    def _has_ended(self, status: int) -> None:
        self._check_ended()
        self._check_stopped()

    def _check_ended(self) -> None:
        """Tell that the watchdog has ended, once the last word that it wrote has been read."""
        status = self._process.status
        if status is None or self._notes.transport is not None:
            return
        gone = WatchdogGone(f"the watchdog has ended ({how_ended(status)})")
        if self._has_command and not self.outcome.called:
            self.outcome.errback(gone)
        self._gone(gone)

    def _connection_gone(self, failure: Failure) -> None:
        self._gone(WatchdogGone(failure.getErrorMessage()))

    def _gone(self, why: WatchdogGone) -> None:
        """Nobody watches any more, for a reason of which the first counts."""
        if self._why is None:
            self._why = why
            waiting, self._waiting = self._waiting, []
            for gone in waiting if self._stopping is None else ():
                gone.errback(why)
        self._check_stopped()

    def _check_stopped(self) -> None:
        over = self._process.status is not None or isinstance(self._why, BeingEnded)
        if self._stopping is not None and over and not self._stopping.called:
            if self._limit is not None and self._limit.active():
                self._limit.cancel()
            self._stopping.callback(None)
