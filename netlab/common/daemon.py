"""What every daemon does alike under twistd: its options' manners, listening, and stopping."""

import gc
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.tcp import Port
from twisted.logger import Logger, globalLogPublisher, jsonFileLogObserver
from twisted.python.failure import Failure
from twisted.python.usage import Options, UsageError

from netlab.common.addresses import address_text

#: Files that a daemon has open besides its connections: logs, libraries, the reactor's own.
_OTHER_FILES = 100

#: Connections that the kernel keeps while they wait to be accepted. With Twisted's 50 a crowd of clients that comes
#: at once waits a second, until the kernel of those left out sends its SYN again; nginx asks for 511.
_BACKLOG = 1_024


class CannotStart(SystemExit):
    """The daemon cannot begin: twistd exits with 1, and the reason is the one line that a person reads.

    The line is written at once, to the real standard error: by now twistd may have made the other one part of its
    log. A daemonized twistd takes it from the text of this exception instead.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(1)
        self._reason = reason
        print(reason, file=sys.__stderr__)

    def __str__(self) -> str:
        return self._reason


class DaemonOptions(Options):
    """Options that refuse a bad value in one clear line, where twistd would print the help of everything."""

    #: The tap name, such as ``netlab-calc``.
    daemon = ""

    def parseOptions(self, options: Any = None) -> None:
        """Read the command line.

        :raises CannotStart: it is wrong.
        """
        try:
            super().parseOptions(options)
        except UsageError as error:
            raise self._refused(str(error)) from None

    def endpoint(self, name: str, reactor: Any) -> IStreamServerEndpoint:
        """The endpoint that option ``name`` describes.

        :raises CannotStart: it describes none.
        """
        try:
            endpoint: IStreamServerEndpoint = serverFromString(reactor, self[name])
        except Exception as error:
            raise self._refused(f"--{name} {self[name]} is no endpoint such as tcp:9999 ({error})") from None
        return endpoint

    def _refused(self, reason: str) -> CannotStart:
        return CannotStart(f"{self.daemon}: {reason}; twistd {self.daemon} --help explains the options")


def option(name: str, default: object, doc: str, coerce: Callable[[str], object] | None = None) -> list[Any]:
    """An entry of ``optParameters`` whose errors name the option."""

    def named(text: str) -> object:
        try:
            return coerce(text) if coerce else text
        except ValueError as error:
            raise UsageError(f"--{name} {text}: {error}") from None

    return [name, None, default, doc, named]


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """A coercion: a whole number in a range."""

    def coerce(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= (most or int(text)):
            return int(text)
        raise ValueError(f"a whole number from {least:,}" + (f" to {most:,}" if most else "") + " belongs here")

    return coerce


def seconds(text: str) -> float:
    """A coercion: a positive time in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("a time in seconds, more than 0, belongs here")
    return number


def allow_files(connections: int) -> None:
    """Let the process have as many sockets as ``connections`` need, as far as the system's hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted > soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class ListeningService(Service):
    """Listens while it runs; when it stops, it stops listening first and then lets connections finish.

    :param name: the daemon's name, for the log and for errors.
    :param description: the endpoint as the user wrote it.
    :param finish: ends what has begun on every connection of the factory; fires when all are closed.
    """

    log = Logger(namespace="netlab.daemon")

    def __init__(
        self,
        name: str,
        description: str,
        endpoint: IStreamServerEndpoint,
        factory: Factory,
        finish: Callable[[], "Deferred[None]"],
    ) -> None:
        self.setName(name)
        self._description = description
        self._endpoint = endpoint
        self._factory = factory
        self._finish = finish
        self._listening: Deferred[IListeningPort | None] | None = None
        self._failed: Failure | None = None

    def privilegedStartService(self) -> None:
        """Listen while we may still have the right to ports under 1024."""
        super().privilegedStartService()
        self._listen()

    def startService(self) -> None:
        """Listen, if that is not done yet.

        :raises CannotStart: the address is taken or not ours.
        """
        super().startService()
        if self._listening is None:
            self._listen()

    def stopService(self) -> "Deferred[None]":
        """Stop listening; fires when every connection has been finished."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            port = await listening
            if port is not None:
                await maybeDeferred(port.stopListening)
        await self._finish()
        self.log.info("{name} has stopped", name=self.name)

    def _listen(self) -> None:
        self._listening = self._endpoint.listen(self._factory).addCallbacks(self._listens, self._does_not)
        if self._failed is not None:
            raise CannotStart(f"{self.name}: cannot listen on {self._description}: {_cause(self._failed)}")

    def _listens(self, port: IListeningPort) -> IListeningPort:
        if "backlog=" not in self._description and isinstance(port, Port):
            port.socket.listen(_BACKLOG)
        self.log.info("{name} listens on {address}", name=self.name, address=address_text(port.getHost()))
        return port

    def _does_not(self, failure: Failure) -> None:
        self._failed = failure


def _cause(failure: Failure) -> str:
    """Why listening failed, in the system's own words."""
    error = getattr(failure.value, "socketError", failure.value)
    return getattr(error, "strerror", None) or str(error)


class CleanExit(Service):
    """Makes SIGTERM end twistd with status 0: asked to stop, it stopped.

    twistd by itself ends by the signal it got, as if it had been killed.
    """

    def __init__(self, reactor: Any) -> None:
        self.setName("clean exit")
        self._reactor = reactor

    def startService(self) -> None:
        """Take the signal now, for it may come before the reactor runs, and again once the reactor has taken it."""
        super().startService()
        self._take()
        self._reactor.callWhenRunning(self._take)

    def _take(self) -> None:
        if self.running and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: self._reactor.callFromThread(self._stop))

    def _stop(self) -> None:
        if self._reactor.running:
            self._reactor.stop()


class QuietCollector(Service):
    """Keeps Python's garbage collector off what was there before the first client came.

    A full collection walks every object of the program; without those of the imported modules it takes a tenth of
    the ten milliseconds that would otherwise be missing from some turn of the reactor.
    """

    def __init__(self, reactor: Any) -> None:
        self.setName("quiet collector")
        self._reactor = reactor

    def startService(self) -> None:
        """Set aside everything that is there when the reactor begins to run."""
        super().startService()
        self._reactor.callWhenRunning(self._set_aside)

    def _set_aside(self) -> None:
        gc.collect()
        gc.freeze()


class JsonLog(Service):
    """Writes every event of the log to a file, one JSON object a line, while it runs."""

    def __init__(self, path: str) -> None:
        self.setName("json log")
        self._path = path

    def startService(self) -> None:
        """Open the file, at its end.

        :raises CannotStart: it cannot be opened.
        """
        super().startService()
        try:
            self._file = Path(self._path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed with us
        except OSError as error:
            raise CannotStart(f"cannot write the log {self._path}: {error.strerror}") from None
        self._observer = jsonFileLogObserver(self._file, recordSeparator="")
        globalLogPublisher.addObserver(self._observer)

    def stopService(self) -> None:
        """Close the file."""
        super().stopService()
        globalLogPublisher.removeObserver(self._observer)
        self._file.close()
