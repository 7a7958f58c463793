"""Daemons of ours, started as a user starts them: ``twistd -n netlab-…`` in a process of its own."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

#: How long a daemon may take to listen, or to stop, on a busy machine; only a broken one takes so long.
PATIENCE = 30.0

_LISTENS = re.compile(r"listens on (?:127\.0\.0\.1|\[::1\]):(\d+)")


class Daemon:
    """One running daemon; ``port`` is where it listens, ``log`` what it has said so far.

    Use it as a context manager: at the end it is stopped by SIGTERM and must exit with 0. ``under`` is a command that
    runs what follows it in its own process, such as ``strace -D``.
    """

    def __init__(self, folder: str | os.PathLike[str], name: str, *arguments: str, under: Sequence[str] = ()) -> None:
        self.log = ""
        pidfile = Path(folder).absolute() / f"{name}.pid"
        command = [*under, twistd(), "-n", "--pidfile", str(pidfile), name, *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=quiet_environment()
        )
        self.port = 0
        try:
            found = self.wait_for(_LISTENS if "tcp" in " ".join(arguments) else re.compile("listens on"))
        except BaseException:
            self.kill()
            raise
        self.port = int(found[1]) if found.re is _LISTENS else 0

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.kill()

    def wait_for(self, pattern: re.Pattern[str] | str) -> re.Match[str]:
        """Read the log until it has ``pattern``; `AssertionError` if it ends or takes too long."""
        pattern = re.compile(pattern)
        end = time.monotonic() + PATIENCE
        while not (found := pattern.search(self.log)):
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"no {pattern.pattern!r} in the log:\n{self.log}")
        return found

    def has_said(self, pattern: str) -> bool:
        """Whether the log has ``pattern`` by now."""
        self._read(0)
        return re.search(pattern, self.log) is not None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop, and see it exit with 0."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.wait()
        if code:
            raise AssertionError(f"it exited with {code}:\n{self.log}")

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        end = time.monotonic() + PATIENCE
        while self._read(end - time.monotonic()):
            pass
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Make sure that it is gone."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def memory(self) -> int:
        """Its resident memory in bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _read(self, seconds: float) -> bool:
        """Read what the log has next; whether there was any before time or the log ended."""
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], max(0.0, seconds))
        data = os.read(descriptor, 65_536) if ready else b""
        self.log += data.decode(errors="replace")
        return bool(data)


def run_to_its_end(
    folder: str | os.PathLike[str], name: str, *arguments: str, pidfile: str = ""
) -> subprocess.CompletedProcess[str]:
    """Start a daemon that is to refuse that; how it ended, and what it said."""
    return subprocess.run(
        [twistd(), "-n", "--pidfile", pidfile, name, *arguments],
        cwd=folder,
        env=quiet_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def twistd() -> str:
    """The twistd beside the Python that runs the tests."""
    return str(Path(sys.executable).with_name("twistd"))


def quiet_environment() -> dict[str, str]:
    """The environment for a daemon: what it prints is not held back."""
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
