"""The log of a daemon as JSON, an event a line."""

from pathlib import Path

from twisted.application.service import Service
from twisted.logger import globalLogPublisher, jsonFileLogObserver

from netlab.common.daemon import CannotStart


class JsonLog(Service):
    """Writes every event of the log to a file, one JSON object a line, while it runs.

    :param daemon: the daemon's name, for the error.
    :param cannot_start: the exit status when the file cannot be opened.
    """

    def __init__(self, daemon: str, path: str, cannot_start: int = 1) -> None:
        self.setName("json log")
        self._daemon = daemon
        self._path = path
        self._cannot_start = cannot_start

    def privilegedStartService(self) -> None:
        """Open the file, at its end. Services that come after this one find it open.

        :raises CannotStart: it cannot be opened.
        """
        super().privilegedStartService()
        try:
            self._file = Path(self._path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed as the service stops
        except OSError as error:
            reason = f"{self._daemon}: cannot write the log {self._path}: {error.strerror}"
            raise CannotStart(reason, self._cannot_start) from None
        self._observer = jsonFileLogObserver(self._file, recordSeparator="")
        globalLogPublisher.addObserver(self._observer)

    def stopService(self) -> None:
        """Close the file."""
        super().stopService()
        globalLogPublisher.removeObserver(self._observer)
        self._file.close()
