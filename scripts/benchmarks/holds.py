"""How long the worst requests hold the daemon: alone in this process, and sent to a daemon over connections."""

import gc
import random
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.daemons import Running
from benchmarks.figures import Cost, Hold
from benchmarks.loadgen import Generator, Shape, finish
from benchmarks.worst_cases import small_request
from netlab.calc.calculator import Calculator

_REPEATS = 5

#: The longest turn of the reactor that is allowed, in milliseconds.
LONGEST = 10.0

#: How many of the costliest cases are sent to the daemon one by one.
_SENT = 6

#: Requests of the worst kind on one connection, none waiting for the answer before it.
_PIPELINED = 95

_CONNECTIONS = 64
_SMALL = 1_000


def measure_costs(cases: dict[str, bytes]) -> list[Cost]:
    """How long every case takes to answer, the costliest first."""
    calculator = Calculator(random.Random().uniform)
    costs = []
    gc.freeze()  # as the daemon does
    for case, packet in cases.items():
        times = []
        for _ in range(_REPEATS):
            began = time.thread_time()
            reply = calculator.reply(packet)
            times.append((time.thread_time() - began) * 1000)
        costs.append(Cost(case, median(times), max(times), len(packet), _outcome(reply.note, reply.status)))
    return sorted(costs, key=lambda cost: -cost.median_ms)


def _outcome(note: str | None, status: int) -> str:
    words = (note or "answered").partition("\n")[0]
    return f"{status} {words if len(words) <= 60 else words[:59] + '…'}"


def measure_holds(
    generator: Generator, daemon: Running, heart: int, cases: dict[str, bytes], seconds: float, folder: Path
) -> list[Hold]:
    """What a daemon's reactor and another connection feel of each kind of traffic; of none first, to compare.

    ``cases`` come in order, the costliest first; ``heart`` is the port of `benchmarks.heart`.
    """
    tiny = folder / "tiny"
    tiny.write_bytes(small_request())
    holds = []
    for traffic, packets, shape in _attacks(cases):
        requests = folder / "attack"
        requests.write_bytes(b"".join(packets))
        _longest_turn(heart)
        attack = generator.start(daemon.port, requests, shape, seconds, "any")
        probe = generator.run(daemon.port, tiny, Shape(1), seconds, "calc")
        turn = _longest_turn(heart)
        sent = finish(attack)
        if probe.failed or sent.failed:
            raise RuntimeError(f"requests failed beside: {traffic}")
        holds.append(Hold(traffic, *turn, probe.max_us / 1000, probe.p50_us / 1000, sent.requests))
    return holds


def _attacks(cases: dict[str, bytes]) -> Iterator[tuple[str, Sequence[bytes], Shape]]:
    """Words, the requests that are sent in rotation, and how."""
    costliest = list(cases)[:_SENT]
    small = [small_request(number) for number in range(_SMALL)]
    yield "nothing but small requests", small, Shape(1)
    yield f"small requests, {_SMALL:,} in a segment", small, Shape(1, _SMALL)
    for case in costliest:
        yield case, [cases[case]], Shape(1)
    yield "every case in turn", list(cases.values()), Shape(1)
    yield f"the costliest, pipelined by {_PIPELINED}", [cases[costliest[0]]], Shape(1, _PIPELINED)
    yield f"the costliest over {_CONNECTIONS} connections", [cases[costliest[0]]], Shape(_CONNECTIONS)
    yield f"every case in turn over {_CONNECTIONS} connections", list(cases.values()), Shape(_CONNECTIONS, 4)


def _longest_turn(heart: int) -> tuple[float, float]:
    with socket.create_connection(("127.0.0.1", heart), timeout=30) as connection:
        text = b""
        while data := connection.recv(100):
            text += data
    clock, processor = text.split()
    return float(clock), float(processor)
