"""Hearing what a command says of itself by sd_notify(3): the socket, and the environment that names it."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Bytes of a datagram; sd_notify's are far smaller.
_MAX_DATAGRAM = 8192


class Notified:
    """A socket that only this user can reach, for as long as a command runs.

    :param sign: is called for each ``WATCHDOG=1``; what else is said is left alone.
    :param timeout: seconds within which the command will be told to speak.
    """

    def __init__(self, reactor: Any, sign: Callable[[], None], timeout: float) -> None:
        from twisted.internet.protocol import DatagramProtocol

        class Hearing(DatagramProtocol):
            def datagramReceived(self, datagram: bytes, addr: object) -> None:
                if b"WATCHDOG=1" in datagram.split(b"\n"):
                    sign()

        self._folder = tempfile.mkdtemp(prefix="netlab-watch-")
        path = str(Path(self._folder, "notify"))
        self._port = reactor.listenUNIXDatagram(path, Hearing(), _MAX_DATAGRAM)
        #: What the command finds it by.
        self.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(int(timeout * 1e6))}

    def stop(self) -> None:
        """Hear no more."""
        self._port.stopListening()
        shutil.rmtree(self._folder, ignore_errors=True)
