"""Requests a second, as ratios to Redis at the same connections and depth, the two measured in turn."""

from collections.abc import Callable
from pathlib import Path
from statistics import median

from attrs import frozen

from benchmarks.daemons import Running
from benchmarks.figures import Ratio
from benchmarks.loadgen import Generator, Load, Shape, failures
from benchmarks.traffic import Traffic

Say = Callable[[str], None]

#: How requests come, the first the one that goals speak of.
SHAPES = (Shape(1), Shape(1, 16), Shape(64), Shape(64, 16), Shape(16, new=True))

#: The series, and the connections of the goal on failed requests.
DIFFERENT, SAME, LOGGED, MANY = "different", "the same", "the same, logged", 64


@frozen
class Daemons:
    """What is measured: Redis, and our daemon without its memory of answers, with it, and with its request log."""

    redis: Running
    computing: Running
    remembering: Running
    logging: Running


@frozen
class Peer:
    """A program, the file of what it is asked, and what its answers are (`Generator.start`)."""

    daemon: Running
    requests: Path
    answers: str


@frozen
class Plan:
    """How long to measure: rounds, and seconds for one run of the load generator."""

    rounds: int
    seconds: float


def measure_speed(generator: Generator, daemons: Daemons, traffic: Traffic, plan: Plan, say: Say) -> list[Ratio]:
    """Every series in every shape; the request log in the first shape only."""
    ratios: list[Ratio] = []
    for shape in SHAPES:
        say(f"speed: {shape.words}")
        series = {
            DIFFERENT: Peer(daemons.computing, traffic.different, "calc"),
            SAME: Peer(daemons.remembering, traffic.same, "calc"),
        }
        if shape == SHAPES[0]:
            series[LOGGED] = Peer(daemons.logging, traffic.same, "calc")
        redis = Peer(daemons.redis, traffic.redis, f"fixed:{traffic.redis_answer}")
        ratios += measure_beside(generator, redis, series, shape, plan)
    return sorted(ratios, key=lambda ratio: (DIFFERENT, SAME, LOGGED).index(ratio.series))


def measure_beside(
    generator: Generator, theirs: Peer, series: dict[str, Peer], shape: Shape, plan: Plan
) -> list[Ratio]:
    """One shape: theirs, ours, theirs, ours, and again."""
    pairs: dict[str, list[tuple[Load, Load]]] = {name: [] for name in series}
    for _ in range(plan.rounds):
        for name, ours in series.items():
            their = _run(generator, theirs, shape, plan)
            pairs[name].append((_run(generator, ours, shape, plan), their))
    return [_ratio(name, shape, rounds) for name, rounds in pairs.items()]


def _run(generator: Generator, peer: Peer, shape: Shape, plan: Plan) -> Load:
    return generator.run(peer.daemon.port, peer.requests, shape, plan.seconds, peer.answers)


def _ratio(name: str, shape: Shape, rounds: list[tuple[Load, Load]]) -> Ratio:
    ours, theirs = [pair[0] for pair in rounds], [pair[1] for pair in rounds]
    if failures(theirs):
        raise RuntimeError(f"redis-server failed {failures(theirs)} requests: nothing can be compared with that")
    return Ratio(
        series=name,
        shape=shape.words,
        rounds=tuple(our.rps / their.rps for our, their in rounds),
        ours_rps=median(load.rps for load in ours),
        redis_rps=median(load.rps for load in theirs),
        requests=sum(load.requests for load in ours),
        failed=failures(ours),
        ours_connect_ms=max(load.connect_ms for load in ours),
        redis_connect_ms=max(load.connect_ms for load in theirs),
    )
