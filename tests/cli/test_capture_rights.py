"""``netlab capture`` for an ordinary user: by dumpcap, in a network of the command's own, or told what to do."""

from __future__ import annotations

import os
import signal
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.facts import Segment
from tests.cli.capturing import free_port, read, refused, talk, wait_for_head
from tests.cli.command import PATIENCE, Result
from tests.ordinary import OrdinaryUser
from tests.parts import missing


class OrdinaryUserTests(SynchronousTestCase):
    """Who has no right to capture."""

    def setUp(self) -> None:
        """Be somebody else."""
        self.user = OrdinaryUser(self)
        self.path = self.user.folder / "made.pcapng"
        self.port = free_port()

    def run_netlab(self, *words: str) -> Result:
        return subprocess.run(
            self.user.netlab(*words),
            env=self.user.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd="/",
        )

    def test_dumpcap(self) -> None:
        """Who may run dumpcap captures on the machine's own interfaces, until Ctrl+C."""
        self.user.may_use_dumpcap()
        command = self.user.netlab("capture", "--port", str(self.port), "-w", str(self.path), "--explain")
        with subprocess.Popen(
            command, env=self.user.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
        ) as process:
            wait_for_head(self.path)
            refused(self.port)
            assert process.stdout is not None
            self.assertIn("[SYN]", process.stdout.readline())
            process.send_signal(signal.SIGINT)
            told, said = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(said, f"netlab capture: 2 packets on lo in {self.path}, none dropped\n")
        self.assertIn("Summary", told)
        packets, trace = read(self.path)
        self.assertEqual([type(packet.transport) for packet in packets], [Segment, Segment])
        self.assertEqual(trace.file.dropped, 0)
        self.assertTrue(any(packet.time % 1_000 for packet in packets))

    def test_dumpcap_with_a_command(self) -> None:
        """A command then has the machine's network, not one of its own."""
        self.user.may_use_dumpcap()
        words = talk(self.port, 5, self.user.python)
        result = self.run_netlab("capture", "--port", str(self.port), "-w", str(self.path), *words)
        packets = read(self.path)[0]
        self.assertEqual(result.returncode, 5, result)
        self.assertEqual(
            result.stderr, f"netlab capture: {len(packets)} packets on lo in {self.path}, none dropped\n", result
        )

    def test_dumpcap_refuses(self) -> None:
        """An interface that is not there is one line, and no reason to go to a network of its own."""
        self.user.may_use_dumpcap()
        for words in ((), ("--", "true")):
            result = self.run_netlab("capture", "-i", "nope", "-w", str(self.path), *words)
            self.assertEqual(
                (result.returncode, result.stderr),
                (1, 'netlab capture: dumpcap: There is no device named "nope".\n'),
            )
        self.assertFalse(self.path.exists())

    def test_own_network(self) -> None:
        """Without dumpcap a command has a network of its own: it may take any port there, and ping."""
        self.user.may_not_use_dumpcap()
        result = self.run_netlab("capture", "-w", str(self.path), *talk(80, 5, self.user.python))
        if "no network of its own" in result.stderr:
            missing("this kernel has no user namespaces for everybody")
        packets = read(self.path)[0]
        self.assertEqual(result.returncode, 5, result)
        self.assertIn("without the right to capture here, COMMAND runs in a network of its own\n", result.stderr)
        self.assertIn(f"netlab capture: {len(packets)} packets on lo in {self.path}, none dropped\n", result.stderr)
        ping = self.user.python, "-m", "netlab.cli.main", "ping", "-c", "1", "127.0.0.1"
        pinged = self.run_netlab("capture", "--icmp", "-w", str(self.path), "--", *ping)
        self.assertEqual((pinged.returncode, len(read(self.path)[0])), (0, 2), pinged)
        other = self.run_netlab("capture", "-i", "eth9", "--", "true")
        self.assertIn("there is no interface 'eth9'; there are: lo, any", other.stderr)

    def test_no_way(self) -> None:
        """Without a command there is no way: one line says what to do."""
        if os.geteuid() == 0:
            self.user.may_not_use_dumpcap()
        result = self.run_netlab("capture")
        if os.geteuid() != 0 and not result.returncode:
            missing("this user may capture")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result)
        for words in ("become root", "dpkg-reconfigure wireshark-common", "-- COMMAND", "do not have permission"):
            self.assertIn(words, result.stderr)
