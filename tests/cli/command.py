"""Running the ``netlab`` command as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import IO

PATIENCE = 30.0

NETLAB = (sys.executable, "-m", "netlab.cli.main")

Result = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    """This environment without what decides on colour, and ``more``."""
    without = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "TERM"}}
    return {**without, "TERM": "xterm", **more}


def netlab(*words: str, stdin: str = "", **more: str) -> Result:
    """Run ``netlab`` with its output in pipes."""
    return subprocess.run(
        [*NETLAB, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment(**more),
    )


def at_terminal(*words: str, stdout: IO[bytes] | None = None, **more: str) -> tuple[int, str]:
    """Run ``netlab`` at a terminal, less its stdout if that is given; its exit code and all that the terminal got."""
    master, slave = os.openpty()
    command = [*NETLAB, *words]
    process = subprocess.Popen(command, stdin=slave, stdout=stdout or slave, stderr=slave, env=environment(**more))
    os.close(slave)
    seen = b""
    # The terminal of a process that has ended reads as an error.
    with contextlib.suppress(OSError):
        while data := os.read(master, 65_536):
            seen += data
    os.close(master)
    return process.wait(PATIENCE), seen.decode().replace("\r\n", "\n")


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Press Ctrl+C; the exit code, and what is on stderr."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors
