"""The unit files in ``docs/systemd``: one for each daemon, and sound by systemd's own word."""

import ast
import re
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.parts import require_program

ROOT = Path(__file__).resolve().parent.parent
UNITS = ROOT / "docs" / "systemd"


def daemons() -> set[str]:
    """The names under which twistd finds our daemons."""
    tree = ast.parse((ROOT / "twisted/plugins/netlab_plugins.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {str(ast.literal_eval(call.args[-1])) for call in calls}


class UnitTests(SynchronousTestCase):
    """What systemd is told of each daemon."""

    def test_each(self) -> None:
        """Every daemon has its unit, which starts it and no other, and waits for it to say that it is ready."""
        self.assertTrue(daemons())
        for daemon in daemons():
            text = (UNITS / f"{daemon}.service").read_text("utf-8")
            self.assertRegex(text, rf"(?m)^ExecStart=.* twistd -n --pidfile= {daemon}( |$)")
            self.assertRegex(text, r"(?m)^Type=notify$")
            self.assertRegex(text, r"(?m)^NoNewPrivileges=yes$")

    def test_watchdog_needs_its_clock(self) -> None:
        """Only daemons whose timers do not follow the system's clock promise signs of life."""
        promising = {
            path.stem for path in UNITS.glob("*.service") if re.search(r"(?m)^WatchdogSec=", path.read_text("utf-8"))
        }
        self.assertEqual(promising, {"netlab-ping", "netlab-watchdog"})

    def test_sound(self) -> None:
        """Systemd itself finds nothing to complain of."""
        program = require_program("systemd-analyze")
        for path in sorted(UNITS.glob("*.service")):
            result = subprocess.run([program, "verify", str(path)], capture_output=True, text=True, check=False)
            complaints = [line for line in result.stderr.splitlines() if path.name in line]
            self.assertEqual((result.returncode, complaints), (0, []), path.name)
