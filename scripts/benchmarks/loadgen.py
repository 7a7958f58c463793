"""The load generator: built once from `loadgen.c`, then run for every figure."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from attrs import frozen

from benchmarks.machine import started_for

_SOURCE = Path(__file__).with_name("loadgen.c")


@frozen
class Shape:
    """How requests come: over how many connections at once, how many ahead of their answers.

    ``new`` says that every connection carries one round of requests and makes place for another.
    """

    connections: int
    depth: int = 1
    new: bool = False

    @property
    def words(self) -> str:
        """The shape as a table says it."""
        if self.new:
            return f"a new connection each, {self.connections} at once"
        plural = "s" if self.connections > 1 else ""
        return f"{self.connections} connection{plural}" + (f", pipelined by {self.depth}" if self.depth > 1 else "")


@frozen
class Load:
    """What one run gave. Times in microseconds are from sending a request to having its whole answer.

    ``connect_ms`` is how long it took until all connections, opened at once, were there.
    """

    requests: int
    errors: int
    conn_errors: int
    rps: float
    p50_us: float
    p99_us: float
    max_us: float
    connect_ms: float

    @property
    def failed(self) -> int:
        """Requests that got no answer or a wrong one, and connections that broke."""
        return self.errors + self.conn_errors

    @classmethod
    def of(cls, line: str) -> Self:
        """Read the generator's line of ``key=value``."""
        values = dict(part.split("=") for part in line.split())
        whole = [int(values[name]) for name in ("requests", "errors", "conn_errors")]
        return cls(*whole, *(float(values[name]) for name in ("rps", "p50_us", "p99_us", "max_us", "connect_ms")))


@frozen
class Generator:
    """The program, ready to run."""

    program: Path

    @classmethod
    def build(cls, folder: Path) -> Self:
        """Compile it into ``folder``."""
        program = folder / "loadgen"
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", program, _SOURCE], check=True)
        return cls(program)

    def start(self, port: int, requests: Path, shape: Shape, seconds: float, answers: str) -> "subprocess.Popen[str]":
        """Begin a run; `finish` has its result. ``answers`` is ``calc``, ``any`` or ``fixed:BYTES``."""
        mode = "newconn" if shape.new else "keepalive"
        words = ["127.0.0.1", port, requests, shape.connections, shape.depth, seconds, mode, answers]
        with started_for(load=True):
            return subprocess.Popen([self.program, *map(str, words)], stdout=subprocess.PIPE, text=True)

    def run(self, port: int, requests: Path, shape: Shape, seconds: float, answers: str) -> Load:
        """One run, from begin to end."""
        return finish(self.start(port, requests, shape, seconds, answers))


def finish(running: "subprocess.Popen[str]") -> Load:
    """Wait for a run and read its result.

    :raises RuntimeError: the generator itself failed, and has said why.
    """
    with running:
        output, _ = running.communicate(timeout=60)
    if not output:
        raise RuntimeError(f"the load generator failed with status {running.returncode}")
    return Load.of(output)


def failures(loads: Sequence[Load]) -> int:
    """All that failed in several runs."""
    return sum(load.failed for load in loads)
