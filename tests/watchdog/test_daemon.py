"""``twistd -n netlab-watchdog`` with real clients in real processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.common.daemon import CannotStart
from netlab.watchdog.tap import Options
from netlab.watchdog.wire import ALIVE, START
from tests.daemons import PATIENCE, Daemon, run_to_its_end
from tests.parts import missing, require_program, temporary_folder
from tests.watchdog.programs import Client, assert_gone, lives

START_HEX, ALIVE_HEX = START.hex(), ALIVE.hex()
SOON = ("--timeout", "0.6", "--grace", "0.4")


class Case(SynchronousTestCase):
    """A test with a daemon."""

    def setUp(self) -> None:
        self.folder = temporary_folder(self)

    def daemon(self, *arguments: str, listen: str = "tcp:0:interface=127.0.0.1") -> Daemon:
        return Daemon(self.folder, "netlab-watchdog", "--listen", listen, *arguments)

    def connect(self, daemon: Daemon) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def closes(self, connection: socket.socket, sent: float, timeout: float) -> None:
        """The watchdog closes that connection, no earlier than ``timeout`` after ``sent`` and soon after it."""
        connection.settimeout(PATIENCE)
        self.assertEqual(connection.recv(1), b"")
        self.assertGreaterEqual(time.monotonic() - sent, timeout - 0.005)


class LogTests(Case):
    """What it does to everybody: watch, tell, close."""

    def test_old_bytes(self) -> None:
        """The old programs' sequence: start, signs of life one byte at a time and two in a segment, then silence."""
        with self.daemon("--timeout", "0.5", "--lab") as daemon:
            connection = self.connect(daemon)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in START + ALIVE:
                connection.sendall(bytes((byte,)))
            connection.sendall(ALIVE + ALIVE)
            sent = time.monotonic()
            self.closes(connection, sent, 0.5)
            daemon.wait_for("No sign of life for 0.5 s; there were 3 before")
            daemon.wait_for("(?s)Hello im watchdog.*server is binding.*start mesg recievde")
            daemon.wait_for("watchdog, make the timer zero!!")
            daemon.wait_for("Problem in receiving")

    def test_on_time(self) -> None:
        """Each of many expires by its own deadline, within 100 ms of it, while another client floods."""
        with self.daemon("--timeout", "1") as daemon:
            flood = self.connect(daemon)
            flood.sendall(START)
            flood.setblocking(False)
            quiet: dict[socket.socket, float] = {}
            ends: dict[socket.socket, float] = {}
            cut = 0
            for _ in range(8):
                connection = self.connect(daemon)
                connection.sendall(START)
                connection.setblocking(False)
                quiet[connection] = time.monotonic()
                time.sleep(0.02)
            while quiet.keys() - ends.keys():
                self.assertLess(time.monotonic() - min(quiet.values()), PATIENCE)
                for connection in quiet.keys() - ends.keys():
                    try:
                        self.assertEqual(connection.recv(1), b"")
                    except BlockingIOError:
                        continue
                    ends[connection] = time.monotonic()
                try:
                    cut = (cut + flood.send((ALIVE * 1000)[cut:])) % 4
                except BlockingIOError:
                    continue
            late = [ends[connection] - began - 1.0 for connection, began in quiet.items()]
            self.assertGreater(min(late), -0.01)
            self.assertLess(max(late), 0.1, late)

    def test_unknown_number(self) -> None:
        """What is no message closes the connection at once, and the log has the bytes."""
        with self.daemon() as daemon:
            connection = self.connect(daemon)
            connection.sendall(START + b"GET ")
            self.closes(connection, time.monotonic(), 0)
            daemon.wait_for(r"542393671 \(b'GET '\) is no message")

    def test_any_bytes(self) -> None:
        """Other deployments' texts of 3 and 8 bytes keep a connection alive with --any-bytes."""
        with self.daemon("--any-bytes", "--timeout", "0.5") as daemon:
            connection = self.connect(daemon)
            for text in (b"hey", b"it works", b"hey"):
                connection.sendall(text)
                sent = time.monotonic()
                time.sleep(0.3)
            self.closes(connection, sent, 0.5)
            daemon.wait_for("there were 2 before")

    def test_not_started(self) -> None:
        """Who connects and asks for nothing is closed, and that is no expiry."""
        with self.daemon("--timeout", "0.3", "--on-expiry", "kill") as daemon:
            self.closes(self.connect(daemon), time.monotonic(), 0.3)
            daemon.wait_for("not asked to be watched within 0.3 s")
            self.assertNotIn("Ending", daemon.log)

    def test_stopped_watchdog(self) -> None:
        """A watchdog that was stopped itself blames nobody for that time."""
        with self.daemon("--timeout", "1") as daemon:
            connection = self.connect(daemon)
            connection.sendall(START)
            daemon.wait_for("Asked to be watched")
            daemon.process.send_signal(signal.SIGSTOP)
            time.sleep(1.2)
            woken = time.monotonic()
            daemon.process.send_signal(signal.SIGCONT)
            self.closes(connection, woken, 1.0)
            daemon.wait_for("was stopped for a while")

    def test_clock_set_back(self) -> None:
        """The system's clock set back an hour moves no deadline."""
        library = Path(require_program("faketime")).parent.parent / "lib"
        found = [*library.glob("*/faketime/libfaketime.so.1")]
        if not found:
            missing("libfaketime is not where Debian has it")
        offset = self.folder / "offset"
        offset.write_text("+0\n")
        fake = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.patch(os, "environ", {**os.environ, **fake})
        with self.daemon("--timeout", "1") as daemon:
            connection = self.connect(daemon)
            connection.sendall(START)
            sent = time.monotonic()
            daemon.wait_for("Asked to be watched")
            offset.write_text("-1h\n")
            self.closes(connection, sent, 1.0)
            self.assertLess(time.monotonic() - sent, 5.0)
            hours = re.findall(r"T(\d\d):", daemon.log)
            daemon.wait_for("No sign of life")
            later = re.findall(r"T(\d\d):", daemon.log)
            self.assertNotEqual(hours[0], later[-1], "the clock was not set back at all")


