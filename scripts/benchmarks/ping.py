"""`scripts/bench ping`: round trips, the highest rate, and the cost of many targets, beside iputils ping and fping."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from attrs import asdict, field, frozen

from benchmarks.figures import Goal, table
from benchmarks.machine import description, is_quiet

#: Programs that are measured beside ours, and their Debian packages.
NEEDED = {"ping": "iputils-ping", "fping": "fping"}

_HOST = "127.0.0.1"
_ECHOES = 20_000
_TARGETS = 1_000

#: How much longer than iputils' our median round trip may be, in microseconds; the least part of `ping -f`'s rate; and
#: the most of a core that the targets may take.
_LONGER, _RATE, _SHARE = 3.0, 0.3, 0.10

#: Seconds between requests where programs sleep in between. Below some 10 ms iputils does not sleep but polls.
_PACE = "0.02"

_ITS_TIME = re.compile(r"time=([\d.]+) ms")
_ITS_DURATION = re.compile(r"time (\d+)ms")

Say = Callable[[str], None]


@frozen
class Effort:
    """How long to measure what: rounds, round trips in each, and seconds with many targets."""

    rounds: int
    echoes: int
    seconds: int


@frozen
class PingFindings:
    """What was found, by program, a figure for each round; and the share of a core that many targets took.

    ``round_trips`` are medians in microseconds as fast as answers come, ``paced`` those of requests that find the
    program and the kernel asleep; ``rates`` are echoes a second.
    """

    machine: str
    quiet: bool
    round_trips: dict[str, list[float]]
    paced: dict[str, list[float]]
    rates: dict[str, list[float]]
    share: float
    goals: list[Goal] = field(factory=list)

    def as_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), indent=2)

    def as_text(self) -> str:
        """Tables, the goals last."""
        trips = [(name, f"{median(found):.2f}", _spread(found)) for name, found in self.round_trips.items()]
        paced = [(name, f"{median(found):.2f}", _spread(found)) for name, found in self.paced.items()]
        rates = [(name, f"{median(found):,.0f}", _spread(found)) for name, found in self.rates.items()]
        goals = [(goal.what, goal.goal, goal.reached, "yes" if goal.met else "NO") for goal in self.goals]
        parts = [self.machine, ""]
        parts += [*table(("median round trip, one after another", "µs", "rounds"), trips), ""]
        parts += [*table((f"median round trip, one in {_PACE} s", "µs", "rounds"), paced), ""]
        parts += [*table((f"{_ECHOES:,} echoes", "a second", "rounds"), rates), ""]
        parts += table(("goal", "", "reached", "met"), goals)
        warning = [] if self.quiet else ["", "The machine was busy with something else: nothing of this can be quoted."]
        return "\n".join([*parts, *warning])


def measure(effort: Effort, say: Say) -> PingFindings:
    """Measure everything; the programs take turns in each round.

    :raises RuntimeError: a program failed, for want of permission perhaps.
    """
    quiet = is_quiet()
    trips: dict[str, list[float]] = {"iputils ping": [], "netlab ping": []}
    paced: dict[str, list[float]] = {"iputils ping": [], "fping": [], "netlab ping": []}
    rates: dict[str, list[float]] = {"ping -f": [], "netlab ping -i 0": []}
    for number in range(effort.rounds):
        say(f"round {number + 1} of {effort.rounds}")
        trips["iputils ping"].append(_iputils_trip(effort.echoes * 10, "0"))
        trips["netlab ping"].append(_our_trip(effort.echoes * 10, "0"))
        paced["iputils ping"].append(_iputils_trip(effort.echoes, _PACE))
        paced["fping"].append(_fping_trip(effort.echoes))
        paced["netlab ping"].append(_our_trip(effort.echoes, _PACE))
        rates["ping -f"].append(_iputils_rate())
        rates["netlab ping -i 0"].append(_our_rate())
    say(f"{_TARGETS:,} targets, one request a second to each")
    share = _share(effort.seconds)
    return PingFindings(description(), quiet, trips, paced, rates, share, _goals(trips, paced, rates, share))


def _goals(
    trips: dict[str, list[float]], paced: dict[str, list[float]], rates: dict[str, list[float]], share: float
) -> list[Goal]:
    rate = median(ours / theirs for ours, theirs in zip(rates["netlab ping -i 0"], rates["ping -f"], strict=True))
    return [
        _trip_goal("one after another", trips),
        _trip_goal(f"one in {_PACE} s", paced),
        Goal("rate, to ping -f", f"at least {_RATE}", f"{rate:.2f}", rate >= _RATE),
        Goal(f"{_TARGETS:,} targets, 1/s each", f"under {_SHARE:.0%} of a core", f"{share:.1%}", share < _SHARE),
    ]


def _trip_goal(how: str, trips: dict[str, list[float]]) -> Goal:
    pairs = zip(trips["netlab ping"], trips["iputils ping"], strict=True)
    longer = median(ours - theirs for ours, theirs in pairs)
    what = f"median round trip {how}, to iputils"
    return Goal(what, f"at most +{_LONGER:g} µs", f"{longer:+.2f} µs", longer <= _LONGER)


def _iputils_trip(echoes: int, interval: str) -> float:
    text = _run("ping", "-c", str(echoes), "-i", interval, _HOST)
    return median(float(time) for time in _ITS_TIME.findall(text)) * 1e3


def _fping_trip(echoes: int) -> float:
    text = _run("fping", "-C", str(echoes), "-p", f"{float(_PACE) * 1e3:.0f}", "-q", _HOST)
    return median(float(time) for time in text.partition(" : ")[2].split()) * 1e3


def _our_trip(echoes: int, interval: str) -> float:
    events = _netlab("-c", str(echoes), "-i", interval, _HOST)
    return median(event["time_ms"] for event in events if event["event"] == "reply") * 1e3


def _iputils_rate() -> float:
    found = _ITS_DURATION.search(_run("ping", "-f", "-q", "-c", str(_ECHOES), _HOST))
    if found is None or not int(found[1]):
        raise RuntimeError("ping -f did not say how long it took")
    return _ECHOES / (int(found[1]) / 1e3)


def _our_rate() -> float:
    events = _netlab("--quiet", "-c", str(_ECHOES), "-i", "0", _HOST)
    summary = next(event for event in events if event["event"] == "summary")
    if summary["received"] != _ECHOES:
        raise RuntimeError(f"only {summary['received']} of {_ECHOES} echoes were answered")
    return float(_ECHOES / summary["at"])


def _share(seconds: int) -> float:
    """The share of a core that many targets take: a long run less a short one, so that starting is not in it."""
    targets = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(_TARGETS)]
    short, long = (_cpu_seconds("-q", "-w", str(length), *targets) for length in (1, 1 + seconds))
    return (long - short) / seconds


def _cpu_seconds(*words: str) -> float:
    process = subprocess.Popen([*_command(), *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"netlab ping ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _netlab(*words: str) -> list[dict[str, float]]:
    return [json.loads(line) for line in _run(*_command(), "--json", *words).splitlines()]


def _command() -> list[str]:
    return [str(Path(sys.executable).with_name("netlab")), "ping"]


def _run(*words: str) -> str:
    """What a program prints, both ways."""
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{' '.join(words[:6])} failed: {result.stdout.strip()[-300:]}")
    return result.stdout


def _spread(found: list[float]) -> str:
    return (
        f"{min(found):,.2f} to {max(found):,.2f}" if max(found) < 1_000 else f"{min(found):,.0f} to {max(found):,.0f}"
    )
