"""Telling systemd, or whatever else sets ``$NOTIFY_SOCKET``, that a daemon is ready, alive, and about to stop.

The protocol is that of sd_notify(3) and sd_watchdog_enabled(3): datagrams of ``NAME=value`` lines to a UNIX socket
whose path, or abstract name with an ``@`` in front, is in the environment. A daemon adds `NotifyService` last to its
services. Without ``$NOTIFY_SOCKET`` it does nothing, and nothing depends on anybody listening.
"""

import os
import socket
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

_NAMES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


@frozen
class Supervision:
    """What the environment asks for: where to send (a path, or ``@`` and an abstract name) and how often.

    ``watchdog`` is the longest time in seconds between two signs of life; `None` when nobody waits for them.
    """

    address: str
    watchdog: float | None = None


def supervision(environment: Mapping[str, str], pid: int) -> Supervision | None:
    """What ``environment`` asks of the process ``pid``; `None` when nobody is to be told.

    A watchdog meant for another process, or one whose time is no positive number, is none.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"} or len(address) < 2:
        return None
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return Supervision(address)
    microseconds = environment.get("WATCHDOG_USEC", "")
    usable = microseconds.isascii() and microseconds.isdigit() and len(microseconds) < 20
    return Supervision(address, int(microseconds) / 1e6 or None if usable else None)


class NotifyService(Service):
    """Tells the supervisor READY once the reactor runs, WATCHDOG twice in its time, STOPPING at the end.

    The variables are taken out of the environment at the start, so that no child of ours speaks in our name.

    :param reactor: its turns are what the signs of life vouch for.
    :param environment: `None` for that of this process.
    :param is_well: whether the daemon still does its work; when not, the sign of life is left out.
    """

    log = Logger(namespace="netlab.notify")

    def __init__(
        self,
        reactor: Any,
        environment: MutableMapping[str, str] | None = None,
        is_well: Callable[[], bool] = lambda: True,
    ) -> None:
        self.setName("notify")
        self._reactor = reactor
        self._environment = os.environ if environment is None else environment
        self._is_well = is_well
        self._asked: Supervision | None = None
        self._signs = LoopingCall(self._sign)
        self._signs.clock = reactor

    def startService(self) -> None:
        """Read what is asked for, and tell that we are ready in the reactor's first turn."""
        super().startService()
        self._asked = supervision(self._environment, os.getpid())
        for name in _NAMES:
            self._environment.pop(name, None)
        if self._asked is not None:
            self._reactor.callWhenRunning(self._ready)

    def stopService(self) -> None:
        """Tell that we stop."""
        super().stopService()
        if self._signs.running:
            self._signs.stop()
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """Tell in one line what the daemon is doing, for ``systemctl status``."""
        self._tell(f"STATUS={' '.join(text.split())}")

    def _ready(self) -> None:
        if not self.running or self._asked is None:
            return
        self._tell("READY=1")
        if self._asked.watchdog is not None:
            self._signs.start(self._asked.watchdog / 2)

    def _sign(self) -> None:
        if self._is_well():
            self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if self._asked is None:
            return
        address = self._asked.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError as error:
            self.log.debug("{address} was not told {state}: {error}", address=address, state=state, error=error)
