"""What was measured, as a person and as a program read it."""

import json
from collections.abc import Sequence
from statistics import median

from attrs import asdict, field, frozen


@frozen
class Ratio:
    """Our rate to Redis's, both measured in turn: a ratio for each round.

    The times to connect are the longest of the rounds.
    """

    series: str
    shape: str
    rounds: tuple[float, ...]
    ours_rps: float
    redis_rps: float
    requests: int
    failed: int
    ours_connect_ms: float
    redis_connect_ms: float

    @property
    def reached(self) -> float:
        """The figure: the median of the rounds."""
        return median(self.rounds)


@frozen
class Hold:
    """How long one kind of traffic held the reactor, in milliseconds.

    ``turn_ms`` is the longest turn as the reactor itself saw it by the clock, ``turn_cpu_ms`` by the time that its
    process had the processor: what other programs took is only in the first. ``wait_ms`` is the longest that another
    connection's small request waited for its answer, ``typical_ms`` the median of those waits.
    """

    traffic: str
    turn_ms: float
    turn_cpu_ms: float
    wait_ms: float
    typical_ms: float
    requests: int


@frozen
class Cost:
    """How long `Calculator.reply` takes for one worst case, in milliseconds of the processor: median and longest."""

    case: str
    median_ms: float
    longest_ms: float
    length: int
    outcome: str


@frozen
class Idle:
    """Resident memory of the daemon before and after idle connections came."""

    connections: int
    before: int
    after: int

    @property
    def each(self) -> float:
        """Bytes for each connection."""
        return (self.after - self.before) / self.connections


@frozen
class Goal:
    """A figure that was asked for, and whether it is there."""

    what: str
    goal: str
    reached: str
    met: bool


@frozen
class Findings:
    """Everything that one run of the benchmark found; ``quiet`` if nothing else kept the machine busy."""

    machine: str
    quiet: bool
    traffic: str
    ratios: Sequence[Ratio] = field(factory=tuple)
    idle: Idle | None = None
    costs: Sequence[Cost] = field(factory=tuple)
    holds: Sequence[Hold] = field(factory=tuple)
    notes: Sequence[str] = field(factory=tuple)
    goals: Sequence[Goal] = field(factory=tuple)


def as_json(findings: Findings) -> str:
    """One JSON object."""
    return json.dumps(asdict(findings), indent=2)


def as_text(findings: Findings) -> str:
    """Tables, the goals last."""
    parts = [findings.machine, findings.traffic]
    if findings.ratios:
        parts += ["", *_ratio_lines(findings.ratios)]
    if findings.idle:
        parts += ["", _idle_line(findings.idle)]
    if findings.notes:
        parts += ["", *findings.notes]
    if findings.costs:
        parts += ["", *_cost_lines(findings.costs)]
    if findings.holds:
        parts += ["", *_hold_lines(findings.holds)]
    rows = [(goal.what, goal.goal, goal.reached, "yes" if goal.met else "NO") for goal in findings.goals]
    warning = [] if findings.quiet else ["", "The machine was busy with something else: nothing of this can be quoted."]
    return "\n".join([*parts, "", *table(("goal", "", "reached", "met"), rows), *warning])


def _ratio_lines(ratios: Sequence[Ratio]) -> list[str]:
    rows = []
    for ratio in ratios:
        spread = f"{min(ratio.rounds):.2f} to {max(ratio.rounds):.2f}"
        rates = (f"{ratio.ours_rps:,.0f}", f"{ratio.redis_rps:,.0f}", str(ratio.failed))
        connects = (f"{ratio.ours_connect_ms:.1f}", f"{ratio.redis_connect_ms:.1f}")
        rows.append((ratio.series, ratio.shape, f"{ratio.reached:.2f}", spread, *rates, *connects))
    heads = ("requests", "how they come", "to Redis", "rounds", "ours/s", "Redis/s", "failed", "connect, ms", "Redis")
    return table(heads, rows)


def _idle_line(idle: Idle) -> str:
    grown = f"{idle.before / 1e6:.1f} to {idle.after / 1e6:.1f} MB"
    return f"{idle.connections:,} idle connections: {grown} resident, {idle.each / 1e3:.1f} kB each"


def _cost_lines(costs: Sequence[Cost]) -> list[str]:
    rows = []
    for cost in costs:
        mark = "over 10 ms" if cost.median_ms > 10 else ""
        numbers = (f"{cost.median_ms:.2f}", f"{cost.longest_ms:.2f}", f"{cost.length:,}")
        rows.append((cost.case, *numbers, cost.outcome, mark))
    return table(("worst case, in process", "ms", "longest", "bytes", "outcome", ""), rows)


def _hold_lines(holds: Sequence[Hold]) -> list[str]:
    rows = []
    for hold in holds:
        turns = (f"{hold.turn_cpu_ms:.1f}", f"{hold.turn_ms:.1f}")
        waits = (f"{hold.wait_ms:.1f}", f"{hold.typical_ms:.2f}")
        rows.append((hold.traffic, *turns, *waits, f"{hold.requests:,}"))
    heads = (
        "worst case, in the daemon",
        "longest turn, ms",
        "by the clock",
        "longest wait, ms",
        "median wait",
        "requests",
    )
    return table(heads, rows)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table; columns of numbers are set flush right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [heads, ["-" * width for width in widths], *rows]
    numeric = [_is_number(rows[0][place]) if rows else False for place in range(len(heads))]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    ]


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").isdigit()
