"""``netlab capture`` with the real kernel: on the loopback, in a network of its own, by dumpcap, and refused."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.common.namespace import enter_own_network
from netlab.trace.facts import Packet, Segment
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from tests.cli.command import NETLAB, PATIENCE, environment, netlab
from tests.parts import missing, temporary_folder

#: Serves one client on the port it is given, and is that client too.
_TALK = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.sendall(b"question")
peer.sendall(peer.recv(99).upper())
client.recv(99)
client.close()
peer.recv(1)
peer.close()
sys.exit(int(sys.argv[2]))
"""


#: PR_SET_DUMPABLE.
_SET_DUMPABLE = 4


def require_right() -> None:
    """End this test where capturing is not allowed."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        missing("capturing needs root, or CAP_NET_RAW")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class CaptureTests(SynchronousTestCase):
    """Packets from the kernel."""

    def setUp(self) -> None:
        """Have a place for a capture, and a port for a talk."""
        self.path = temporary_folder(self) / "made.pcapng"
        self.port = free_port()

    def talk(self, code: int = 0) -> tuple[str, ...]:
        return "--", sys.executable, "-c", _TALK, str(self.port), str(code)

    def read(self) -> tuple[list[Packet], Trace]:
        trace = Trace(blocks_of(str(self.path)))
        packets = list(trace.packets())
        self.assertIsNone(trace.damage)
        return packets, trace

    def test_while_a_command_runs(self) -> None:
        """Each packet of the loopback once, in order, with the kernel's times; the exit code is the command's."""
        require_right()
        result = netlab("capture", "--port", str(self.port), "-w", str(self.path), *self.talk(7))
        self.assertEqual(result.returncode, 7, result)
        packets, trace = self.read()
        self.assertEqual(result.stderr, f"netlab capture: {len(packets)} packets on lo in {self.path}, none dropped\n")
        self.assertEqual(trace.file.dropped, 0)
        segments = [packet.transport for packet in packets if isinstance(packet.transport, Segment)]
        self.assertEqual(len(segments), len(packets))
        self.assertEqual([bytes(one.payload) for one in segments if one.length], [b"question", b"QUESTION"])
        self.assertEqual(sum(one.syn for one in segments), 2)
        self.assertEqual(sum(one.fin for one in segments), 2)
        self.assertFalse([flag for one in segments for flag in one.flags])
        times = [packet.time for packet in packets]
        self.assertEqual(times, sorted(times))
        self.assertTrue(any(time % 1_000 for time in times))

    def test_explained(self) -> None:
        """Without a file, and with --explain, packets are told as they come."""
        require_right()
        result = netlab("capture", "--port", str(self.port), *self.talk())
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("[SYN] Seq=0", result.stdout)
        self.assertIn(f"127.0.0.1:{self.port}", result.stdout)

    def test_to_another_program(self) -> None:
        """-w - is a capture on stdout."""
        require_right()
        command = [*NETLAB, "capture", "--port", str(self.port), "-w", "-", *self.talk()]
        made = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True, env=environment())
        self.path.write_bytes(made.stdout)
        self.assertGreaterEqual(len(self.read()[0]), 9)

    def test_until_interrupted(self) -> None:
        """Ctrl+C is how a capture ends: exit code 0, and the file is whole, even with nothing in it."""
        require_right()
        command = [*NETLAB, "capture", "--port", str(self.port), "-w", str(self.path)]
        for number in (signal.SIGINT, signal.SIGTERM):
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
                self.wait_for_head()
                process.send_signal(number)
                _, said = process.communicate(timeout=PATIENCE)
            self.assertEqual(
                (process.returncode, said), (0, f"netlab capture: 0 packets on lo in {self.path}, none dropped\n")
            )
            self.assertEqual(self.read()[0], [])
            self.path.unlink()

    def wait_for_head(self) -> None:
        """Wait until the capture has begun, which it has when its file has a head."""
        import time

        end = time.monotonic() + PATIENCE
        while not (self.path.exists() and self.path.stat().st_size):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_own_network(self) -> None:
        """In a network of its own there is a loopback, nothing else, and no other program's ports."""
        require_right()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
            result = netlab("capture", "--own-network", "-w", str(self.path), *self.talk())
            self.assertEqual(result.returncode, 0, result)
            self.assertGreaterEqual(len(self.read()[0]), 9)
        shown = netlab("capture", "--own-network", "-w", os.devnull, "--", "ls", "/sys/class/net/")
        self.assertEqual(shown.returncode, 0, shown)

    def test_full_disk(self) -> None:
        """A file that cannot be written any more ends the capture, with one line."""
        require_right()
        result = netlab("capture", "--port", str(self.port), "-w", "/dev/full", *self.talk())
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result)
        self.assertIn("cannot write the capture: No space left on device", result.stderr)

    def test_bad_wishes(self) -> None:
        """Each is one line that says what is wrong."""
        require_right()
        for words, code, said in (
            (("-i", "nope"), 1, "there is no interface 'nope'; there are: lo"),
            (("-i", "x" * 40), 1, "there is no interface"),
            (("--port", "0"), 2, "0 is not in the range"),
            (("--own-network",), 2, "--own-network needs a command"),
            (("-w", "-", "--explain"), 2, "not both"),
            (("-w", "/nowhere/x", "--", "true"), 1, "cannot write /nowhere/x: No such file or directory"),
            (("--", "no-such-program"), 1, "there is no program 'no-such-program' to run"),
        ):
            result = netlab("capture", *words)
            self.assertEqual((result.returncode, result.stderr.count("\n")), (code, 1), result)
            self.assertIn(said, result.stderr)


def _as_nobody(path: str) -> None:
    """Be an ordinary user, enter a network of one's own, and see that one may capture there."""
    os.setgroups([])
    os.setresgid(65_534, 65_534, 65_534)
    os.setresuid(65_534, 65_534, 65_534)
    # Whoever was root may not write its own /proc until this, which every program that is started has.
    ctypes.CDLL(None).prctl(_SET_DUMPABLE, 1)
    enter_own_network()
    names = [name for _, name in socket.if_nameindex()]
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    with socket.create_server(("127.0.0.1", 80)) as server:
        Path(path).write_text(f"{names} {os.getuid()} {server.getsockname()[1]}")


class NamespaceTests(SynchronousTestCase):
    """A network of one's own."""

    def test_ordinary_user(self) -> None:
        """Without any right a program gets one, stays who it was, and may capture there and take any port."""
        if os.geteuid() != 0:
            missing("becoming another user needs root")
        folder = temporary_folder(self)
        folder.chmod(0o777)
        process = multiprocessing.get_context("fork").Process(target=_as_nobody, args=(str(folder / "said"),))
        process.start()
        process.join(PATIENCE)
        self.assertEqual(process.exitcode, 0)
        self.assertEqual((folder / "said").read_text(), "['lo'] 65534 80")
