"""Measure netlab on this machine, against what it is to be compared with. Only the loopback is used."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from benchmarks import calc, ping, proxy, trace, web
from benchmarks.figures import Findings, as_json, as_text
from benchmarks.machine import missing_programs
from benchmarks.speed import Plan

_EPILOG = """\
examples:
  scripts/bench calc                 about three minutes; the figures to quote
  scripts/bench calc --quick         half a minute; to see whether a change broke something
  scripts/bench ping                 a minute; echo requests on the loopback, as root
  scripts/bench calc --json >a.json  the same figures for a program
  scripts/bench proxy                about three minutes; the caching proxy
  scripts/bench web                  a minute and a half; the file server
  scripts/bench trace                a minute; captures, against tshark

Progress goes to stderr, figures to stdout. Absolute rates drift with the machine and with what else it does; ratios
hold, because the two programs are measured in turn, and the median of the rounds is taken. docs/benchmarks.md says
what each figure means. The exit status is 0 when every goal is met, 1 when one is not, 2 when nothing was measured.
"""


class Outcome(NamedTuple):
    """What a measurement gives to print, and whether every goal was met."""

    printed: str
    met: bool


class Subject(NamedTuple):
    """What can be measured: in words, the programs it takes with their Debian packages, and how."""

    words: str
    needed: Mapping[str, str]
    measure: Callable[[argparse.Namespace], Outcome]


def main() -> int:
    """Read the command line and measure."""
    arguments = _parser().parse_args()
    subject = _SUBJECTS[arguments.what]
    missing = missing_programs(subject.needed)
    if missing:
        print("\n".join(f"error: {sentence}" for sentence in missing), file=sys.stderr)
        return 2
    try:
        outcome = subject.measure(arguments)
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(outcome.printed)
    return 0 if outcome.met else 1


def _calc(arguments: argparse.Namespace) -> Outcome:
    effort = calc.Effort(_plan(arguments), 0.4 if arguments.quick else 2.0)
    return _outcome(arguments, calc.measure(effort, _say))


def _proxy(arguments: argparse.Namespace) -> Outcome:
    return _outcome(arguments, proxy.measure_proxy(_plan(arguments), _say))


def _web(arguments: argparse.Namespace) -> Outcome:
    rates = web.measure(_plan(arguments), _say)
    return Outcome(web.as_json(rates) if arguments.json else web.as_text(rates), all(goal.met for goal in rates.goals))


def _ping(arguments: argparse.Namespace) -> Outcome:
    effort = ping.Effort(2, 50, 4) if arguments.quick else ping.Effort(7, 100, 20)
    if arguments.rounds:
        effort = ping.Effort(arguments.rounds, effort.echoes, effort.seconds)
    findings = ping.measure(effort, _say)
    return Outcome(
        findings.as_json() if arguments.json else findings.as_text(), all(goal.met for goal in findings.goals)
    )


def _trace(arguments: argparse.Namespace) -> Outcome:
    findings = trace.measure(arguments.rounds or (2 if arguments.quick else 7), _say)
    return _outcome(arguments, findings)


_SUBJECTS = {
    "calc": Subject("the calculator daemon, against redis-server", calc.NEEDED, _calc),
    "proxy": Subject("the caching proxy, against that and memcached", proxy.NEEDED, _proxy),
    "web": Subject("the file server, against nginx and http.server", web.NEEDED, _web),
    "ping": Subject("netlab ping, against iputils ping and fping", ping.NEEDED, _ping),
    "trace": Subject("netlab trace, against tshark", trace.NEEDED, _trace),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = "; ".join(f"{name}: {subject.words}" for name, subject in _SUBJECTS.items())
    parser.add_argument("what", choices=list(_SUBJECTS), help=words)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=_within(1, 50), metavar="N", help="rounds for each ratio [7, quick 2]")
    parser.add_argument("--seconds", type=_within(0.05, 10), metavar="S", help="seconds a run [0.5, quick 0.2]")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    return parser


def _within(least: float, most: float) -> "type[int] | type[float]":
    kind = type(least)

    def read(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{least} to {most}, not {text}")
        return value

    return read  # type: ignore[return-value]


def _plan(arguments: argparse.Namespace) -> Plan:
    rounds = arguments.rounds or (2 if arguments.quick else 7)
    return Plan(rounds, arguments.seconds or (0.2 if arguments.quick else 0.5))


def _outcome(arguments: argparse.Namespace, findings: Findings) -> Outcome:
    return Outcome(as_json(findings) if arguments.json else as_text(findings), all(goal.met for goal in findings.goals))


def _say(what: str) -> None:
    print(f"-- {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
