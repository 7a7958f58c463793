"""The programs that are measured: started on free ports of the loopback, stopped by their process ids."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks.machine import free_port, started_for

#: Seconds that a program may take to listen, and to end.
_PATIENCE = 10.0


@frozen
class Running:
    """A program that listens on ``port``."""

    name: str
    port: int
    pid: int


@contextmanager
def redis(folder: Path) -> Iterator[Running]:
    """A Redis server that writes nothing to the disk."""
    port = free_port()
    # Requests come from several addresses of the loopback; protected mode takes all but one of them for strangers.
    quiet = [
        "--protected-mode",
        "no",
        "--save",
        "",
        "--appendonly",
        "no",
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
        "--loglevel",
        "warning",
    ]
    with _started("redis-server", ["redis-server", "--port", str(port), *quiet], port, folder) as running:
        yield running


@contextmanager
def calculator(folder: Path, *options: str) -> Iterator[Running]:
    """``twistd -n netlab-calc`` with these options."""
    port = free_port()
    twistd = [str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile", str(folder / f"calc-{port}.pid")]
    command = [*twistd, "netlab-calc", "--listen", f"tcp:{port}:interface=127.0.0.1", *options]
    with _started("netlab-calc", command, port, folder) as running:
        yield running


@contextmanager
def memcached(folder: Path) -> Iterator[Running]:
    """Memcached with one thread, as Redis has one."""
    port = free_port()
    command = ["memcached", "-l", "127.0.0.1", "-p", str(port), "-t", "1", "-c", "4096", "-U", "0"]
    as_user = ["-u", "nobody"] if os.getuid() == 0 else []
    with _started("memcached", command + as_user, port, folder) as running:
        yield running


@contextmanager
def proxy(folder: Path, upstream: int, *options: str) -> Iterator[Running]:
    """``twistd -n netlab-proxy`` before an upstream on a port, with these options."""
    port = free_port()
    twistd = [str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile", str(folder / f"proxy-{port}.pid")]
    where = ["--listen", f"tcp:{port}:interface=127.0.0.1", "--upstream", f"tcp:127.0.0.1:{upstream}"]
    with _started("netlab-proxy", [*twistd, "netlab-proxy", *where, *options], port, folder) as running:
        yield running


@contextmanager
def beating_calculator(folder: Path) -> Iterator[tuple[Running, int]]:
    """The calculator in a process whose reactor is watched, and the port that tells of it (`benchmarks.heart`)."""
    port, heart = free_port(), free_port()
    command = [sys.executable, str(Path(__file__).with_name("heart.py")), str(port), str(heart)]
    with _started("watched calculator", command, port, folder) as running:
        yield running, heart


@contextmanager
def _started(name: str, command: list[str], port: int, folder: Path) -> Iterator[Running]:
    log = folder / f"{name.replace(' ', '-')}-{port}.log"
    with log.open("wb") as output, started_for(load=False):
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _wait_until_it_listens(name, process, port, log)
        yield Running(name, port, process.pid)
    finally:
        _stop(process)


def _wait_until_it_listens(name: str, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-2_000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
