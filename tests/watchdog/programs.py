"""Programs for a watchdog to watch, in processes of their own, and what became of processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest import TestCase

from netlab.watchdog.processes import read_process
from tests.daemons import PATIENCE, quiet_environment

#: Speaks to a watchdog as the lab's C programs did: sys.argv is where (a port, or a path), then what to do: bytes in
#: hex to send, ``wait SECONDS``, ``fork`` (a child that sleeps), ``deaf`` (to SIGTERM), ``hang``.
_SCRIPT = """
import signal, socket, subprocess, sys, time
where, *orders = sys.argv[1:]
if where.isdigit():
    connection = socket.create_connection(("127.0.0.1", int(where)))
else:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(where)
for order in orders:
    what, _, value = order.partition(" ")
    if what == "wait":
        time.sleep(float(value))
    elif what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif what == "fork":
        print("child", subprocess.Popen(["sleep", "600"]).pid, flush=True)
    elif what == "hang":
        print("hanging", flush=True)
        time.sleep(600)
    else:
        connection.sendall(bytes.fromhex(what))
"""


class Client:
    """A program under way; use it as a context manager, and nothing of it stays."""

    def __init__(self, where: int | str | Path, *orders: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, str(where), *orders],
            stdout=subprocess.PIPE,
            text=True,
            env=quiet_environment(),
        )
        self.children: list[int] = []

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def hangs(self) -> None:
        """Wait until it has done all it was told, and hangs."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            what, _, value = line.partition(" ")
            if what == "hanging\n":
                return
            self.children.append(int(value))
        raise AssertionError(f"it ended with {self.process.wait()}")

    def wait(self) -> int:
        """Its exit status, minus a signal's number if it died of one."""
        return self.process.wait(PATIENCE)


def lives(pid: int) -> bool:
    """Whether there is a process of that number that can still do anything."""
    process = read_process(pid)
    return process is not None and process.lives


def assert_gone(test: TestCase, pid: int) -> None:
    """That process ends, if it has not yet."""
    end = time.monotonic() + PATIENCE
    while lives(pid):
        test.assertLess(time.monotonic(), end, f"process {pid} is still there")
        time.sleep(0.01)
