"""What our daemon and our client ask of the kernel, call by call."""

from __future__ import annotations

import subprocess

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.command import NETLAB, environment, netlab
from tests.daemons import PATIENCE, Daemon
from tests.parts import temporary_folder
from tests.upper.system_calls import Call, calls_of, strace

Row = tuple[str, int | None, int]


def rows(calls: list[Call]) -> list[Row]:
    """Names, sizes and results."""
    return [(call.name, call.size, call.result) for call in calls]


class SystemCallTests(SynchronousTestCase):
    """The servers and clients of protocols.md §2 as lists of system calls."""

    def setUp(self) -> None:
        """Have places for the traces."""
        folder = temporary_folder(self)
        self.server_trace, self.client_trace = folder / "server", folder / "client"

    def serve(self, *options: str, client: tuple[str, ...]) -> list[Call]:
        """What the daemon asks for while ``netlab upper`` plays ``client``."""
        listen = ("--listen", "tcp:0:interface=127.0.0.1")
        under = strace(self.server_trace)
        with Daemon(temporary_folder(self), "netlab-upper", *listen, *options, under=under) as daemon:
            played = netlab("upper", "--connect", f":{daemon.port}", *client)
            self.assertEqual((played.returncode, played.stderr), (0, ""))
            daemon.wait_for(r"Connection (closed|reset)")
        return calls_of(self.server_trace, "accept4")

    def play(self, *client: str, options: tuple[str, ...]) -> list[Call]:
        """What ``netlab upper`` asks for."""
        with Daemon(
            temporary_folder(self), "netlab-upper", "--listen", "tcp:0:interface=127.0.0.1", *options
        ) as daemon:
            command = [*strace(self.client_trace), *NETLAB, "upper", "--connect", f":{daemon.port}", *client]
            subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=PATIENCE)
        return calls_of(self.client_trace, "connect")

    def test_v2_server(self) -> None:
        """Five bytes are asked for at a time, each piece is answered before the next, Nagle's algorithm stays on."""
        calls = self.serve("--variant", "v2", client=("--variant", "v2", "--close", "half"))
        piece = [("recvfrom", 5, 5), ("sendto", 5, 5)]
        self.assertEqual(rows(calls), [*piece * 4, ("recvfrom", 5, 0), ("close", None, 0)])

    def test_no_delay(self) -> None:
        """Only --no-delay turns Nagle's algorithm off, before anything is sent."""
        calls = self.serve("--variant", "v1", "--no-delay", client=("--variant", "v1"))
        self.assertEqual(calls[0].name, "setsockopt")
        self.assertIn("TCP_NODELAY, [1]", calls[0].arguments)
        self.assertEqual([call.name for call in calls[1:]], ["recvfrom", "sendto", "recvfrom", "close"])

    def test_session_server(self) -> None:
        """After its second answer the server closes, and asks for nothing more."""
        calls = self.serve("--variant", "session", client=("--variant", "session"))
        wanted = [("recvfrom", 100, 35), ("sendto", 35, 35), ("recvfrom", 100, 20), ("sendto", 20, 20)]
        self.assertEqual(rows(calls), [*wanted, ("close", None, 0)])

    def test_v3_server(self) -> None:
        """The thousandfold answer is one send; the reset is an error of the next recv, and the close comes after it."""
        calls = self.serve("--variant", "v3", client=("--variant", "v3"))
        reset = ("recvfrom", 1024, -1)
        self.assertEqual(rows(calls), [("recvfrom", 1024, 13), ("sendto", 13_000, 13_000), reset, ("close", None, 0)])

    def test_v4_server(self) -> None:
        """A delay goes before every recv, the last empty one too, and nothing is asked meanwhile."""
        delay = 0.3
        options = ("--variant", "v4", "--delay", str(delay))
        calls = self.serve(*options, client=("--variant", "v4", "--close", "half"))
        self.assertEqual(
            rows(calls), [("recvfrom", 1024, 520), ("sendto", 520, 520), ("recvfrom", 1024, 0), ("close", None, 0)]
        )
        self.assertGreater(calls[2].when - calls[1].when, delay - 0.01)

    def test_v3_client(self) -> None:
        """It reads as often and as much as it says, and closes with no more ado."""
        calls = self.play("--variant", "v3", options=("--variant", "v3"))
        names = [(name, size, result) for name, size, result in rows(calls) if name != "setsockopt"]
        read = ("recvfrom", 1024, 1024)
        self.assertEqual(names, [("sendto", 13, 13), read, read, ("close", None, 0)])

    def test_v4_client(self) -> None:
        """It sends four times, reads once, and closes."""
        calls = self.play("--variant", "v4", options=("--variant", "v4", "--delay", "0.2"))
        sends = [("sendto", 130, 130)] * 4
        self.assertEqual(
            [row for row in rows(calls) if row[0] != "setsockopt"],
            [*sends, ("recvfrom", 1024, 520), ("close", None, 0)],
        )
        self.assertFalse([call for call in calls if "TCP_NODELAY" in call.arguments])
