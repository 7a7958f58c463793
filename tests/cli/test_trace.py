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

from tests.cli.command import NETLAB, Result, at_terminal, environment, netlab
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
        lines = [line for line in found.stdout.splitlines() if " → " in line]
        self.assertEqual(len(lines), 11)
        self.assertIn("10.0.0.1:1000 → 10.0.0.2:80  TCP [SYN] Seq=0", lines[0])
        self.assertIn("[TCP Retransmission]", lines[4])
        why = "packet 4, the oldest that no ACK has come for since, was sent 1.000 ms before."
        self.assertIn(why, _unwrapped(found))
        self.assertIn("The client closed first", _unwrapped(found))

    def test_formats(self) -> None:
        """Each format, by name or by the end of the output's name."""
        for name, beginning in (
            ("a.html", "<!DOCTYPE html>"),
            ("a.svg", "<svg "),
            ("a.md", "# The capture capture.pcapng"),
            ("a.mmd", "sequenceDiagram"),
            ("a.json", '{"schema"'),
            ("a.txt", "     1      0.000000"),
        ):
            out = self.folder / name
            found = netlab("trace", str(self.path), "-o", str(out))
            self.assertEqual((found.returncode, found.stdout, found.stderr), (0, "", ""))
            self.assertTrue(out.read_text("utf-8").startswith(beginning), name)
        shown = netlab("trace", str(self.path), "--format", "md", "--roles", "80=<b>")
        self.assertIn("&lt;b&gt;", shown.stdout)

    def test_languages(self) -> None:
        """The locale's, unless another is asked for."""
        for words, variables, expected in (
            ((), {"LC_ALL": "C"}, "Summary"),
            ((), {"LC_ALL": "he_IL.UTF-8"}, "סיכום"),
            ((), {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "fr_FR.UTF-8"}, "Summary"),
            (("--lang", "en"), {"LC_ALL": "he_IL.UTF-8"}, "Summary"),
            (("--lang", "he"), {}, "סיכום"),
        ):
            self.assertIn(expected, netlab("trace", *words, str(self.path), PYTHONUTF8="1", **variables).stdout)
        summary = netlab("trace", "--summary", "--lang", "he", str(self.path), PYTHONUTF8="1").stdout
        self.assertIn("חבילות", summary)

    def test_choosing(self) -> None:
        """By a filter, by conversations, by both; in JSON too."""
        found = netlab("trace", str(self.path), "--filter", "data and from 10.0.0.2")
        self.assertEqual([line.split()[0] for line in found.stdout.splitlines() if " → " in line], ["7"])
        found = netlab("trace", str(self.path), "--conversation", "1", "--format", "json")
        document = json.loads(found.stdout)
        self.assertEqual((document["packets"], document["conversations"]), ([], []))
        found = netlab("trace", str(self.path), "--conversation", "1")
        self.assertEqual(found.stdout, "\nSummary\n  Of the file's 11 packets none was chosen.\n")
        found = netlab("trace", str(self.path), "--conversation", "0", "--filter", "syn", "--format", "json")
        document = json.loads(found.stdout)
        self.assertEqual((len(document["packets"]), len(document["conversations"])), (2, 1))

    def test_misuse(self) -> None:
        """What cannot be done is said in one line; a terminal is shown where a filter is wrong."""
        for words, code, said in (
            (("--filter", "prot 80"), 1, "did you mean port"),
            (("--roles", "80"), 2, "is no PORT=NAME"),
            (("--roles", "99999=x"), 2, "no port from 0 to 65535"),
            (("--summary", "--filter", "tcp"), 2, "leave --filter and --conversation out"),
            (("--summary", "--format", "html"), 2, "--summary is text or json"),
            (("-o", str(self.path)), 1, "is the capture itself"),
            (("-o", str(self.folder / "no/where")), 1, "No such file or directory"),
            (("--format", "pdf"), 2, "'pdf' is not one of"),
            (("--lang", "fr"), 2, "'fr' is not one of"),
        ):
            found = netlab("trace", str(self.path), *words)
            self.assertEqual((found.returncode, found.stdout, len(found.stderr.splitlines())), (code, "", 1), words)
            self.assertIn(said, found.stderr)
        code, seen = at_terminal("trace", str(self.path), "--filter", "tcp and prot 80")
        self.assertEqual(code, 1)
        self.assertIn("\ntcp and prot 80\n        ^", seen)
        self.assertTrue(self.path.read_bytes())

    def test_nothing_is_ruined(self) -> None:
        """A capture that cannot be read leaves the output as it was."""
        out = self.write("report.html", b"before")
        self.assertEqual(netlab("trace", str(self.write("elf", b"\x7fELF")), "-o", str(out)).returncode, 1)
        self.assertEqual(out.read_bytes(), b"before")

    def test_terminal(self) -> None:
        """Colour at a terminal, through the reader's own pager; plain where that is not wanted."""
        code, seen = at_terminal("trace", str(self.path), PAGER="cat")
        self.assertEqual(code, 0)
        self.assertIn("\x1b[33m", seen)
        self.assertIn("Summary", seen)
        _, seen = at_terminal("trace", str(self.path), "--no-pager", NO_COLOR="1", PAGER="false")
        self.assertNotIn("\x1b", seen)
        self.assertIn("Summary", seen)

    def test_progress(self) -> None:
        """A bar shows on stderr at a terminal if reading takes long, and is gone in the end."""
        path = self.write("long.pcapng", capture(list(CONVERSATION) * 5_000))
        with open(self.folder / "out", "wb") as out:
            code, seen = at_terminal("trace", str(path), "--format", "json", stdout=out)
        self.assertEqual(code, 0)
        self.assertIn("━", seen)

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
            self.assertEqual(done.stdout.decode().count(" TCP ["), 11)

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
                    process.wait(1.0)
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


def _unwrapped(found: Result) -> str:
    """The output as one line."""
    return " ".join(found.stdout.split())
