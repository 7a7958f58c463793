"""``netlab capture --explain``: the microscope's own sentences, while the capture goes on."""

from __future__ import annotations

import os
import signal
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.capturing import free_port, read, read_until, refused, require_right, talk, wait_for_head
from tests.cli.command import NETLAB, PATIENCE, Result, environment, netlab
from tests.parts import temporary_folder


class ExplainedTests(SynchronousTestCase):
    """What is told on stdout."""

    def setUp(self) -> None:
        """Have a place for a capture, and a port for a talk."""
        require_right()
        self.path = temporary_folder(self) / "made.pcapng"
        self.port = free_port()

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A capture of our port that has begun, with its output in a pipe."""
        command = [*NETLAB, "capture", "--port", str(self.port), "-w", str(self.path), "--explain", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for_head(self.path)
        return process

    def traced(self, *words: str) -> Result:
        return netlab("trace", str(self.path), *words)

    def test_live(self) -> None:
        """A packet's sentences come through a pipe before there is another; after Ctrl+C, conversations and summary."""
        process = self.start()
        for frame in (1, 3):
            refused(self.port)
            said = read_until(process, f"That acknowledges packet {frame}, ")
            self.assertIn("The client asks for a connection: SYN.", said)
            self.assertIn(f"RST instead of SYN and ACK. As a rule no program listens on port {self.port}.", said)
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, errors)
        for heading in ("\nLadder\n", "\nTCP conversation 1: ", "The server refused the connection", "\nSummary\n"):
            self.assertIn(heading, rest.decode())

    def test_as_the_file_is(self) -> None:
        """In both languages the report is what `netlab trace -` makes of the file."""
        roles = "--roles", f"{self.port}=upper"
        for lang in ("en", "he"):
            words = "capture", "--port", str(self.port), "-w", str(self.path), "--explain"
            result = netlab(*words, "--lang", lang, *roles, *talk(self.port))
            self.assertEqual(result.returncode, 0, result)
            with self.path.open("rb") as stream:
                command = [*NETLAB, "trace", "-", "--lang", lang, *roles]
                later = subprocess.run(
                    command, stdin=stream, stdout=subprocess.PIPE, timeout=PATIENCE, check=True, env=environment()
                )
            self.assertEqual(result.stdout, later.stdout.decode())
            self.assertGreater(result.stdout.count("\n"), 40)

    def test_language_of_the_locale(self) -> None:
        """Without --lang it is that of the locale."""
        result = netlab("capture", "--port", str(self.port), *talk(self.port), LC_ALL="he_IL.UTF-8", PYTHONUTF8="1")
        self.assertIn("סיכום", result.stdout)

    def test_nothing_captured(self) -> None:
        """A capture without packets is told, too."""
        result = netlab("capture", "--port", str(self.port), "--", "true")
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("Summary", result.stdout)
        self.assertEqual(result.stderr, "netlab capture: 0 packets on lo, none dropped\n")

    def test_reader_leaves(self) -> None:
        """When nobody reads any more the capture ends, as whoever writes into such a pipe does; so does COMMAND."""
        process = self.start("--", "sleep", "1000")
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        refused(self.port)
        self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGPIPE, process.stderr.read())
        self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(self.traced().returncode, 0)

    def test_full_output(self) -> None:
        """Where no more can be written, one line says so, and the file has its packets."""
        with open("/dev/full", "wb") as full:
            command = [
                *NETLAB,
                "capture",
                "--port",
                str(self.port),
                "-w",
                str(self.path),
                "--explain",
                *talk(self.port),
            ]
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE, check=False, env=environment()
            )
        self.assertEqual(
            (done.returncode, done.stderr), (1, b"netlab: the output cannot be written: No space left on device\n")
        )
        self.assertIn("127.0.0.1", self.traced().stdout)

    def test_interrupted_twice(self) -> None:
        """With the output stuck in a pipe that nobody reads, the first Ctrl+C ends the capture, the second the rest."""
        reader, write = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(write, False)
        while True:
            try:
                os.write(write, bytes(4_096))
            except BlockingIOError:
                break
        os.set_blocking(write, True)
        command = [*NETLAB, "capture", "--port", str(self.port), "-w", str(self.path), "--explain"]
        with subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE, env=environment()) as process:
            os.close(write)
            wait_for_head(self.path)
            refused(self.port)
            process.send_signal(signal.SIGINT)
            self.wait_for_end()
            while process.poll() is None:
                process.send_signal(signal.SIGINT)
                signal.sigtimedwait([], 0.05)
            self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertIn("2 packets", self.traced().stdout)

    def wait_for_end(self) -> None:
        """Wait until the file has the kernel's count, which comes last."""
        for _ in range(int(PATIENCE / 0.02)):
            if read(self.path)[1].file.dropped is not None:
                return
            signal.sigtimedwait([], 0.02)
        self.fail("the capture does not end")