class KillTests(Case):
    """Whom it ends."""

    def test_with_children(self) -> None:
        """A silent program is ended, and what it started; the connection is closed and the story told."""
        with (
            self.daemon(*SOON, "--on-expiry", "kill") as daemon,
            Client(daemon.port, "fork", START_HEX, ALIVE_HEX, "hang") as client,
        ):
            client.hangs()
            self.assertEqual(client.wait(), -signal.SIGTERM)
            assert_gone(self, client.children[0])
            daemon.wait_for(rf"Ending process {client.process.pid} \(python")
            daemon.wait_for(r"(?s)start.*last reply.*deadline.*SIGTERM.*exit")

    def test_deaf(self) -> None:
        """Who ignores SIGTERM is killed after the grace, with the children."""
        with (
            self.daemon(*SOON, "--on-expiry", "kill") as daemon,
            Client(daemon.port, "deaf", "fork", START_HEX, "hang") as client,
        ):
            client.hangs()
            self.assertEqual(client.wait(), -signal.SIGKILL)
            assert_gone(self, client.children[0])
            daemon.wait_for(r"(?s)SIGTERM.*SIGSTOP.*SIGKILL.*exit")

    def test_stopped_program(self) -> None:
        """A program that hangs because it is stopped gets to hear SIGTERM."""
        with (
            self.daemon(*SOON, "--on-expiry", "kill") as daemon,
            Client(daemon.port, START_HEX, "hang") as client,
        ):
            client.hangs()
            client.process.send_signal(signal.SIGSTOP)
            self.assertEqual(client.wait(), -signal.SIGTERM)

    def test_unix(self) -> None:
        """The peer of a UNIX socket is who connected."""
        with (
            self.daemon(*SOON, "--on-expiry", "kill", listen="unix:watchdog.sock") as daemon,
            Client(self.folder / "watchdog.sock", START_HEX, "hang") as client,
        ):
            client.hangs()
            self.assertEqual(client.wait(), -signal.SIGTERM)
            daemon.wait_for("Ending process")

    def test_exited_already(self) -> None:
        """A program that ended by itself is told of as a connection closed; nobody is ended, nothing is an error."""
        with self.daemon(*SOON, "--on-expiry", "kill") as daemon:
            with Client(daemon.port, START_HEX) as client:
                self.assertEqual(client.wait(), 0)
            daemon.wait_for("Connection closed")
            self.assertNotRegex(daemon.log, "Ending|No sign of life|rror")

    def test_shared_socket(self) -> None:
        """A socket that two hold of whom neither started the other proves nobody, and nobody is ended."""
        with self.daemon(*SOON, "--on-expiry", "kill") as daemon:
            connection = self.connect(daemon)
            holders = [subprocess.Popen(["sleep", "600"], pass_fds=[connection.fileno()]) for _ in range(2)]
            connection.sendall(START)
            connection.close()
            try:
                daemon.wait_for("share the connection, and none of them started the others")
                self.assertTrue(all(lives(holder.pid) for holder in holders))
            finally:
                for holder in holders:
                    holder.kill()
                    holder.wait()

    def test_other_user(self) -> None:
        """Another user's process is not ended, even by root's watchdog."""
        setpriv = require_program("setpriv")
        if os.geteuid():
            missing("only root can be two users")
        with self.daemon(*SOON, "--on-expiry", "kill") as daemon:
            command = f"exec 3<>/dev/tcp/127.0.0.1/{daemon.port}; printf '\\x2c\\x01\\x00\\x00' >&3; cat <&3; echo over"
            other = subprocess.run(
                [setpriv, "--reuid=65534", "--clear-groups", "bash", "-c", command],
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            self.assertEqual((other.returncode, other.stdout), (0, b"over\n"))
            daemon.wait_for("belongs to user 65534, and this watchdog runs as user 0")

    def test_itself_and_others(self) -> None:
        """One client's end is not another's."""
        with self.daemon(*SOON, "--on-expiry", "kill") as daemon:
            lively = self.connect(daemon)
            lively.sendall(START)
            with Client(daemon.port, START_HEX, "hang") as client:
                client.hangs()
                while client.process.poll() is None:
                    lively.sendall(ALIVE)
                    time.sleep(0.05)
                self.assertEqual(client.wait(), -signal.SIGTERM)
            lively.sendall(ALIVE)
            lively.setblocking(False)
            self.assertRaises(BlockingIOError, lively.recv, 1)
            lively.close()


class OtherActionTests(Case):
    """``restart`` and ``exec``."""

    def test_restart(self) -> None:
        """What was ended is started again as it was, watched again, and gone with the daemon."""
        with self.daemon(*SOON, "--on-expiry", "restart") as daemon:
            with Client(daemon.port, START_HEX, "hang") as client:
                client.hangs()
                self.assertEqual(client.wait(), -signal.SIGTERM)
            # Once it speaks, it is surely what it is to become, and its words can be read.
            again = int(daemon.wait_for(r"(?s)Restarted as process (\d+).*Asked to be watched")[1])
            words = Path(f"/proc/{again}/cmdline").read_bytes().split(b"\0")
            self.assertIn(START_HEX.encode(), words)
            second = rf"(?s)Restarted.*Asked to be watched.*Ending process {again}.*Restarted as process (\d+)"
            last = int(daemon.wait_for(second)[1])
            daemon.stop()
            assert_gone(self, last)

    def test_restart_once(self) -> None:
        """A program with two connections, and a child with one of its own, is ended once, and started again once."""
        script = (
            "import os, socket, sys, time\n"
            "connect = lambda: socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
            "own = [connect()]\n"
            "if os.fork():\n"
            "    own.append(connect())\n"
            "else:\n"
            "    time.sleep(0.05)\n"
            "    own = [connect()]\n"
            "for each in own:\n"
            "    each.sendall(bytes.fromhex(sys.argv[2]))\n"
            "time.sleep(600)\n"
        )
        with self.daemon(*SOON, "--on-expiry", "restart") as daemon:
            words = [sys.executable, "-c", script, str(daemon.port), START_HEX]
            with subprocess.Popen(words) as program:
                program.wait(PATIENCE)
            daemon.wait_for(r"process \d+ \(python.*\) is being ended")
            again = daemon.wait_for(r"Restarted as process (\d+)")[1]
            daemon.wait_for(rf"Ending process {again} (?s:.*)Restarting in 1 s")
            self.assertEqual(len(re.findall("Restarting in|Restarted", daemon.log)), 2, daemon.log)
            self.assertEqual(len(re.findall("Ending process", daemon.log)), 2, daemon.log)

    def test_command(self) -> None:
        """A command is run instead, and knows who is silent."""
        seen = self.folder / "seen"
        command = f"exec:sh -c 'echo $NETLAB_PID $NETLAB_PEER $NETLAB_TIMEOUT >{seen}.new; mv {seen}.new {seen}'"
        with (
            self.daemon(*SOON, "--on-expiry", command) as daemon,
            Client(daemon.port, START_HEX, "hang") as client,
        ):
            client.hangs()
            daemon.wait_for("sh has ended: status 0")
            self.assertTrue(lives(client.process.pid))
            pid, peer, timeout = seen.read_text().split()
            self.assertEqual((int(pid), timeout), (client.process.pid, "0.6"))
            self.assertRegex(peer, r"127\.0\.0\.1:\d+")

    def test_missing_command(self) -> None:
        """One that cannot be run is an error in the log."""
        with self.daemon(*SOON, "--on-expiry", "exec:/nonesuch") as daemon:
            connection = self.connect(daemon)
            connection.sendall(START)
            daemon.wait_for("/nonesuch cannot be started: No such file or directory")


class StartTests(Case):
    """Beginning and ending."""

    def fails(self, *arguments: str) -> str:
        result = run_to_its_end(self.folder, "netlab-watchdog", *arguments, pidfile=str(self.folder / "pid"))
        self.assertEqual(result.returncode, 2, result.stderr)
        lines = [line for line in result.stderr.splitlines() if line.startswith("netlab-watchdog: ")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        return lines[0]

    def test_taken_port(self) -> None:
        """A taken port is one clear line, and exit status 2."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            line = self.fails("--listen", f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1")
        self.assertIn("Address already in use", line)

    def test_bad_options(self) -> None:
        """So is every option that makes no sense."""
        self.assertIn("--timeout 0", self.fails("--timeout", "0"))
        for option, value in (("timeout", "nan"), ("grace", "x"), ("on-expiry", "exec:"), ("max-connections", "-1")):
            said = StringIO()
            self.patch(sys, "__stderr__", said)
            refused = self.assertRaises(CannotStart, Options().parseOptions, [f"--{option}", value])
            self.assertEqual((refused.code, said.getvalue().count("\n")), (2, 1))
            self.assertIn(f"netlab-watchdog: --{option} {value}", said.getvalue())
        self.fails("--listen", "junk:1")

    def test_sigterm(self) -> None:
        """Asked to end, it does with 0, and everybody's connection is closed; nobody is ended for it."""
        with self.daemon("--on-expiry", "kill") as daemon:
            connection = self.connect(daemon)
            connection.sendall(START)
            daemon.wait_for("Asked to be watched")
            daemon.stop()
            self.assertEqual(connection.recv(1), b"")
            self.assertNotIn("Ending", daemon.log)
