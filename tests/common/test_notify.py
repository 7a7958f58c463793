"""What a supervisor such as systemd is told, over a real socket of the kind it has."""

from __future__ import annotations

import os
import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.notify import NotifyService, Supervision, supervision
from tests.parts import temporary_folder


class RunningClock(Clock):
    """A clock that is, as far as services ask, a running reactor."""

    def callWhenRunning(self, call: object) -> None:  # noqa: N802 - Twisted's name
        self.callLater(0, call)


class SupervisionTests(SynchronousTestCase):
    """What the environment asks for."""

    def test_asked(self) -> None:
        """Paths and abstract names are addresses; the time is in microseconds and may be meant for us by number."""
        for variables, expected in (
            ({"NOTIFY_SOCKET": "/run/notify"}, Supervision("/run/notify")),
            ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000"}, Supervision("@x", 3.0)),
            ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "500", "WATCHDOG_PID": "7"}, Supervision("@x", 0.0005)),
            ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "500", "WATCHDOG_PID": "8"}, Supervision("@x")),
        ):
            self.assertEqual(supervision(variables, 7), expected, variables)

    def test_nonsense(self) -> None:
        """An address of a kind we don't know is nobody, a time that is none is no watchdog."""
        for address in ("", "/", "@", "vsock:2:1234", "relative"):
            self.assertIsNone(supervision({"NOTIFY_SOCKET": address}, 7), address)
        for time in ("0", "", "-5", "1e6", "ten", "9" * 400, "\u0663"):
            self.assertEqual(supervision({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": time}, 7), Supervision("@x"), time)


class ServiceTests(SynchronousTestCase):
    """The service and a supervisor that listens."""

    def setUp(self) -> None:
        """Listen."""
        self.path = str(temporary_folder(self) / "notify")
        self.supervisor = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.addCleanup(self.supervisor.close)
        self.supervisor.bind(self.path)
        self.clock = RunningClock()

    def told(self) -> list[str]:
        """What has come since the last time."""
        found = []
        while True:
            try:
                found.append(self.supervisor.recv(4_096).decode())
            except BlockingIOError:
                return found

    def test_life(self) -> None:
        """Ready when the reactor runs, two signs in the time given, stopping; and then silence."""
        environment = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "4000000", "OTHER": "1"}
        service = NotifyService(self.clock, environment)
        service.startService()
        self.assertEqual(self.told(), [])
        self.clock.advance(0)
        self.assertEqual(self.told(), ["READY=1", "WATCHDOG=1"])
        self.clock.pump([1.0] * 5)
        self.assertEqual(self.told(), ["WATCHDOG=1"] * 2)
        service.status("8.8.8.8 answers\nREADY=1")
        self.assertEqual(self.told(), ["STATUS=8.8.8.8 answers READY=1"])
        service.stopService()
        self.assertEqual(self.told(), ["STOPPING=1"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(environment, {"OTHER": "1"})

    def test_not_well(self) -> None:
        """A daemon that no longer does its work gives no sign of life."""
        well = [True]
        environment = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "2000000"}
        service = NotifyService(self.clock, environment, lambda: well[0])
        service.startService()
        self.clock.advance(0)
        well[0] = False
        self.told()
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.told(), [])
        service.stopService()

    def test_abstract_name(self) -> None:
        """A name with @ is one of no file."""
        name = f"netlab-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.settimeout(10)
            supervisor.bind("\0" + name)
            service = NotifyService(self.clock, {"NOTIFY_SOCKET": "@" + name})
            service.startService()
            self.clock.advance(0)
            self.assertEqual(supervisor.recv(100), b"READY=1")
            self.assertEqual(self.clock.getDelayedCalls(), [])
            service.stopService()

    def test_nobody_listens(self) -> None:
        """A supervisor that is gone, or never was, is no trouble."""
        for environment in ({"NOTIFY_SOCKET": self.path + "-gone", "WATCHDOG_USEC": "2000000"}, {}):
            service = NotifyService(self.clock, environment)
            service.startService()
            self.clock.advance(3)
            service.stopService()
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped_before_it_ran(self) -> None:
        """Stopped before the reactor ran, it never was ready."""
        service = NotifyService(self.clock, {"NOTIFY_SOCKET": self.path})
        service.startService()
        service.stopService()
        self.clock.advance(0)
        self.assertEqual(self.told(), ["STOPPING=1"])
