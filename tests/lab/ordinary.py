"""A Python that an ordinary user may run: this one, or a system's of the same version that sees the same packages."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from unittest import TestCase

from tests.parts import missing, require_program, temporary_folder

NOBODY = "65534"
_PROGRAM = "#!{python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"


def become() -> list[str]:
    """The words before a command that nobody is to run; empty for who is an ordinary user already."""
    if os.geteuid() != 0:
        return []
    return [require_program("setpriv"), "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]


def python(test: TestCase) -> str:
    """Its path; beside it are ``netlab`` and ``twistd``. Where there is none the test ends."""
    for found in (sys.executable, *_others(test)):
        program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import netlab, twisted'], check=True)"
        asked = subprocess.run([*become(), found, "-c", program], capture_output=True, check=False, cwd="/")
        if asked.returncode == 0:
            return found
    return missing("there is no Python that another user may run")


def _others(test: TestCase) -> list[str]:
    """An environment around a system's Python of this version, if there is one."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    system = Path("/usr/bin") / name
    if not system.exists():
        return []
    folder = temporary_folder(test)
    folder.chmod(0o755)
    subprocess.run([system, "-m", "venv", "--without-pip", folder / "venv"], check=True, capture_output=True)
    packages = folder / "venv/lib" / name / "site-packages"
    project = Path(__file__).resolve().parents[2]
    (packages / "ours.pth").write_text(f"{project}\n{sysconfig.get_path('purelib')}\n")
    path = folder / "venv/bin/python"
    for program, module, function in (
        ("netlab", "netlab.cli.main", "main"),
        ("twistd", "twisted.scripts.twistd", "run"),
    ):
        script = path.with_name(program)
        script.write_text(_PROGRAM.format(python=path, module=module, function=function))
        script.chmod(0o755)
    return [str(path)]
