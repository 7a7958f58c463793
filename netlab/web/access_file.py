"""Where access log lines go: a file, many lines at a time, or the daemon's own log."""

from abc import ABC, abstractmethod
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from netlab.common.daemon import CannotStart
from netlab.web.access_log import Combined, Exchange, Form

#: Seconds that a line may wait to be written.
_WAIT = 0.5

_MANY = 65_536


class AccessLog(ABC):
    """Is told of everything; `netlab.web.access_log` has the meaning of the arguments."""

    @abstractmethod
    def opened(self, peer: str, when: float) -> None:
        """A connection is there."""

    @abstractmethod
    def exchange(self, it: Exchange) -> None:
        """A request was answered."""

    @abstractmethod
    def closed(self, peer: str, when: float, requests: int, why: str) -> None:
        """A connection is gone."""


class DaemonLog(AccessLog):
    """Requests as lines of the daemon's log, which tells of connections anyhow."""

    log = Logger(namespace="netlab.web")

    def __init__(self) -> None:
        self._form = Combined()

    def opened(self, peer: str, when: float) -> None:
        """The daemon's log has it."""

    def exchange(self, it: Exchange) -> None:
        """One line."""
        line = self._form.exchange(it)
        self.log.info("{line}", line=line, peer=it.peer, status=it.asked.status, size=it.asked.size)

    def closed(self, peer: str, when: float, requests: int, why: str) -> None:
        """The daemon's log has it."""


class AccessFile(Service, AccessLog):
    """A file of its own, while the service runs; lines wait a moment and are written together."""

    log = Logger(namespace="netlab.web")

    def __init__(self, path: str, form: Form, clock: IReactorTime) -> None:
        self.setName("access log")
        self._path = path
        self._form = form
        self._clock = clock
        #: Lines, and what lines are made of when they are written: many in a row take a third of the time.
        self._lines: list[str | Exchange] = []
        self._size = 0
        self._timer: IDelayedCall | None = None

    def privilegedStartService(self) -> None:
        """Open the file, at its end, before any client comes.

        :raises CannotStart: it cannot be opened.
        """
        super().privilegedStartService()
        try:
            self._file = Path(self._path).open("ab", buffering=0)  # noqa: SIM115 - closed with us
        except OSError as error:
            raise CannotStart(f"netlab-web: cannot write the access log {self._path}: {error.strerror}") from None

    def stopService(self) -> None:
        """Write what waits and close the file."""
        super().stopService()
        if self._timer is not None:
            self._timer.cancel()
        self._write()
        self._file.close()

    def opened(self, peer: str, when: float) -> None:
        """One line."""
        line = self._form.opened(peer, when)
        self._add(line, len(line))

    def exchange(self, it: Exchange) -> None:
        """One line."""
        self._add(it, it.weight)

    def closed(self, peer: str, when: float, requests: int, why: str) -> None:
        """One line."""
        line = self._form.closed(peer, when, requests, why)
        self._add(line, len(line))

    def _add(self, line: str | Exchange, size: int) -> None:
        self._lines.append(line)
        self._size += size
        if self._size > _MANY:
            self._write()
        elif self._timer is None:
            self._timer = self._clock.callLater(_WAIT, self._late)

    def _late(self) -> None:
        self._timer = None
        self._write()

    def _write(self) -> None:
        """A full disk loses lines, and says so; it does not stop the server."""
        if not self._lines:
            return
        form = self._form
        lines = [line if isinstance(line, str) else form.exchange(line) for line in self._lines]
        self._lines, self._size = [], 0
        try:
            self._file.write(("\n".join(lines) + "\n").encode())
        except OSError as error:
            self.log.error("{count} lines of the access log are lost: {why}", count=len(lines), why=error.strerror)
