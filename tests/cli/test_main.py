"""The ``netlab`` command itself: its help, its table of commands, unknown ones, and what it imports."""

from __future__ import annotations

import re
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from netlab import __version__
from netlab.cli.main import COMMANDS, netlab, run
from tests.cli.command import netlab as command


class MainTests(SynchronousTestCase):
    """What comes before any command."""

    def test_help(self) -> None:
        """Every command has its line; nothing at all means help."""
        for words in ((), ("--help",)):
            result = command(*words)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            for name, entry in COMMANDS.items():
                self.assertRegex(result.stdout, rf"\n  {name} +{re.escape(entry.summary[:40])}")

    def test_table(self) -> None:
        """The table tells the truth: each command loads, has its name there, and its own help."""
        for name, entry in COMMANDS.items():
            loaded = entry.load()
            self.assertEqual(loaded.name, name)
            self.assertTrue(loaded.help or loaded.callback.__doc__)
            self.assertEqual(command(name, "--help").returncode, 0)

    def test_version(self) -> None:
        """The version is the package's."""
        self.assertEqual(command("--version").stdout, f"netlab, version {__version__}\n")

    def test_quick(self) -> None:
        """Help costs click and no more: no command, no Twisted, no rich, not even attrs is imported."""
        script = "import sys; from netlab.cli.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        loaded = {name.partition(".")[0] for name in result.stderr.split()}
        self.assertEqual(loaded & {"twisted", "rich", "attr", "attrs", "asyncio", "zope"}, set())
        self.assertNotIn("netlab.cli.calc", result.stderr.split())

    def test_unknown_command(self) -> None:
        """A slip of the finger is answered with what was meant, on one line."""
        result = command("clac")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(result.stderr, "netlab: no command 'clac'; did you mean calc? (see netlab --help)\n")
        self.assertIn(f"there are: {', '.join(sorted(COMMANDS))}", command("zzz").stderr)

    def test_unknown_option(self) -> None:
        """Bad usage is one line, too."""
        result = command("--bogus")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertEqual(result.stderr, "netlab: no option --bogus (see netlab --help)\n")
        self.assertEqual(command("--hlp").stderr, "netlab: no option --hlp; did you mean --help? (see netlab --help)\n")

    def test_option_without_value(self) -> None:
        """The line names the command whose help would help."""
        self.assertEqual(
            command("calc", "--connect").stderr,
            "netlab calc: option '--connect' requires an argument (see netlab calc --help)\n",
        )

    def test_fault_of_ours(self) -> None:
        """A bug is one line for its user, and a traceback for whoever asks for it."""

        def broken(*_: object, **__: object) -> None:
            raise KeyError("bug")

        script = "\n".join(
            (
                "import sys",
                "from netlab.cli import main",
                "main.netlab.main = lambda *_, **__: {}['bug']",
                "sys.exit(main.run([]))",
            )
        )
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "netlab: a fault of its own, KeyError: 'bug' (NETLAB_DEBUG=1 shows where)\n")
        self.patch(netlab, "main", broken)
        self.patch(__import__("os"), "environ", {"NETLAB_DEBUG": "1"})
        self.assertRaises(KeyError, run, [])
