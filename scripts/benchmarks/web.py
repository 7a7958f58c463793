"""`scripts/bench web`: the file server beside nginx and ``python -m http.server``, all asked by wrk."""

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from attrs import asdict, field, frozen

from benchmarks.daemons import Running, file_server, http_server, nginx
from benchmarks.figures import Goal, table
from benchmarks.machine import description, is_quiet, started_for
from benchmarks.speed import Plan, Say

#: Programs that are needed, and their Debian packages.
NEEDED = {"nginx": "nginx-light", "wrk": "wrk"}

_CONNECTIONS = 32

#: Name, bytes, and what was asked for: a share of nginx's rate.
_FILES = (("small.html", 110, 0.6), ("image.png", 68_000, 0.8), ("big.bin", 20_000_000, 0.8))

LOGGED, SILENT = "access log written", "no access log"

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_FAILED = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_NOT_FOUND = re.compile(r"Non-2xx or 3xx responses: (\d+)")


@frozen
class Rates:
    """One file from one pair of servers: requests a second in each round, in the order of the rounds."""

    series: str
    file: str
    ours: tuple[float, ...]
    nginx: tuple[float, ...]
    http_server: tuple[float, ...]
    failed: int

    @property
    def rounds(self) -> list[float]:
        """Our share of nginx's rate, for each round."""
        return [our / their for our, their in zip(self.ours, self.nginx, strict=True)]


@frozen
class Findings:
    """Everything that one run found; ``quiet`` if nothing else kept the machine busy."""

    machine: str
    quiet: bool
    rates: Sequence[Rates]
    goals: Sequence[Goal] = field(factory=tuple)


def measure(plan: Plan, say: Say) -> Findings:
    """Measure every file, with access logs and without."""
    quiet = is_quiet()
    say(description() + ("" if quiet else ", busy with something else: ratios will say little"))
    rates = []
    with TemporaryDirectory(prefix="netlab-bench-") as name, ExitStack() as running:
        folder = Path(name)
        folder.chmod(0o755)
        root = _site(folder)
        silent = {
            "ours": running.enter_context(file_server(folder, root, "--no-request-log")),
            "nginx": running.enter_context(nginx(folder, root, "off")),
        }
        logged = {
            "ours": running.enter_context(file_server(folder, root, "--access-log", str(folder / "access.log"))),
            "nginx": running.enter_context(nginx(folder, root, str(folder / "nginx-access.log"))),
            "http.server": running.enter_context(http_server(folder, root)),
        }
        for series, servers in ((LOGGED, logged), (SILENT, silent)):
            for file, _, _ in _FILES:
                say(f"{file}, {series}")
                rates.append(_in_turn(series, servers, root / file, plan))
    return Findings(description(), quiet, rates, _goals(rates))


def as_json(findings: Findings) -> str:
    """One JSON object."""
    return json.dumps(asdict(findings), indent=2)


def as_text(findings: Findings) -> str:
    """Tables, the goals last."""
    rows = []
    for it in findings.rates:
        theirs = f"{median(it.nginx):,.0f}"
        other = f"{median(it.http_server):,.0f}" if it.http_server else ""
        spread = f"{min(it.rounds):.2f} to {max(it.rounds):.2f}"
        figures = (f"{median(it.rounds):.2f}", spread, f"{median(it.ours):,.0f}", theirs, other, str(it.failed))
        rows.append((it.file, it.series, *figures))
    heads = ("file", "", "to nginx", "rounds", "ours/s", "nginx/s", "http.server/s", "failed")
    goals = [(goal.what, goal.goal, goal.reached, "yes" if goal.met else "NO") for goal in findings.goals]
    lines = [findings.machine, f"wrk, {_CONNECTIONS} connections", "", *table(heads, rows), ""]
    lines += table(("goal", "", "reached", "met"), goals)
    if not findings.quiet:
        lines += ["", "The machine was busy with something else: nothing of this can be quoted."]
    return "\n".join(lines)


def _site(folder: Path) -> Path:
    """The files, of bytes that no coding makes shorter."""
    root = folder / "site"
    root.mkdir()
    for name, size, _ in _FILES:
        (root / name).write_bytes(os.urandom(size))
    return root


def _in_turn(series: str, servers: Mapping[str, Running], file: Path, plan: Plan) -> Rates:
    """One server after another, and again."""
    found: dict[str, list[float]] = {name: [] for name in servers}
    failed = 0
    for running in servers.values():
        _check(running, file)
    for _ in range(plan.rounds):
        for name, running in servers.items():
            rate, errors = _run(running, file.name, plan.seconds)
            found[name].append(rate)
            failed += errors if name == "ours" else 0
    other = tuple(found.get("http.server", ()))
    return Rates(series, file.name, tuple(found["ours"]), tuple(found["nginx"]), other, failed)


def _check(running: Running, file: Path) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/{file.name}", timeout=10) as answer:
        if answer.read() != file.read_bytes():
            raise RuntimeError(f"{running.name} sends another {file.name}")


def _run(running: Running, name: str, seconds: float) -> tuple[float, int]:
    """Requests a second, and how many failed."""
    # wrk counts whole seconds.
    duration = f"{max(1, round(seconds))}s"
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{duration}", f"http://127.0.0.1:{running.port}/{name}"]
    with started_for(load=True):
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rate, failed, missing = (pattern.search(run.stdout) for pattern in (_RATE, _FAILED, _NOT_FOUND))
    if rate is None:
        raise RuntimeError(f"wrk said nothing of its rate:\n{run.stdout}")
    # What is unfinished when wrk stops counts as a time-out there only for the slowest servers.
    errors = sum(int(number) for number in failed.groups()[:3]) if failed else 0
    return float(rate[1]), errors + (int(missing[1]) if missing else 0)


def _goals(rates: Sequence[Rates]) -> list[Goal]:
    goals = []
    for name, size, wanted in _FILES:
        reached = median(next(it.rounds for it in rates if it.file == name and it.series == LOGGED))
        goals.append(
            Goal(f"{name}, {size:,} bytes, to nginx", f"at least {wanted}", f"{reached:.2f}", reached >= wanted)
        )
    failed = sum(it.failed for it in rates)
    goals.append(Goal("failed requests", "0", str(failed), failed == 0))
    return goals
