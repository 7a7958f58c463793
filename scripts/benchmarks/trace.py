"""`scripts/bench trace`: how long `netlab trace` takes beside tshark on the same captures, and how much memory."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks.captures import write_capture
from benchmarks.figures import Findings, Goal
from benchmarks.machine import description, is_quiet
from benchmarks.speed import Say

#: Programs that are measured beside ours, and their Debian packages.
NEEDED = {"tshark": "tshark"}

_PACKETS, _CONVERSATIONS, _MANY, _FEW = 200_000, 2_000, 1_000_000, 30
#: Bytes of memory that the summary of a million packets may take.
_MEMORY = 200_000_000

_NETLAB = (str(Path(sys.executable).parent / "netlab"), "trace")
_FIELDS = ("frame.number", "tcp.stream", "tcp.seq", "tcp.ack", "tcp.len", "tcp.analysis.flags")


@frozen
class Race:
    """Two commands that do the same, or ours more: ours and tshark's, without the file that comes last.

    ``most`` is how much of tshark's time ours may take.
    """

    what: str
    ours: tuple[str, ...]
    tshark: tuple[str, ...]
    packets: int
    conversations: int
    most: float = 1.0


_RACES = (
    Race(
        "summary, to tshark -q -z conv,tcp",
        (*_NETLAB, "--summary"),
        ("tshark", "-n", "-q", "-z", "conv,tcp", "-r"),
        _PACKETS,
        _CONVERSATIONS,
    ),
    Race(
        "everything as JSON, to tshark -T fields with tcp.analysis.flags",
        (*_NETLAB, "--format", "json", "--no-programs"),
        ("tshark", "-n", "-T", "fields", *(word for name in _FIELDS for word in ("-e", name)), "-r"),
        _PACKETS,
        _CONVERSATIONS,
    ),
    Race(
        "the same with what the programs said",
        (*_NETLAB, "--format", "json"),
        ("tshark", "-n", "-T", "fields", *(word for name in _FIELDS for word in ("-e", name)), "-r"),
        _PACKETS,
        _CONVERSATIONS,
        1.3,
    ),
    Race("30 packets as text, to tshark", _NETLAB, ("tshark", "-n", "-r"), _FEW, 1),
)


def measure(rounds: int, say: Say) -> Findings:
    """Run each race ``rounds`` times, ours and tshark's in turn.

    :raises RuntimeError: tshark is not there, or one of the commands failed.
    """
    if shutil.which("tshark") is None:
        raise RuntimeError("tshark is not installed (on Debian: apt-get install tshark)")
    with TemporaryDirectory(prefix="netlab-bench-") as name:
        quiet = is_quiet()
        say(description() + ("" if quiet else ", busy with something else: ratios will say little"))
        goals = [_run(race, Path(name), rounds, say) for race in _RACES]
        goals.append(_memory(Path(name), say))
    words = f"{_PACKETS:,} TCP packets over {_CONVERSATIONS:,} conversations; whole processes, by the clock"
    return Findings(description(), quiet, words, goals=goals)


def _run(race: Race, folder: Path, rounds: int, say: Say) -> Goal:
    say(race.what)
    path = _capture(folder, race.packets, race.conversations)
    for command in (race.ours, race.tshark):
        _seconds(command, path)  # what is read for the first time is read from the disk
    pairs = [(_seconds(race.ours, path), _seconds(race.tshark, path)) for _ in range(rounds)]
    ratios = [ours / theirs for ours, theirs in pairs]
    ours, theirs = (median(column) for column in zip(*pairs, strict=True))
    reached = (
        f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), {ours * 1000:,.0f} of {theirs * 1000:,.0f} ms"
    )
    return Goal(race.what, f"at most {race.most:.2f} of its time", reached, median(ratios) <= race.most)


def _memory(folder: Path, say: Say) -> Goal:
    say(f"memory: the summary of {_MANY:,} packets")
    path = _capture(folder, _MANY, 10_000)
    command = [*_NETLAB, "--summary", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    most = usage.ru_maxrss * 1024
    what = f"memory for the summary of {_MANY:,} packets"
    return Goal(what, f"under {_MEMORY / 1e6:.0f} MB", f"{most / 1e6:.0f} MB", most < _MEMORY)


def _capture(folder: Path, packets: int, conversations: int) -> Path:
    path = folder / f"{packets}-{conversations}.pcap"
    return path if path.exists() else write_capture(path, packets, conversations)


def _seconds(command: Sequence[str], path: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [*command, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return time.perf_counter() - began
