"""Being an ordinary user: commands that run as nobody where the tests run as root, and as they are elsewhere."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from unittest import TestCase

from tests.parts import missing, require_program, temporary_folder

NOBODY = 65_534
PATIENCE = 30.0
_PROJECT = Path(__file__).parents[1]
_RIGHTS = "cap_net_raw,cap_net_admin+eip"


class OrdinaryUser:
    """Who has no right to anything but ``folder``; ``environment`` is theirs.

    The Python is that of the tests, or where nobody else may read that one, the system's with the same libraries.
    """

    def __init__(self, test: TestCase) -> None:
        self.folder = temporary_folder(test)
        self.folder.chmod(0o777)
        libraries = (str(_PROJECT), sysconfig.get_path("purelib"))
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(libraries),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._become: list[str] = []
        if os.geteuid() == 0:
            who = f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"
            # setpriv itself still may run what nobody else may; what it runs may not.
            self._become = [require_program("setpriv"), *who, "--", require_program("env")]
        self.python = self._a_python()

    def command(self, *words: str) -> list[str]:
        """The words that run ``words`` as this user."""
        return [*self._become, *words]

    def netlab(self, *words: str) -> list[str]:
        """The words that run ``netlab`` as this user."""
        return self.command(self.python, "-m", "netlab.cli.main", *words)

    def may_use_dumpcap(self) -> None:
        """Let this user run dumpcap: as packages do, by a copy with the rights that it needs."""
        dumpcap = require_program("dumpcap")
        if os.geteuid() == 0:
            programs = self.folder / "bin"
            programs.mkdir()
            copy = shutil.copy(dumpcap, programs / "dumpcap")
            given = subprocess.run([require_program("setcap"), _RIGHTS, copy], capture_output=True, check=False)
            if given.returncode:
                missing(f"a file cannot be given rights here: {given.stderr.decode().strip()}")
            self.environment["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
        elif self._run(dumpcap, "-L", "-i", "lo"):
            missing("this user may not run dumpcap")

    def may_not_use_dumpcap(self) -> None:
        """Let them find a dumpcap that the kernel refuses."""
        programs = self.folder / "bin"
        programs.mkdir()
        copy = Path(shutil.copyfile(require_program("dumpcap"), programs / "dumpcap"))
        copy.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        self.environment["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def _a_python(self) -> str:
        needed = "import netlab.cli.capture, twisted.internet.defer"
        for python in (sys.executable, "/usr/bin/python3"):
            if Path(python).exists() and not self._run(python, "-c", needed):
                return python
        return missing("there is no Python that an ordinary user may run")

    def _run(self, *words: str) -> int:
        done = subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, timeout=PATIENCE, check=False, cwd="/"
        )
        return done.returncode
