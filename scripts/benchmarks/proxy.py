"""`scripts/bench proxy`: hits beside Redis and memcached, the memory of stored answers, many misses of one key."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.daemons import calculator, memcached, proxy, redis
from benchmarks.figures import Findings, Goal, Ratio
from benchmarks.loadgen import Generator, Shape
from benchmarks.machine import description, is_quiet
from benchmarks.proxy_memory import Collapsed, Stored, Upstream, fill_proxy, measure_collapsed, measure_stored
from benchmarks.speed import Peer, Plan, Say, measure_beside
from benchmarks.traffic import check_answer, fill_memcached, fill_redis, write_memcached, write_traffic

#: How hits come, and the ratio to Redis that is asked of each.
_GOALS = ((Shape(1), 0.7), (Shape(64), 0.6), (Shape(64, 16), 0.45), (Shape(16, new=True), 0.5))

HIT, MANY_KEYS, LOGGED, MEMCACHED = "hits", "hits, 10,000 keys", "hits, logged", "memcached"

#: How many keys are in rotation in the series of that name.
_KEYS = 10_000

#: Programs that are needed, and their Debian packages.
NEEDED = {"gcc": "gcc libc6-dev", "redis-server": "redis-server", "memcached": "memcached"}

_ENTRIES = 100_000
_OVERHEAD = 400

_CLIENTS = 20
_DELAY = 0.05
_ROUNDS = 9
_ADDED_MS = 5.0


def measure_proxy(plan: Plan, say: Say) -> Findings:
    """Measure everything, one thing after another."""
    with TemporaryDirectory(prefix="netlab-bench-") as name:
        folder = Path(name)
        quiet = is_quiet()
        say(description() + ("" if quiet else ", busy with something else: ratios will say little"))
        ratios = _hits(folder, plan, say)
        say(f"memory: {_ENTRIES:,} stored answers")
        upstream = Upstream()
        with proxy(
            folder, upstream.port, "--no-request-log", "--max-bytes", str(1 << 30), "--pipeline", "64"
        ) as daemon:
            stored = measure_stored(daemon, _ENTRIES)
        say(f"{_CLIENTS} misses of one key at once")
        slow = Upstream(_DELAY)
        with proxy(folder, slow.port, "--no-request-log") as daemon:
            collapsed = measure_collapsed(daemon, slow, _CLIENTS, _ROUNDS)
        words = "hits: the recorded request of 687 bytes, answered with 564"
        return Findings(
            description(),
            quiet,
            words,
            ratios,
            notes=_notes(stored, collapsed),
            goals=_goals(ratios, stored, collapsed),
        )


def _hits(folder: Path, plan: Plan, say: Say) -> list[Ratio]:
    generator, traffic = Generator.build(folder), write_traffic(folder, 1)
    path, length = write_memcached(folder)
    with ExitStack() as running:
        peer = running.enter_context(redis(folder))
        other = running.enter_context(memcached(folder))
        calc = running.enter_context(calculator(folder, "--no-request-log"))
        quiet = running.enter_context(proxy(folder, calc.port, "--no-request-log"))
        logging = running.enter_context(proxy(folder, calc.port))
        fill_redis(peer.port)
        fill_memcached(other.port)
        for daemon in (quiet, logging):
            check_answer(daemon.port)
        full = running.enter_context(proxy(folder, Upstream().port, "--no-request-log", "--pipeline", "64"))
        many = fill_proxy(full, _KEYS, folder)
        ratios = []
        for shape, _ in _GOALS:
            say(f"speed: {shape.words}")
            series = {
                HIT: Peer(quiet, traffic.same, "calc"),
                MANY_KEYS: Peer(full, many, "calc"),
                LOGGED: Peer(logging, traffic.same, "calc"),
                MEMCACHED: Peer(other, path, f"fixed:{length}"),
            }
            redis_peer = Peer(peer, traffic.redis, f"fixed:{traffic.redis_answer}")
            ratios += measure_beside(generator, redis_peer, series, shape, plan)
    return sorted(ratios, key=lambda ratio: (HIT, MANY_KEYS, LOGGED, MEMCACHED).index(ratio.series))


def _notes(stored: Stored, collapsed: Collapsed) -> list[str]:
    grown = f"{stored.before / 1e6:.1f} to {stored.after / 1e6:.1f} MB resident"
    beyond = f"{stored.overhead:.0f} bytes each beyond keys and values"
    last = f"upstream requests: {collapsed.upstream_requests}, the last one waits {collapsed.added_ms:.1f} ms longer"
    return [
        f"{stored.entries:,} stored answers of 564 bytes: {grown}, {beyond}",
        f"{collapsed.clients} misses of one key over {collapsed.upstream_ms:.0f} ms: {last}",
    ]


def _goals(ratios: Sequence[Ratio], stored: Stored, collapsed: Collapsed) -> list[Goal]:
    goals = []
    for shape, wanted in _GOALS:
        reached = next(it.reached for it in ratios if it.series == HIT and it.shape == shape.words)
        goals.append(Goal(f"hits, {shape.words}, to Redis", f"at least {wanted}", f"{reached:.2f}", reached >= wanted))
    failed = sum(it.failed for it in ratios if it.series == HIT)
    goals.append(Goal("failed requests", "0", str(failed), failed == 0))
    light = stored.overhead < _OVERHEAD
    goals.append(Goal("overhead of a stored answer", f"under {_OVERHEAD} bytes", f"{stored.overhead:.0f}", light))
    one = collapsed.upstream_requests == 1
    goals.append(Goal("upstream requests for one key", "1", str(collapsed.upstream_requests), one))
    soon = collapsed.added_ms < _ADDED_MS
    goals.append(Goal("added wait of the last", f"under {_ADDED_MS:g} ms", f"{collapsed.added_ms:.1f} ms", soon))
    return goals
