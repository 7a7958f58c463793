"""``netlab ping``: send ICMP echo requests and tell the fate of each (protocols.md §4)."""

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from netlab.cli.ping_json import JsonEvents
from netlab.cli.ping_output import Lab, Lines, Output
from netlab.cli.ping_watch import Watch, WatchWishes
from netlab.cli.running import run_reactor
from netlab.cli.terminal import Failed, has_colour
from netlab.common.errors import LocalError, NetlabError
from netlab.common.printable import printable
from netlab.icmp.events import Event
from netlab.icmp.packet import Family
from netlab.icmp.payload import MAX_SIZE
from netlab.icmp.wishes import Wishes

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from netlab.icmp.exchange import Exchange
    from netlab.icmp.pinger import Pinger

_DEFAULT = Wishes()

_HELP = """Ping each TARGET, a host's name or address, until Ctrl+C, and tell what becomes of every request.

\b
Exit status   0  every target has answered
              1  a target has not
              2  it could not be done: no permission, an unknown target, a wrong option

A request that has no answer in --timeout is lost, and that is said at once; an answer after that is late. What is
in flight at the end is not counted as lost. Times come from the kernel's receive time stamps.
"""


#: The exit status when it could not be done.
_CANNOT = 2

_SECONDS = click.FloatRange(0)


@click.command("ping", help=_HELP)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("-c", "--count", type=click.IntRange(1), metavar="N", help="End after N requests to each target.")
@click.option(
    "-i",
    "--interval",
    type=_SECONDS,
    default=_DEFAULT.interval,
    show_default=True,
    metavar="SECONDS",
    help="From one request to the next; under 0.002 for root only, 0 for as fast as answers come.",
)
@click.option(
    "-W",
    "--timeout",
    type=_SECONDS,
    default=_DEFAULT.timeout,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for an answer.",
)
@click.option("-w", "--deadline", type=_SECONDS, metavar="SECONDS", help="End after so long, whatever is in flight.")
@click.option(
    "-s",
    "--size",
    type=click.IntRange(0, MAX_SIZE),
    metavar="BYTES",
    help=f"Bytes of data in a request; with under 16 a reply proves less.  [default: {_DEFAULT.size}]",
)
@click.option("-t", "--ttl", type=click.IntRange(1, 255), metavar="HOPS", help="Time to live of requests.")
@click.option("-4", "ipv4", is_flag=True, help="Use IPv4 only.")
@click.option("-6", "ipv6", is_flag=True, help="Use IPv6 only.")
@click.option("-q", "--quiet", is_flag=True, help="Print only the summary at the end.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object a line for each event.")
@click.option("--plot", is_flag=True, help="Draw the times as they come, a line for each target.")
@click.option("--png", type=click.Path(dir_okay=False), metavar="FILE", help="At the end, draw them to a picture.")
@click.option("--lab", is_flag=True, help="Send and print exactly what the lab's old program did.")
@click.option("--watchdog", is_flag=True, help="Have a watchdog end this ping, and tell why, when replies stop.")
@click.option("--watchdog-required", is_flag=True, help="The same, and stop when the watchdog dies.")
@click.option(
    "--watchdog-timeout",
    type=click.FloatRange(0.05, 86_400),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long without a reply.",
)
@click.option(
    "--watchdog-port",
    type=click.IntRange(0, 65_535),
    default=3000,
    show_default=True,
    metavar="PORT",
    help="Where the watchdog listens on 127.0.0.1; 0 for any port.",
)
@click.pass_context
def ping(ctx: click.Context, /, targets: tuple[str, ...], **options: Any) -> None:
    """Ping, tell, and exit."""
    run = _Run(targets, _wishes(options), _output(options), _watch_wishes(options))
    try:
        run_reactor(run.start)
    except KeyboardInterrupt:
        if run.exchange is None:
            raise
    except NetlabError as error:
        raise Failed(f"netlab ping: {printable(str(error))}", exit_code=_CANNOT) from None
    ctx.exit(run.end())


