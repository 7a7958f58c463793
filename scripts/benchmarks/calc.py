"""`scripts/bench calc`: everything that is measured of the calculator, and what was asked of it."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks.daemons import beating_calculator, calculator, redis
from benchmarks.figures import Cost, Findings, Goal, Hold, Idle, Ratio
from benchmarks.holds import LONGEST, measure_costs, measure_holds
from benchmarks.idle import measure_idle
from benchmarks.loadgen import Generator
from benchmarks.machine import description, is_quiet, raise_file_limit
from benchmarks.speed import DIFFERENT, MANY, SAME, SHAPES, Daemons, Plan, Say, measure_speed
from benchmarks.traffic import Traffic, check_answer, fill_redis, write_traffic
from benchmarks.worst_cases import worst_cases

#: How many different requests are in rotation.
_DIFFERENT = 1_000

_IDLE = 10_000
_IDLE_EACH = 25_000

#: Files that this process and the daemon need besides the idle connections.
_FILES_BESIDES = 200

#: What the two series reach at one connection.
_GOALS = ((DIFFERENT, 0.17), (SAME, 0.65))


@frozen
class Effort:
    """How long to measure what: `speed`, seconds for each kind of traffic that holds the reactor."""

    speed: Plan
    hold_seconds: float


def measure(effort: Effort, say: Say) -> Findings:
    """Measure everything, one thing after another."""
    with TemporaryDirectory(prefix="netlab-bench-") as name:
        folder = Path(name)
        quiet = is_quiet()
        say(description() + ("" if quiet else ", busy with something else: ratios will say little"))
        say("building the load generator, writing the requests")
        generator = Generator.build(folder)
        traffic = write_traffic(folder, _DIFFERENT)
        ratios = _speed(generator, traffic, effort.speed, folder, say)
        say(f"memory: {_IDLE:,} idle connections")
        idle = _idle(folder)
        say("worst cases, in process")
        cases = worst_cases()
        costs = measure_costs(cases)
        say("worst cases, over connections")
        ordered = {cost.case: cases[cost.case] for cost in costs}
        with beating_calculator(folder) as (daemon, heart):
            holds = measure_holds(generator, daemon, heart, ordered, effort.hold_seconds, folder)
        goals = _goals(ratios, idle, costs, holds)
        return Findings(description(), quiet, traffic.words, ratios, idle, costs, holds, goals=goals)


def _speed(generator: Generator, traffic: Traffic, plan: Plan, folder: Path, say: Say) -> list[Ratio]:
    with ExitStack() as running:
        daemons = Daemons(
            redis=running.enter_context(redis(folder)),
            computing=running.enter_context(calculator(folder, "--no-request-log", "--memory", "0")),
            remembering=running.enter_context(calculator(folder, "--no-request-log")),
            logging=running.enter_context(calculator(folder)),
        )
        fill_redis(daemons.redis.port)
        for daemon in (daemons.computing, daemons.remembering, daemons.logging):
            check_answer(daemon.port)
        return measure_speed(generator, daemons, traffic, plan, say)


def _idle(folder: Path) -> Idle:
    """As many idle connections as wanted, or as the system lets a process have files."""
    files = raise_file_limit(_IDLE + _FILES_BESIDES)
    with calculator(folder, "--no-request-log", "--idle-timeout", "600") as daemon:
        return measure_idle(daemon, min(_IDLE, files - _FILES_BESIDES))


def _goals(ratios: Sequence[Ratio], idle: Idle, costs: Sequence[Cost], holds: Sequence[Hold]) -> list[Goal]:
    goals = []
    for series, wanted in _GOALS:
        reached = next(it.reached for it in ratios if it.series == series and it.shape == SHAPES[0].words)
        what = f"{series} request{'s' if series == DIFFERENT else ''}, 1 connection, to Redis"
        goals.append(Goal(what, f"at least {wanted}", f"{reached:.2f}", reached >= wanted))
    many = [it for it in ratios if it.shape.startswith(f"{MANY} connections")]
    failed, asked = sum(it.failed for it in many), sum(it.requests for it in many)
    goals.append(Goal(f"failed requests at {MANY} connections", "0", f"{failed} of {asked:,}", failed == 0))
    enough = idle.each < _IDLE_EACH and idle.connections == _IDLE
    goals.append(Goal(f"memory of {_IDLE:,} idle connections", "under 25 kB each", f"{idle.each / 1e3:.1f} kB", enough))
    cost, turn = max(it.median_ms for it in costs), max(it.turn_cpu_ms for it in holds)
    goals.append(Goal("costliest single request", f"{LONGEST:g} ms at most", f"{cost:.1f} ms", cost <= LONGEST))
    goals.append(Goal("longest turn of the reactor", f"{LONGEST:g} ms at most", f"{turn:.1f} ms", turn <= LONGEST))
    return goals
