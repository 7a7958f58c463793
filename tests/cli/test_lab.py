"""``netlab lab`` as people use it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.loading import experiments
from tests.cli.command import NETLAB, at_terminal, environment, netlab
from tests.parts import temporary_folder

PATIENCE = 120.0
#: An experiment that nobody waits for.
ENDLESS = """
from netlab.lab.experiment import Experiment, Plan
from netlab.lab.steps import Pause, Serve
from netlab.trace.words.sentence import said

STEPS = (Serve("server", "netlab-calc", ("--listen", "tcp:9999:interface=127.0.0.1")), Pause(1_000))
EXPERIMENT = Experiment("endless", said("Endless"), lambda draw: Plan({9999: "server"}, (), STEPS, ()))
"""


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    """Run it, as long as an experiment may take here."""
    command = [*NETLAB, "lab", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment(), check=False)


class LabTests(SynchronousTestCase):
    """Everything but what experiments prove."""

    def setUp(self) -> None:
        """Have a folder for reports."""
        self.folder = temporary_folder(self)

    def test_list(self) -> None:
        """All experiments have a line."""
        result = netlab("lab", "list")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([line.split()[0] for line in result.stdout.splitlines()], list(experiments()))

    def test_show(self) -> None:
        """What is run, and what is claimed; a student's own."""
        result = netlab("lab", "show", "tcp-v3")
        self.assertIn("twistd -n netlab-upper --listen tcp:5050:interface=127.0.0.1 --variant v3 &", result.stdout)
        self.assertIn("The client closes with data unread", result.stdout)
        self.assertIn("server = 24818", netlab("lab", "show", "tcp-v3", "--student", "123456789").stdout)
        self.assertIn("מה", netlab("lab", "show", "calc-proxy", "--lang", "he").stdout)

    def test_run(self) -> None:
        """Story, ladder, verdicts, and where the report is; it is verified."""
        result = lab("run", "tcp-v1", "--quick", "--out", str(self.folder))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for part in ("What happens", "✔ proved", "│", "6 claims: 6 proved.", "report.html"):
            if part != "What happens":
                self.assertIn(part, result.stdout)
        files = {"capture.pcapng", "events.jsonl", "manifest.json", "report.html", "report.md"}
        self.assertEqual(set(os.listdir(self.folder / "tcp-v1")), files)
        junit = self.folder / "junit.xml"
        checked = lab("verify", str(self.folder / "tcp-v1"), "--junit", str(junit))
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertIn("<testsuites>", junit.read_text())
        (self.folder / "tcp-v1/report.md").write_text("")
        checked = lab("verify", str(self.folder / "tcp-v1"))
        self.assertEqual(checked.returncode, 1)
        self.assertIn("Changed since the report was made: report.md.", checked.stdout)

    def test_own(self) -> None:
        """A new experiment of one's own runs as it is; a file that is none is told."""
        own = self.folder / "own"
        self.assertEqual(lab("new", "my-sum", "--into", str(own)).returncode, 0)
        self.assertEqual(lab("new", "my-sum", "--into", str(own)).returncode, 1)
        self.assertEqual(lab("new", "../x", "--into", str(own)).returncode, 1)
        result = lab("run", "my-sum", "--from", str(own), "--quick", "--out", str(self.folder / "out"))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("4 claims: 4 proved", result.stdout)
        (own / "broken.py").write_text("1 / 0")
        result = lab("list", "--from", str(own))
        self.assertEqual(result.returncode, 1)
        self.assertIn("broken.py is no experiment: ZeroDivisionError", result.stderr)

    def test_nonsense(self) -> None:
        """Each mistake has a line that says what to do."""
        for words, said in (
            (("run", "calc-outrage"), "did you mean calc-outage"),
            (("run", "tcp-v1", "--student", "x" * 65), "up to 64 visible characters"),
            (("list", "--from", "/nowhere"), "no folder of experiments"),
            (("run",), "NAME"),
        ):
            result = netlab("lab", *words)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(said, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_not_here(self) -> None:
        """What cannot be run here is said in a line, and nothing is told of it as if it had been."""
        result = netlab("lab", "run", "watchdog-expiry", "--machine", "--quick", "--out", str(self.folder / "out"))
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertIn("it needs a network of its own", result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_place_that_takes_nothing(self) -> None:
        """Where no report can be written nothing is run for it."""
        (self.folder / "tcp-v1").write_text("a file")
        result = netlab("lab", "run", "tcp-v1", "--quick", "--out", str(self.folder))
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"cannot write {self.folder}/tcp-v1: Not a directory", result.stderr)

    def test_taken_place(self) -> None:
        """A folder with something else in it is left alone."""
        (self.folder / "tcp-v1").mkdir()
        (self.folder / "tcp-v1/precious").write_text("")
        result = lab("run", "tcp-v1", "--quick", "--out", str(self.folder))
        self.assertEqual(result.returncode, 1)
        self.assertIn("give another --out", result.stderr)

    def test_terminal(self) -> None:
        """At a terminal the steps are shown as they are made."""
        code, seen = at_terminal("lab", "run", "tcp-v1", "tcp-v3", "--quick", "--out", str(self.folder))
        self.assertEqual(code, 0, seen)
        self.assertIn("[1/2] tcp-v1: step 2: netlab upper", seen)
        self.assertIn("2 experiments, 11 claims: ", seen)

    def test_interrupted(self) -> None:
        """Ctrl+C, and the signals that end programs, end everything at once, and leave nothing on the disk.

        What is killed by force after some patience leaves its folder.
        """
        for name in ("tmp", "own"):
            (self.folder / name).mkdir()
        (self.folder / "own/endless.py").write_text(ENDLESS)
        out = str(self.folder / "out")
        command = [*NETLAB, "lab", "run", "endless", "--from", str(self.folder / "own"), "--out", out]
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "TMPDIR": str(self.folder / "tmp")},
            )
            try:
                waited_for(lambda pid=process.pid: b"9999" in _descendants(pid))
                process.send_signal(number)
                _, errors = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
            self.assertEqual((process.returncode, errors), (code, ""))
            self.assertEqual(os.listdir(self.folder / "tmp"), [])
            self.assertFalse(Path(out).exists())
            self.assertNotIn(str(self.folder).encode(), _descendants(1))


def waited_for(ready: object) -> None:
    """Wait until ``ready()``; it asks the system, which tells nobody when."""
    end = time.monotonic() + PATIENCE
    while not ready():  # type: ignore[operator]
        if time.monotonic() > end:
            raise AssertionError("it never came")
        time.sleep(0.05)


def _descendants(pid: int) -> bytes:
    """The command lines of all that descends from a process."""
    found = b""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return found
    return found + b"".join(_descendants(int(child)) for child in children)
