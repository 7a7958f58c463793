"""``netlab trace`` as its user meets it."""

from __future__ import annotations

import contextlib
import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.command import NETLAB, environment, netlab
from tests.parts import temporary_folder
from tests.trace.frames import ACK, CONVERSATION, PSH, capture, there


class TraceCommandTests(SynchronousTestCase):
    """Files, formats, faults."""

    def setUp(self) -> None:
        """A capture."""
        self.folder = temporary_folder(self)
        self.path = self.write(
            "capture.pcapng", capture([*CONVERSATION[:4], there(PSH | ACK, 101, 501, b"hello"), *CONVERSATION[4:]])
        )

    def write(self, name: str, data: bytes) -> Path:
        """A file."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def test_text(self) -> None:
        """A line a packet, then the conversation."""
        found = netlab("trace", str(self.path))
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        lines = found.stdout.splitlines()
        self.assertEqual(len(lines[:11]), 11)
        self.assertIn("10.0.0.1:1000 → 10.0.0.2:80 TCP 0 [SYN] Seq=0", lines[0])
        self.assertIn("[TCP Retransmission: sequence=1, expected=6, of_frame=4, timeout=1.000 ms]", lines[4])
        self.assertIn("end: polite by 10.0.0.1:1000", found.stdout)

    def test_json(self) -> None:
        """One document, with all that docs/json-trace.md says."""
        found = netlab("trace", "--format", "json", str(self.path))
        document = json.loads(found.stdout)
        self.assertEqual(document["schema"], "netlab-trace/1")
        self.assertEqual([packet["number"] for packet in document["packets"]], list(range(1, 12)))
        fifth = document["packets"][4]
        self.assertEqual((fifth["tcp"]["flags"], fifth["tcp"]["length"]), ("PSH, ACK", 5))
        self.assertEqual(fifth["tcp"]["analysis"][0]["numbers"]["sequence"], 1)
        (conversation,) = document["conversations"]
        self.assertEqual((conversation["closing"]["cause"], conversation["completeness"]), ("polite", 31))
        self.assertIsNone(document["damage"])

    def test_summary(self) -> None:
        """A table, or a document."""
        self.assertIn("11 packets", netlab("trace", "--summary", str(self.path)).stdout)
        document = json.loads(netlab("trace", "--summary", "--format", "json", str(self.path)).stdout)
        self.assertEqual((document["schema"], document["packets"]), ("netlab-trace-summary/1", 11))
        self.assertEqual(document["conversations"][0]["packets"], [7, 4])

    def test_standard_input(self) -> None:
        """From a pipe, packed or not."""
        for data in (self.path.read_bytes(), gzip.compress(self.path.read_bytes())):
            done = subprocess.run(
                [*NETLAB, "trace", "-"], input=data, capture_output=True, env=environment(), check=True
            )
            self.assertEqual(done.stdout.decode().count(" TCP 0 "), 11)

    def test_live(self) -> None:
        """A line comes as soon as its packet does; after Ctrl+C the rest of the pipe is told, and the conversations."""
        process = subprocess.Popen(
            [*NETLAB, "trace", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
        )
        assert process.stdin is not None and process.stdout is not None
        with process:
            process.stdin.write(capture(CONVERSATION[:1]))
            process.stdin.flush()
            self.assertIn("[SYN]", process.stdout.readline().decode())
            process.send_signal(signal.SIGINT)
            process.stdin.close()
            self.assertIn("TCP conversation 0", process.stdout.read().decode())
        self.assertEqual(process.returncode, 0)

    def test_interrupted_twice(self) -> None:
        """A second Ctrl+C ends it although the pipe is open."""
        process = subprocess.Popen(
            [*NETLAB, "trace", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
        )
        assert process.stdin is not None and process.stdout is not None
        with process:
            process.stdin.write(capture(CONVERSATION[:1]))
            process.stdin.flush()
            process.stdout.readline()
            deadline = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < deadline:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
        self.assertEqual(process.returncode, 130)

    def test_damaged(self) -> None:
        """What is before the damage is shown, and one line says where it is."""
        whole = self.path.read_bytes()
        for words in ((), ("--summary",), ("--format", "json")):
            found = netlab("trace", *words, str(self.write("cut", whole[:-7])))
            self.assertEqual(found.returncode, 1)
            self.assertEqual(len(found.stderr.splitlines()), 1)
            self.assertIn("the file ends inside a block", found.stderr)
            self.assertRegex(found.stderr, r"at byte [\d,]+")
            self.assertTrue(found.stdout)

    def test_no_capture(self) -> None:
        """Files that are none are refused with a line each."""
        cases = {
            str(self.folder / "nowhere"): "No such file or directory",
            str(self.folder): "Is a directory",
            str(self.write("empty", b"")): "the file is empty",
            str(self.write("elf", b"\x7fELF" + bytes(100))): "7f 45 4c 46",
            str(self.write("a\x1b[31mb", b"junk")): "a\\x1b[31mb",
        }
        for path, words in cases.items():
            found = netlab("trace", path)
            self.assertEqual((found.returncode, len(found.stderr.splitlines())), (1, 1), path)
            self.assertIn(words, found.stderr)
            self.assertEqual(found.stderr.count("\x1b"), 0)

    def test_imports(self) -> None:
        """Neither Twisted nor rich nor Jinja2 is imported for it."""
        script = (
            "import sys; from netlab.cli.main import run; code = run(['trace', sys.argv[1]]);"
            "slow = {'twisted', 'rich', 'jinja2', 'asyncio'} & {name.partition('.')[0] for name in sys.modules};"
            "sys.exit(f'{code} {slow}' if code or slow else 0)"
        )
        command = [sys.executable, "-c", script, str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
