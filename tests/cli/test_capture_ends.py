"""How ``netlab capture`` ends: by the command's end, by signals, by a full disk, by an interface that goes away."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.capturing import free_port, read, require_right, talk, wait_for_head
from tests.cli.command import NETLAB, PATIENCE, environment, netlab
from tests.networks import Host
from tests.parts import missing, require_program, temporary_folder

#: Sends more than a small disk holds, tells its number, and would stay for ever.
_FLOOD = """
import os, pathlib, socket, sys, time
pathlib.Path(sys.argv[2]).write_text(str(os.getpid()))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sender.sendto(bytes(1000), ("127.0.0.1", int(sys.argv[1])))
    time.sleep(0.002)
"""


class EndTests(SynchronousTestCase):
    """The exit code, what stands on stderr, and what is left."""

    def setUp(self) -> None:
        """Have a place for a capture, and a port for a talk."""
        require_right()
        self.folder = temporary_folder(self)
        self.path = self.folder / "made.pcapng"
        self.port = free_port()

    def start(self, *words: str, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """A capture that has begun."""
        command = [*under, *NETLAB, "capture", "-w", str(self.path), *words]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for_head(self.path)
        return process

    def command(self, at_term: str) -> subprocess.Popen[str]:
        """A capture whose command does this when it is asked to end."""
        script = f"trap 'echo heard; {at_term}' TERM; echo ready; while :; do sleep 0.05; done"
        process = self.start("--port", str(self.port), "--", "sh", "-c", script)
        self.assertEqual(self.line(process), "ready\n")
        return process

    def line(self, process: subprocess.Popen[str]) -> str:
        """What the command says next."""
        assert process.stdout is not None
        return process.stdout.readline()

    def test_end_of_command(self) -> None:
        """Its exit code is ours, as a shell has it, also if a signal ended it; what it leaves running is left alone."""
        for code, line in ((0, ":"), (3, "exit 3"), (128 + 9, "kill -9 $$"), (0, "sleep 1000 >&- 2>&- & echo $!")):
            result = netlab("capture", "--port", str(self.port), "-w", str(self.path), "--", "sh", "-c", line)
            self.assertEqual(result.returncode, code, result)
            self.assertEqual(read(self.path)[1].file.dropped, 0)
        os.kill(int(result.stdout), signal.SIGKILL)

    def test_terminated(self) -> None:
        """SIGTERM ends the command, and so the capture, which is whole."""
        process = self.command("exit 9")
        process.send_signal(signal.SIGTERM)
        self.assertEqual((self.line(process), process.wait(PATIENCE)), ("heard\n", 9))
        self.assertEqual(read(self.path)[1].file.dropped, 0)

    def test_interrupted(self) -> None:
        """Ctrl+C is the command's own, which has it from the terminal; when it comes again, the command is ended."""
        process = self.command("exit 9")
        # Two that wait at once are one, so it is pressed until there is an end: by SIGTERM, or SIGKILL if that is late.
        for _ in range(int(PATIENCE)):
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
                break
        self.assertIn(process.returncode, (9, 128 + signal.SIGKILL))
        self.assertEqual(read(self.path)[1].file.dropped, 0)

    def test_deaf_command(self) -> None:
        """A command that goes on after SIGTERM is killed when it is asked again."""
        process = self.command(":")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.line(process), "heard\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGKILL)

    def test_full_device(self) -> None:
        """A file that takes nothing at all."""
        result = netlab("capture", "--port", str(self.port), "-w", "/dev/full", *talk(self.port))
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result)
        self.assertIn("cannot write the capture: No space left on device", result.stderr)

    def test_disk_that_fills(self) -> None:
        """A disk that fills ends capture and command with one line; what was written before can be read."""
        if os.geteuid() != 0:
            missing("a small disk needs root")
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run([require_program("mount"), "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)
        path, number = disk / "made.pcapng", self.folder / "number"
        result = netlab(
            *("capture", "--port", str(self.port), "-w", str(path)),
            *("--", sys.executable, "-c", _FLOOD, str(self.port), str(number)),
        )
        self.assertEqual(
            (result.returncode, result.stderr),
            (1, "netlab capture: cannot write the capture: No space left on device\n"),
        )
        self.assertFalse(Path("/proc", number.read_text()).exists())
        self.assertGreater(len(read(path)[0]), 10)

    def test_interface_goes_down(self) -> None:
        """The file is completed, and a line says why there is no more in it."""
        left, right = Host(self), Host(self)
        left.cable("here", right, "there")
        process = self.start("-i", "here", under=tuple(left.enter()))
        left.run("ip", "link", "set", "here", "down")
        _, said = process.communicate(timeout=PATIENCE)
        self.assertEqual(
            (process.returncode, said),
            (1, "netlab capture: the capture has ended: here went down, or is no more\n"),
        )
        self.assertEqual(read(self.path)[1].file.dropped, 0)
