"""What the machine has to have, and what it tells of its processes."""

import os
import platform
import resource
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: A share of the machine that other programs may take before ratios suffer.
_QUIET = 0.06


def missing_programs(needed: Mapping[str, str]) -> list[str]:
    """A sentence for each program that is not installed; ``needed`` has the Debian package of each."""
    return [
        f"{program} is not installed (on Debian: apt-get install {package})"
        for program, package in needed.items()
        if shutil.which(program) is None
    ]


def description() -> str:
    """The machine in a few words, for the head of a report."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def is_quiet() -> bool:
    """Whether nothing else keeps the machine busy; a second's look."""
    return busy_share(1.0) <= _QUIET


def busy_share(seconds: float) -> float:
    """How much of all cores was in use during the next ``seconds``, 0 to 1."""
    before = _ticks()
    time.sleep(seconds)
    idle, total = (after - then for after, then in zip(_ticks(), before, strict=True))
    return 1 - idle / max(total, 1)


def _ticks() -> tuple[int, int]:
    """Ticks of idleness, waiting for disks included, and of everything, since the machine started."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


@contextmanager
def started_for(load: bool) -> Iterator[None]:
    """Programs started here stay on one core: the load generator on the first, what it asks on the last.

    Left to itself, the kernel now and then puts both on one core, where waking the other costs a fifth of what it
    costs across cores; a ratio then depends on which of the two programs had that luck.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores) if load else max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


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
    """The resident memory of a process, counted page by page (the cheaper ``statm`` is not exact)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kilobytes = next(line for line in rollup.splitlines() if line.startswith("Rss:")).split()[1]
    return int(kilobytes) * 1024


def open_files(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