class _Run:
    """One run of the command."""

    def __init__(self, targets: tuple[str, ...], wishes: Wishes, output: Output, watch: WatchWishes | None) -> None:
        self.exchange: Exchange | None = None
        self._targets = targets
        self._wishes = wishes
        self._output = output
        self._pinger: Pinger | None = None
        self._failed: Exception | None = None
        self._watch = None if watch is None else Watch(watch, self._abandon)

    def start(self, reactor: Any) -> "Deferred[None]":
        """Ping; fires when that is over."""
        from twisted.internet.defer import Deferred

        from netlab.common.monotonic import use_monotonic_clock

        use_monotonic_clock(reactor)
        reactor.addSystemEventTrigger("before", "shutdown", self._abandon)
        return Deferred.fromCoroutine(self._ping(reactor))

    def end(self) -> int:
        """Tell the summary; the exit status."""
        if self._pinger is not None:
            self._pinger.stop()
        assert self.exchange is not None
        self._output.end(self.exchange)
        if self._watch is not None and self._watch.is_missed:
            return _CANNOT
        ended = self._watch is not None and self._watch.has_expired
        return 0 if all(session.received for session in self.exchange) and not ended else 1

    async def _ping(self, reactor: Any) -> None:
        from twisted.internet.defer import Deferred, gatherResults

        from netlab.icmp.pinger import Pinger
        from netlab.icmp.resolving import resolve

        family = self._wishes.family
        names = [Deferred.fromCoroutine(resolve(reactor, name, family)) for name in self._targets]
        resolved = await _first_error(gatherResults(names, consumeErrors=True))
        pinger = Pinger(reactor, self._wishes, self._tell, None if self._watch is None else self._watch.sent)
        for each in resolved:
            pinger.add(each)
        if self._watch is not None:
            await self._watch.start(reactor)
        self._pinger, self.exchange = pinger, pinger.exchange
        self._output.begin(reactor, pinger.exchange, self._wishes)
        await pinger.start()
        if self._failed is not None:
            raise self._failed

    def _tell(self, event: Event) -> None:
        """Show an event; when it cannot be shown, because nobody reads any more, that ends everything."""
        if self._watch is not None:
            self._watch.tell(event)
        try:
            self._output.tell(event)
        except Exception as error:
            self._failed = self._failed or error
            self._abandon()

    def _abandon(self) -> None:
        """End early."""
        if self._pinger is not None:
            self._pinger.stop()


async def _first_error(gathering: "Deferred[Any]") -> Any:
    """What was gathered, or the first error itself rather than the one that wraps it."""
    from twisted.internet.defer import FirstError

    try:
        return await gathering
    except FirstError as error:
        error.subFailure.raiseException()


def _wishes(options: dict[str, Any]) -> Wishes:
    """What is asked for."""
    if options["ipv4"] and options["ipv6"]:
        raise click.UsageError("-4 and -6 exclude each other")
    family = Family.IPV4 if options["ipv4"] else Family.IPV6 if options["ipv6"] else None
    names = ("interval", "timeout", "count", "deadline", "ttl", "lab")
    wishes = Wishes(
        **{name: options[name] for name in names},
        size=_DEFAULT.size if options["size"] is None else options["size"],
        family=family,
    )
    try:
        wishes.check(is_root=os.geteuid() == 0)
    except LocalError as error:
        raise click.UsageError(str(error)) from None
    return wishes


def _watch_wishes(options: dict[str, Any]) -> WatchWishes | None:
    """How to be watched; `None` for not at all."""
    if not options["watchdog"] and not options["watchdog_required"]:
        return None
    return WatchWishes(options["watchdog_timeout"], options["watchdog_port"], options["watchdog_required"])


def _output(options: dict[str, Any]) -> Output:
    """Where events go."""
    chosen = [f"--{name}" for name in ("json", "plot", "lab") if options["as_json" if name == "json" else name]]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} exclude each other")
    if options["lab"] and options["size"] is not None:
        raise click.UsageError("--lab sends its own 19 bytes; leave --size out")
    output = _shown(options, has_colour(sys.stdout))
    if options["png"]:
        from netlab.cli.ping_picture import Picture

        output = Picture(output, options["png"])
    return output


def _shown(options: dict[str, Any], colour: bool) -> Output:
    if options["as_json"]:
        return JsonEvents(options["quiet"])
    if options["plot"]:
        from netlab.cli.ping_plot import Plot

        return Plot(colour)
    if options["lab"]:
        return Lab()
    return Lines(colour, options["quiet"] or not options["interval"])
