"""Standard streams that are missing, or take nothing: a line and an exit code, never a traceback."""

from __future__ import annotations

import subprocess

from twisted.trial.unittest import SynchronousTestCase

from tests.calc.peers import Server, ours
from tests.cli.command import NETLAB, PATIENCE, Result, environment
from tests.parts import temporary_folder


class StreamTests(SynchronousTestCase):
    """The command as a shell runs it, with redirections."""

    def setUp(self) -> None:
        """Have a server."""
        self.server = Server(ours)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def shell(self, words: str, **more: str) -> Result:
        """Run ``netlab`` with ``words``, which hold redirections; ``:PORT`` in them is the server's."""
        words = words.replace(":PORT", f":{self.server.port}")
        return subprocess.run(
            ["/bin/bash", "-c", f'"$@" {words}', "bash", *NETLAB],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=environment(**more),
        )

    def ends(self, words: str, code: int, errors: str = "", **more: str) -> None:
        """The command ends with this exit code and this on stderr."""
        result = self.shell(words, **more)
        self.assertEqual((result.stderr, result.returncode), (errors, code), words)

    def test_no_stdout(self) -> None:
        """What would go to a stdout that is closed is lost, and everything else is as ever."""
        self.ends("calc --connect :PORT 1+1 >&-", 0)
        self.ends("--help >&-", 0)
        self.ends("calc --connect :PORT 1/0 >&-", 1, "netlab calc: ZeroDivisionError: division by zero\n")

    def test_no_stderr(self) -> None:
        """Without a stderr the answer is there, and an error has its exit code."""
        result = self.shell("calc --connect :PORT 1+1 2>&-")
        self.assertIn("Result: 2\n", result.stdout)
        self.assertEqual(result.returncode, 0)
        for words in ("2>&-", "2>/dev/full"):
            self.ends(f"calc --connect :PORT 1/0 {words}", 1)

    def test_no_stdin(self) -> None:
        """Without a stdin there is nothing to ask, and the connection does not take its place."""
        self.ends("calc --connect :PORT - <&-", 1, "netlab calc: there is no expression in stdin\n")
        self.ends("calc --connect :PORT 1+1 <&- >&- 2>&-", 0)

    def test_full_disk(self) -> None:
        """A full disk is a line, wherever it is found out."""
        full = "netlab: the output cannot be written: No space left on device\n"
        for words in ("--help", "calc --help", "calc --connect :PORT 1+1", "calc --connect :PORT --json 1"):
            self.ends(f"{words} >/dev/full", 1, full)
        self.ends("calc --connect :PORT 1+1 >/dev/full", 1, full, PYTHONUNBUFFERED="1")

    def test_help_nobody_reads(self) -> None:
        """A reader who leaves before the help comes is no error."""
        self.ends("--help > >(exit) ; code=$?; exit $(( code == 141 ? 0 : code ))", 0)

    def test_unreadable(self) -> None:
        """What can be opened and not read is a failure."""
        folder = temporary_folder(self)
        error = f"netlab calc: {folder} cannot be read: Is a directory\n"
        self.ends(f"calc --connect :PORT --file {folder}", 1, error)

    def test_process_substitution(self) -> None:
        """A file may be a pipe."""
        result = self.shell("calc --connect :PORT --no-steps --file <(echo 7)")
        self.assertIn("Line 1: 7\n", result.stdout)
        self.assertEqual(result.returncode, 0)
