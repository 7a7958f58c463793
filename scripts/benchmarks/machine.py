"""What the machine has to have, and what it tells of its processes."""

import os
import platform
import resource
import shutil
import socket
from pathlib import Path

_NEEDED = {"gcc": "gcc libc6-dev", "redis-server": "redis-server"}


def missing_programs() -> list[str]:
    """A sentence for each program that a measurement needs and that is not installed."""
    return [
        f"{program} is not installed (on Debian: apt-get install {package})"
        for program, package in _NEEDED.items()
        if shutil.which(program) is None
    ]


def description() -> str:
    """The machine in a few words, for the head of a report."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}"


def free_port() -> int:
    """A TCP port on the loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def raise_file_limit(wanted: int) -> int:
    """Let this process, and those it starts, have ``wanted`` files open; how many it may have now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, wanted), hard):
        if soft >= wanted:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, limit), limit))
        except (OSError, ValueError):
            continue
        soft = min(wanted, limit)
    return soft


def resident_bytes(pid: int) -> int:
    """The resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()
