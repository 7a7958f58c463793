"""``netlab capture`` with the real kernel: on the loopback, in a network of its own, and refused."""

from __future__ import annotations

import contextlib
import ctypes
import io
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.main import run
from netlab.common.namespace import enter_own_network
from netlab.trace.capturing.socket_owners import program_name
from netlab.trace.facts import Segment
from netlab.trace.link import COOKED2
from tests.cli.capturing import free_port, read, require_right, talk, wait_for_head
from tests.cli.command import NETLAB, PATIENCE, environment, netlab
from tests.parts import missing, temporary_folder

#: One datagram to where nobody listens, which ICMP says, and then a connection that is refused; all by IPv6.
_EVERYTHING = """
import socket, sys
place = "::1", int(sys.argv[1])
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
    sender.sendto(b"anybody?", place)
with socket.socket(socket.AF_INET6) as client:
    client.connect_ex(place)
"""

#: PR_SET_DUMPABLE.
_SET_DUMPABLE = 4


class CaptureTests(SynchronousTestCase):
    """Packets from the kernel."""

    def setUp(self) -> None:
        """Have a place for a capture, and a port for a talk."""
        self.path = temporary_folder(self) / "made.pcapng"
        self.port = free_port()

    def talk(self, code: int = 0) -> tuple[str, ...]:
        return talk(self.port, code)

    def test_while_a_command_runs(self) -> None:
        """Each packet of the loopback once, in order, with the kernel's times; the exit code is the command's."""
        require_right()
        result = netlab("capture", "--port", str(self.port), "-w", str(self.path), *self.talk(7))
        self.assertEqual(result.returncode, 7, result)
        packets, trace = read(self.path)
        self.assertEqual(result.stderr, f"netlab capture: {len(packets)} packets on lo in {self.path}, none dropped\n")
        self.assertEqual(trace.file.dropped, 0)
        segments = [packet.transport for packet in packets if isinstance(packet.transport, Segment)]
        self.assertEqual(len(segments), len(packets))
        self.assertEqual([bytes(one.payload) for one in segments if one.length], [b"question", b"QUESTION"])
        self.assertEqual(sum(one.syn for one in segments), 2)
        self.assertEqual(sum(one.fin for one in segments), 2)
        self.assertFalse([flag for one in segments for flag in one.flags])
        self.assertEqual(trace.file.interfaces[0].filter, f"port {self.port}")
        times = [packet.time for packet in packets]
        self.assertEqual(times, sorted(times))
        self.assertTrue(any(time % 1_000 for time in times))

    def test_to_another_program(self) -> None:
        """-w - is a capture on stdout, and nothing else: what the command says is on stderr."""
        require_right()
        command = [*NETLAB, "capture", "--port", str(self.port), "-w", "-", *talk(self.port)]
        command[-3] = f"print('spoken', flush=True)\n{command[-3]}"
        made = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True, env=environment())
        self.path.write_bytes(made.stdout)
        self.assertGreaterEqual(len(read(self.path)[0]), 9)
        self.assertTrue(made.stderr.startswith(b"spoken\nnetlab capture: "), made.stderr)

    def test_everywhere(self) -> None:
        """-i any sees each packet of the loopback once, too; with IPv6, and with ICMP beside a port."""
        require_right()
        words = "--own-network", "--port", str(self.port), "--icmp", "-i", "any", "-w", str(self.path)
        result = netlab("capture", *words, "--", sys.executable, "-c", _EVERYTHING, str(self.port))
        self.assertEqual(result.returncode, 0, result)
        packets = read(self.path)[0]
        self.assertEqual([packet.link_type for packet in packets], [COOKED2] * 4)
        self.assertEqual([packet.protocol for packet in packets], ["UDP", "ICMPv6", "TCP", "TCP"])

    def test_names(self) -> None:
        """A connection's first packet names the programs at both ends, if they are there a moment longer."""
        require_right()
        with socket.create_server(("127.0.0.1", self.port)) as server:
            process = subprocess.Popen(
                [*NETLAB, "capture", "--port", str(self.port), "-w", str(self.path)], stderr=subprocess.PIPE
            )
            wait_for_head(self.path)
            with socket.create_connection(server.getsockname()) as client:
                while len(read(self.path)[0]) < 3:
                    signal.sigtimedwait([], 0.02)
                address, port = client.getsockname()
                interrupted_code = process.poll()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        self.assertIsNone(interrupted_code)
        name = f"{program_name(Path('/proc/self'))}[{os.getpid()}]"
        first, *others = read(self.path)[0]
        self.assertEqual(first.comments, (f"{address}:{port} = {name}", f"127.0.0.1:{self.port} = {name}"))
        self.assertEqual([packet.comments for packet in others], [()] * len(others))

    def test_dropped(self) -> None:
        """What the kernel had no room for is counted, in the file and at the end."""
        require_right()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.bind(("127.0.0.1", 0))
            port = flood.getsockname()[1]
            process = subprocess.Popen(
                [*NETLAB, "capture", "--port", str(port), "-w", str(self.path)], stderr=subprocess.PIPE, text=True
            )
            wait_for_head(self.path)
            process.send_signal(signal.SIGSTOP)
            for _ in range(300):
                flood.sendto(bytes(60_000), flood.getsockname())
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=PATIENCE)
        packets, trace = read(self.path)
        assert trace.file.dropped is not None
        self.assertEqual(len(packets) + trace.file.dropped, 300)
        self.assertGreater(trace.file.dropped, 100)
        self.assertIn(f"{len(packets)} packets on lo in {self.path}, {trace.file.dropped} more dropped by", said)

    def test_until_interrupted(self) -> None:
        """Ctrl+C is how a capture ends: exit code 0, and the file is whole, even with nothing in it."""
        require_right()
        command = [*NETLAB, "capture", "--port", str(self.port), "-w", str(self.path)]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
                wait_for_head(self.path)
                process.send_signal(number)
                _, said = process.communicate(timeout=PATIENCE)
            self.assertEqual(
                (process.returncode, said), (0, f"netlab capture: 0 packets on lo in {self.path}, none dropped\n")
            )
            self.assertEqual(read(self.path)[0], [])
            self.path.unlink()

    def test_own_network(self) -> None:
        """In a network of its own there is a loopback, nothing else, and no other program's ports."""
        require_right()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
            result = netlab("capture", "--own-network", "-w", str(self.path), *self.talk())
            self.assertEqual(result.returncode, 0, result)
            self.assertGreaterEqual(len(read(self.path)[0]), 9)
        shown = netlab("capture", "--own-network", "-w", os.devnull, "--", "ls", "/sys/class/net/")
        self.assertEqual(shown.returncode, 0, shown)

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
            (("-w", "", "--", "true"), 2, "-w needs the name of a file"),
            (("--roles", "x", "--", "true"), 2, "--roles: 'x' is no PORT=NAME"),
            ([word for port in range(1, 50) for word in ("--port", str(port))], 2, "--port can be given 48 times"),
        ):
            errors = io.TextIOWrapper(io.BytesIO(), write_through=True)
            with contextlib.redirect_stderr(errors):
                self.assertEqual(run(["capture", *words]), code)
            (line,) = errors.buffer.getvalue().decode().splitlines()
            self.assertIn(said, line)

    def test_nothing_lost(self) -> None:
        """A file that is there already is not touched by a capture that cannot begin."""
        require_right()
        self.path.write_text("precious")
        for words in (("-i", "nope"), ("--", "no-such-program")):
            self.assertEqual(netlab("capture", "-w", str(self.path), *words).returncode, 1)
            self.assertEqual(self.path.read_text(), "precious")

    def test_not_a_program(self) -> None:
        """A file that the kernel cannot run is one line, too."""
        require_right()
        script = self.path.with_name("script")
        script.write_text("echo without a first line that names an interpreter\n")
        script.chmod(0o755)
        result = netlab("capture", "-w", os.devnull, "--", str(script))
        self.assertEqual(result.stderr, f"netlab capture: cannot run {script}: Exec format error\n")


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
        pinging = Path("/proc/sys/net/ipv4/ping_group_range").read_text().split()
        Path(path).write_text(f"{names} {os.getuid()} {server.getsockname()[1]} {pinging}")


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
        self.assertEqual((folder / "said").read_text(), "['lo'] 65534 80 ['65534', '65534']")
