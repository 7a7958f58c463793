"""``twistd -n netlab-upper`` as its users start it: many clients, bad clients, signals, options."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import socket
import struct

from twisted.trial.unittest import SynchronousTestCase

from tests.daemons import PATIENCE, Daemon, run_to_its_end
from tests.parts import temporary_folder

CLIENTS = 2_000


def reset(client: socket.socket) -> None:
    """End a connection with a RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class DaemonTests(SynchronousTestCase):
    """The daemon over real sockets."""

    def daemon(self, *arguments: str, listen: str = "tcp:0:interface=127.0.0.1") -> Daemon:
        """Start it."""
        return Daemon(temporary_folder(self), "netlab-upper", "--listen", listen, *arguments)

    def client(self, daemon: Daemon) -> socket.socket:
        """Connect, until the test ends."""
        client = socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)
        self.addCleanup(client.close)
        return client

    def test_many(self) -> None:
        """Thousands of clients are served at once, though each is waited for in between."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = CLIENTS + 200
        if hard != resource.RLIM_INFINITY and hard < wanted:
            wanted = hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        listen = "tcp:0:interface=127.0.0.1:backlog=1000"
        with self.daemon("--variant", "v4", "--delay", "0.2", "--no-request-log", listen=listen) as daemon:
            clients = []
            for number in range(wanted - 200):
                clients.append(self.client(daemon))
                if number % 100 == 99:  # a log that nobody reads would stop the daemon
                    daemon.wait_for(f"established with 127.0.0.1:{clients[-1].getsockname()[1]}\n")
            for number, client in enumerate(clients):
                client.sendall(b"client %d" % number)
            for number, client in enumerate(clients):
                self.assertEqual(client.recv(100), b"CLIENT %d" % number)
            for client in clients:
                client.close()

    def test_client_that_does_not_read(self) -> None:
        """The answer that nobody reads is not made; no more is read from that client; others are served meanwhile."""
        with self.daemon("--variant", "v3", "--repeat", "1000000") as daemon:
            other = self.client(daemon)
            before = daemon.memory()
            greedy = [self.client(daemon) for _ in range(20)]
            for client in greedy:
                client.sendall(b"x" * 1024)
            other.sendall(b"a")
            self.assertEqual(other.recv(10)[:1], b"A")
            greedy[0].settimeout(0.3)
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < 64 << 20:
                    sent += greedy[0].send(b"y" * 65_536)
            self.assertLess(sent, 16 << 20)
            self.assertLess(daemon.memory() - before, 16 << 20)

    def test_resets(self) -> None:
        """A peer that resets is one line, whether it was waited for, answered, or slept over."""
        with self.daemon("--variant", "v3", "--repeat", "1000000", "--no-request-log") as daemon:
            quiet, greedy = self.client(daemon), self.client(daemon)
            greedy.sendall(b"x" * 1024)
            greedy.recv(1)
            reset(quiet)
            daemon.wait_for(r"Connection reset by peer after 0 bytes \(0 bytes sent\)")
            reset(greedy)
            daemon.wait_for(r"Connection reset by peer after 1,024 bytes \([\d,]+ bytes sent\)")
            self.assertEqual(daemon.log.count("Connection reset"), 2)
            self.assertNotIn("Traceback", daemon.log)
            self.assertNotIn("rror", daemon.log)
        with self.daemon("--variant", "v4", "--delay", "0.3") as daemon:
            sleeper = self.client(daemon)
            sleeper.sendall(b"x")
            reset(sleeper)
            # What had come before the RST can still be received; the answer meets it.
            daemon.wait_for(r"Connection reset by peer after 1 byte \(0 bytes sent\)")

    def test_idle(self) -> None:
        """Who sends nothing, or reads nothing, is closed in time; our own delay is nobody's fault."""
        with self.daemon("--variant", "v3", "--repeat", "1000000", "--idle-timeout", "0.4") as daemon:
            silent, greedy = self.client(daemon), self.client(daemon)
            greedy.sendall(b"x")
            self.assertEqual(silent.recv(1), b"")
            daemon.wait_for("closed here after 0 bytes: no byte sent or read for 0.4 s")
            daemon.wait_for("closed here after 1 byte: no byte sent or read for 0.4 s")
        with self.daemon("--variant", "v4", "--delay", "0.6", "--idle-timeout", "0.2") as daemon:
            client = self.client(daemon)
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"X")

    def test_stops(self) -> None:
        """SIGTERM: who is waited for is closed, an answer on its way is sent whole, exit 0; it restarts at once."""
        with self.daemon("--variant", "v3", "--repeat", "20000") as daemon:
            waiting, reading = self.client(daemon), self.client(daemon)
            reading.sendall(b"x" * 1000)
            came = len(reading.recv(1))
            daemon.wait_for("Got 1,000 bytes")
            daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(waiting.recv(1), b"")
            while data := reading.recv(1 << 20):
                came += len(data)
            self.assertEqual(came, 20_000_000)
            self.assertEqual(daemon.wait(), 0)
        self.assertIn("after 1,000 bytes: the daemon stops (20,000,000 bytes sent)", daemon.log)
        self.assertNotIn("Traceback", daemon.log)
        with self.daemon("--variant", "v4", listen=f"tcp:{daemon.port}:interface=127.0.0.1") as daemon:
            sleeping = self.client(daemon)
            daemon.wait_for("Connection established")
            daemon.stop()
            self.assertEqual(sleeping.recv(1), b"")

    def test_too_many(self) -> None:
        """A client more than there may be is closed, in a line."""
        with self.daemon("--max-connections", "1") as daemon:
            first = self.client(daemon)
            first.sendall(b"one")
            self.assertEqual(first.recv(3), b"ONE")
            self.assertEqual(self.client(daemon).recv(1), b"")
            daemon.wait_for("Connection refused: 1 are open, the most that may be")

    def test_fields(self) -> None:
        """Each part of a variant has its option, and what is served is said."""
        words = ("--variant", "v4", "--receive-size", "3", "--repeat", "2", "--delay", "0", "--messages", "1")
        with self.daemon(*words) as daemon:
            daemon.wait_for(r"Each client gets v4: recv\(3\), upper case × 2, send; once, then close")
            client = self.client(daemon)
            client.sendall(b"abc")
            came = b""
            while data := client.recv(100):
                came += data
            self.assertEqual(came, b"ABCABC")
        with self.daemon("--variant", "session", "--messages", "0") as daemon:
            client = self.client(daemon)
            for _ in range(3):
                client.sendall(b"abc")
                self.assertEqual(client.recv(100), b"ABC")

    def test_unread_at_the_close(self) -> None:
        """A server that closes before it has read everything says that this is a reset."""
        with self.daemon("--variant", "v4", "--delay", "0.2", "--receive-size", "3", "--messages", "1") as daemon:
            client = self.client(daemon)
            client.sendall(b"abcde")
            self.assertEqual(client.recv(10), b"ABC")
            daemon.wait_for("closed here after 3 bytes with 2 unread, which sends a RST")
            self.assertRaises(ConnectionResetError, client.recv, 1)

    def test_logs(self) -> None:
        """--log-json writes events with their fields; --no-request-log leaves messages out."""
        path = temporary_folder(self) / "log"
        with self.daemon("--variant", "v1", "--log-json", str(path)) as daemon:
            client = self.client(daemon)
            client.sendall(b"abc")
            client.recv(3)
            client.close()
            daemon.wait_for("Connection closed")
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        lengths = [(event["what"], event["length"]) for event in events if "length" in event]
        self.assertEqual(lengths, [("Got", 3), ("Sent", 3)])
        with self.daemon("--variant", "v1", "--no-request-log") as daemon:
            client = self.client(daemon)
            client.sendall(b"abc")
            client.recv(3)
            client.close()
            daemon.wait_for("Connection closed")
        self.assertNotIn("Got", daemon.log)

    def test_unix(self) -> None:
        """A UNIX socket is served alike, also when Nagle's algorithm is to be off, which it does not have."""
        path = temporary_folder(self) / "s"
        with self.daemon("--no-delay", listen=f"unix:{path}"), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"abc")
            self.assertEqual(client.recv(3), b"ABC")

    def test_bad_options(self) -> None:
        """What cannot start says so in one line and exits with 1."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for arguments, line in (
                (("--listen", f"tcp:{port}:interface=127.0.0.1"), "cannot listen on .*Address already in use"),
                (("--listen", "ssl:443"), r"--listen ssl:\.\.\. would hide the system calls"),
                (("--variant", "v9"), "--variant v9: one of session, v1, v2, v3, v4 belongs here"),
                (("--receive-size", "0"), "--receive-size 0: a whole number from 1 to 1,048,576"),
                (("--delay", "-1"), "--delay -1: seconds from 0 to 3,600"),
                (("--delay", "nan"), "--delay nan: seconds from 0 to 3,600"),
                (("--repeat", "1e3"), "--repeat 1e3: a whole number"),
                (("--messages", "two"), "--messages two: a whole number from 0"),
            ):
                ended = run_to_its_end(temporary_folder(self), "netlab-upper", *arguments)
                self.assertEqual(ended.returncode, 1, ended)
                self.assertRegex(ended.stderr, line)
                self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
