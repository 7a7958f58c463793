"""``twistd -n netlab-ping`` as its users start it, in a host of its own."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.common.daemon import CannotStart
from netlab.icmp.tap import Options
from tests.daemons import PATIENCE, quiet_environment, twistd
from tests.networks import Host
from tests.parts import temporary_folder

#: Listens on the port that it is told, and says in hexadecimal what comes.
_LISTENER = """
import socket, sys
with socket.create_server(("127.0.0.1", 3000)) as server:
    print("ready", flush=True)
    client = server.accept()[0]
    while data := client.recv(4):
        print(data.hex(), flush=True)
"""


class Daemon:
    """One running daemon in a host; ``log`` is what it has said so far. It is gone when the test ends."""

    def __init__(self, test: SynchronousTestCase, host: Host, *words: str, **more: str) -> None:
        self.log = ""
        folder = temporary_folder(test)
        command = [*host.enter(), twistd(), "-n", "--pidfile", str(folder / "ping.pid"), "netlab-ping", *words]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**quiet_environment(), **more},
        )
        test.addCleanup(self.process.communicate)
        test.addCleanup(self.process.kill)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read the log until it has that."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.log)):
            if not self._read(end):
                raise AssertionError(f"no {pattern!r} in the log:\n{self.log}")
        return found

    def ended(self, number: signal.Signals | None = None) -> int:
        """Its exit status, when it has ended, which it may be asked to do."""
        if number is not None:
            self.process.send_signal(number)
        end = time.monotonic() + PATIENCE
        while self._read(end):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, end: float) -> bool:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
        data = os.read(self.process.stdout.fileno(), 65_536) if ready else b""
        self.log += data.decode(errors="replace")
        return bool(data)


class DaemonTests(SynchronousTestCase):
    """The daemon."""

    def setUp(self) -> None:
        """A host with a loopback only."""
        self.host = Host(self)

    def test_life(self) -> None:
        """It pings, reports, says what it cannot find, and stops cleanly; every event is in the JSON log."""
        log = temporary_folder(self) / "log.json"
        words = ("--interval", "0.02", "--report", "0.2", "--log-json", str(log))
        daemon = Daemon(self, self.host, *words, "127.0.0.1", "::1", "nosuchhost.invalid")
        daemon.wait_for(r"127\.0\.0\.1: seq=3 time=\d+\.\d{3}ms")
        daemon.wait_for(r"::1 answers")
        daemon.wait_for(r"no address for nosuchhost.invalid; .*; trying again in 10 s")
        daemon.wait_for(r"127\.0\.0\.1: \d+ sent, \d+ received, 0% lost.*; time min/avg")
        self.assertEqual(daemon.ended(signal.SIGTERM), 0, daemon.log)
        self.assertIn("netlab-ping has stopped", daemon.log)
        self.assertNotIn("Traceback", daemon.log)
        events = [json.loads(line) for line in log.read_text().splitlines()]
        replies = [event for event in events if event.get("event") == "reply"]
        self.assertEqual([event["number"] for event in replies if event["target"] == "::1"][:3], [0, 1, 2])
        self.assertTrue(any(event.get("event") == "summary" and event["loss"] == 0 for event in events))

    def test_goes_silent_and_answers_again(self) -> None:
        """A host that stops answering, and answers again, is told of besides each loss."""
        daemon = Daemon(self, self.host, "--interval", "0.02", "--timeout", "0.1", "--no-reply-log", "127.0.0.1")
        daemon.wait_for("127.0.0.1 answers\n")
        self.host.run("ip", "link", "set", "lo", "down")
        daemon.wait_for("127.0.0.1 does not answer any more")
        self.host.run("ip", "link", "set", "lo", "up")
        daemon.wait_for(r"127\.0\.0\.1 answers again, after \d+\.\d s")
        self.assertNotIn("time=", daemon.log)
        self.assertEqual(daemon.ended(signal.SIGTERM), 0)

    def test_tells_systemd(self) -> None:
        """READY when it runs, WATCHDOG in time, STOPPING at the end, to the socket in the environment."""
        path = str(temporary_folder(self) / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.settimeout(PATIENCE)
            supervisor.bind(path)
            daemon = Daemon(self, self.host, "127.0.0.1", NOTIFY_SOCKET=path, WATCHDOG_USEC="100000")
            self.assertEqual([supervisor.recv(99) for _ in range(3)], [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"])
            self.assertEqual(daemon.ended(signal.SIGTERM), 0)
            told = b""
            while told != b"STOPPING=1":
                told = supervisor.recv(99)

    def test_reports_to_a_watchdog(self) -> None:
        """300 when it is connected, 256 after every reply, as 4-byte little-endian numbers; and again if it is gone."""
        daemon = Daemon(self, self.host, "--interval", "0.02", "--watchdog", "tcp:127.0.0.1:3000", "127.0.0.1")
        daemon.wait_for("no watchdog at tcp:127.0.0.1:3000: ")
        daemon.wait_for("seq=2")
        with subprocess.Popen(
            [*self.host.enter(), sys.executable, "-c", _LISTENER], stdout=subprocess.PIPE, text=True
        ) as listener:
            assert listener.stdout is not None
            lines = [listener.stdout.readline().strip() for _ in range(4)]
            start, alive = (struct.pack("<i", number).hex() for number in (300, 256))
            self.assertEqual(lines, ["ready", start, alive, alive])
            self.assertEqual(daemon.ended(signal.SIGTERM), 0, daemon.log)

    def test_required(self) -> None:
        """A watchdog that is required and is not there stops the daemon."""
        daemon = Daemon(self, self.host, "--watchdog", "tcp:127.0.0.1:3000", "--watchdog-required", "127.0.0.1")
        daemon.ended()
        self.assertIn("stopping, for the watchdog is required", daemon.log)
        self.assertNotIn("Traceback", daemon.log)

    def test_wrong_options(self) -> None:
        """Nothing to ping, and nonsense: one line, and 2."""
        for error, words in (
            ("name the hosts to ping", ()),
            ("a is named twice", ("a", "a")),
            ("--size is no host; options go before the hosts", ("a", "--size", "5")),
            ("--interval 0: ", ("--interval", "0", "a")),
            ("--timeout is a time", ("--timeout", "1e9", "a")),
            ("--watchdog-required needs --watchdog", ("--watchdog-required", "a")),
        ):
            said = StringIO()
            self.patch(sys, "__stderr__", said)
            refused = self.assertRaises(CannotStart, Options().parseOptions, [*words])
            self.assertEqual((refused.code, said.getvalue().count("\n")), (2, 1))
            self.assertIn(f"netlab-ping: {error}", said.getvalue())

    def test_refused(self) -> None:
        """No permission, a wrong option: one line, and 2."""
        self.host.write("ipv4/ping_group_range", "1 0")
        for error, words in (
            ("--watchdog nonsense: is no client endpoint", ("--watchdog", "nonsense:", "a")),
            ("sudo sysctl -w net.ipv4.ping_group_range", ("127.0.0.1",)),
            ("sudo setcap", ("somename.invalid",)),
            ("cannot write the log /nonexistent/log", ("--log-json", "/nonexistent/log", "127.0.0.1")),
        ):
            daemon = Daemon(self, self.host, *words, NETLAB_ICMP_UNPRIVILEGED="1")
            self.assertEqual(daemon.ended(), 2, daemon.log)
            lines = [line for line in daemon.log.splitlines() if line.startswith("netlab-ping: ")]
            self.assertEqual(len(lines), 1, daemon.log)
            self.assertIn(error, lines[0])
            self.assertNotIn("Traceback", daemon.log)

    def test_unit_file(self) -> None:
        """The unit file starts this daemon, and asks for what it offers."""
        unit = (Path(__file__).parents[2] / "docs/systemd/netlab-ping.service").read_text("utf-8")
        for line in ("Type=notify", "WatchdogSec=30", "AmbientCapabilities=CAP_NET_RAW"):
            self.assertIn(line, unit.splitlines())
        self.assertRegex(unit, r"(?m)^ExecStart=.*twistd -n --pidfile= netlab-ping ")
