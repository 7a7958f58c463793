"""What every daemon does alike under twistd: its options' manners, listening, and stopping."""

import re
import resource
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import Options, UsageError

from netlab.common.addresses import address_text

#: Files that a daemon has open besides its connections: logs, libraries, the reactor's own.
_OTHER_FILES = 100

#: Connections that the kernel keeps while they wait to be accepted. With Twisted's 50 a crowd of clients that comes
#: at once waits a second, until the kernel of those left out sends its SYN again; nginx asks for 511.
_BACKLOG = 1_024


class CannotStart(SystemExit, Exception):
    """The daemon cannot begin: twistd exits with ``status``, and the reason is the one line that a person reads.

    The line is written at once, to the real standard error: by now twistd may have made the other one part of its
    log. Of a daemonized twistd nobody reads that; it passes on the first hundred characters of the text of an
    `Exception`, which is why this is one, and why its name is told without its module.
    """

    __module__ = "builtins"

    def __init__(self, reason: str, status: int = 1) -> None:
        super().__init__(status)
        self._reason = reason
        print(reason, file=sys.__stderr__)

    def __str__(self) -> str:
        return self._reason


class DaemonOptions(Options):
    """Options that refuse a bad value in one clear line, where twistd would print the help of everything."""

    #: The tap name, such as ``netlab-calc``.
    daemon = ""

    #: The exit status when the daemon cannot begin.
    cannot_start = 1

    def parseOptions(self, options: Any = None) -> None:
        """Read the command line.

        :raises CannotStart: it is wrong.
        """
        try:
            super().parseOptions(options)
        except UsageError as error:
            raise self.refused(str(error).rstrip(".")) from None

    def parseArgs(self, *words: str) -> None:
        """Refuse words that belong to no option."""
        if words:
            raise UsageError(f"{words[0]!r} belongs to no option")

    def endpoint(self, name: str, reactor: Any) -> IStreamServerEndpoint:
        """The endpoint that option ``name`` describes.

        :raises CannotStart: it describes none.
        """
        try:
            endpoint: IStreamServerEndpoint = serverFromString(reactor, _with_backlog(self[name]))
        except ImportError:
            raise self.refused(f"--{name} {self[name]} needs TLS: pip install 'netlab-daemons[tls]'") from None
        except IndexError:
            raise self.refused(f"--{name} {self[name]}: no socket of that index was passed by systemd") from None
        except Exception as error:
            raise self.refused(f"--{name} {self[name]} is no endpoint such as tcp:9999 ({error})") from None
        return endpoint

    def refused(self, reason: str) -> CannotStart:
        """The error, to be raised, that a value is wrong for this reason."""
        return CannotStart(
            f"{self.daemon}: {reason}; twistd {self.daemon} --help explains the options", self.cannot_start
        )


def _with_backlog(description: str) -> str:
    """An endpoint of TCP with room for a crowd that comes at once: whom Twisted's 50 leave out waits for a second."""
    crowded = re.match(r"(tcp6?|ssl):\d", description) and "backlog=" not in description
    return f"{description}:backlog={_BACKLOG}" if crowded else description


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
    :param cannot_start: the exit status when it cannot listen.
    """

    log = Logger(namespace="netlab.daemon")

    def __init__(
        self,
        name: str,
        description: str,
        endpoint: IStreamServerEndpoint,
        factory: Factory,
        finish: Callable[[], "Deferred[None]"],
        cannot_start: int = 1,
    ) -> None:
        self.setName(name)
        self._description = description
        self._endpoint = endpoint
        self._factory = factory
        self._finish = finish
        self._cannot_start = cannot_start
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
            reason = f"{self.name}: cannot listen on {self._description}: {_cause(self._failed)}"
            raise CannotStart(reason, self._cannot_start)

    def _listens(self, port: IListeningPort) -> IListeningPort:
        self.log.info("{name} listens on {address}", name=self.name, address=address_text(port.getHost()))
        return port

    def _does_not(self, failure: Failure) -> None:
        self._failed = failure


def _cause(failure: Failure) -> str:
    """Why listening failed, in the system's own words."""
    error = getattr(failure.value, "socketError", failure.value)
    return getattr(error, "strerror", None) or str(error)


class InOrder(MultiService):
    """Services that stop one after another, what was added last first, each when the one before has stopped."""

    def stopService(self) -> "Deferred[None]":
        """Stop them all; one that fails is logged and keeps no other from stopping."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for service in reversed(list(self)):
            try:
                await maybeDeferred(service.stopService)
            except Exception:
                ListeningService.log.failure("{name} did not stop as it should", name=service.name)


class CleanExit(Service):
    """Makes SIGTERM and SIGINT end twistd with status 0: asked to stop, it stopped. Asking again changes nothing.

    twistd by itself ends by the signal it got, as if it had been killed.
    """

    def __init__(self, reactor: Any) -> None:
        self.setName("clean exit")
        self._reactor = reactor
        self._asked = False

    def privilegedStartService(self) -> None:
        """Take the signals before anything listens, and again once the reactor, as it begins to run, has taken them."""
        super().privilegedStartService()
        self._take()
        self._reactor.callWhenRunning(self._take_again)

    def stopService(self) -> None:
        """Have twistd forget a signal that came in the moment when the reactor's handlers stood in place of ours."""
        super().stopService()
        if getattr(self._reactor, "_exitSignal", None) is not None:
            self._reactor._exitSignal = None

    def _take_again(self) -> None:
        if self.running:
            self._take()

    def _take(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._reactor.callFromThread(self._stop))

    def _stop(self) -> None:
        if self._reactor.running and not self._asked:
            self._asked = True
            self._reactor.stop()
