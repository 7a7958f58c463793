"""Measure netlab on this machine, against what it is to be compared with. Only the loopback is used."""

import argparse
import sys

from benchmarks.calc import Effort, measure
from benchmarks.figures import as_json, as_text
from benchmarks.machine import missing_programs
from benchmarks.proxy import measure_proxy
from benchmarks.speed import Plan

_EPILOG = """\
examples:
  scripts/bench calc                 about three minutes; the figures to quote
  scripts/bench calc --quick         half a minute; to see whether a change broke something
  scripts/bench proxy                about three minutes
  scripts/bench calc --json >a.json  the same figures for a program

Progress goes to stderr, figures to stdout. Absolute rates drift with the machine and with what else it does; ratios
hold, because the two programs are measured in turn, and the median of the rounds is taken. docs/benchmarks.md says
what each figure means. The exit status is 0 when every goal is met, 1 when one is not, 2 when nothing was measured.
"""


_WHAT = "calc: the calculator daemon, against redis-server; proxy: the caching proxy, against that and memcached"


def main() -> int:
    """Read the command line and measure."""
    arguments = _parser().parse_args()
    missing = missing_programs(*([] if arguments.what == "proxy" else ["memcached"]))
    if missing:
        print("\n".join(f"error: {sentence}" for sentence in missing), file=sys.stderr)
        return 2
    try:
        effort = _effort(arguments)
        findings = measure_proxy(effort.speed, _say) if arguments.what == "proxy" else measure(effort, _say)
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(as_json(findings) if arguments.json else as_text(findings))
    return 0 if all(goal.met for goal in findings.goals) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["calc", "proxy"], help=_WHAT)
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


def _effort(arguments: argparse.Namespace) -> Effort:
    rounds = arguments.rounds or (2 if arguments.quick else 7)
    seconds = arguments.seconds or (0.2 if arguments.quick else 0.5)
    return Effort(Plan(rounds, seconds), 0.4 if arguments.quick else 2.0)


def _say(what: str) -> None:
    print(f"-- {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
