"""``netlab watch``: run a command under a watchdog (protocols.md §4)."""

import os
import signal
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from netlab.cli.running import run_reactor
from netlab.cli.terminal import Failed

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from netlab.cli.notified import Notified
    from netlab.cli.relay import Relay
    from netlab.watchdog.companion import Companion
    from netlab.watchdog.notes import Ended

#: As timeout(1) and env(1) have them.
_USAGE, _EXPIRED, _FAILED, _NOT_RUN, _NOT_FOUND, _SIGNALLED = 2, 124, 125, 126, 127, 128

_HELP = """Run COMMAND, and end it and all that it started when it gives no sign of life for a while.

A sign of life is whatever it writes to stdout or stderr, and WATCHDOG=1 by the protocol of systemd's sd_notify. A
watchdog is started beside it, and told of each sign over TCP. When the signs stop, the watchdog sends SIGTERM,
after the grace SIGKILL, and prints what happened. Ctrl+C and SIGTERM go to COMMAND; a second one kills.

\b
Exit status
  COMMAND's own, or 128 and the number of the signal that it died of
  124  it was ended because it gave no sign of life, 137 if that took SIGKILL
  125  the watchdog itself failed
  126  COMMAND cannot be run, 127 it cannot be found
  2    the options are wrong, or the port is taken
"""

_SECONDS = click.FloatRange(0, min_open=True)


def _finite(_ctx: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds")
    return value


@click.command(
    "watch",
    help=_HELP,
    context_settings={"allow_interspersed_args": False},
    epilog="For example: netlab watch --timeout 3 -- ping 127.0.0.1",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] COMMAND [ARGUMENT]...")
@click.option(
    "--timeout",
    type=_SECONDS,
    callback=_finite,
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long COMMAND may be silent.",
)
@click.option(
    "--grace",
    type=_SECONDS,
    callback=_finite,
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long it may take to end when it is asked to.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=3000,
    show_default=True,
    help="Where the watchdog listens on 127.0.0.1; 0 for any free port.",
)
@click.pass_context
def watch(ctx: click.Context, /, command: tuple[str, ...], timeout: float, grace: float, port: int) -> None:
    """Run, watch, and exit as the command did."""
    ctx.exit(_status(run_reactor(_Run(command, timeout, grace, port).start)))


class _Run:
    """One run of the command."""

    def __init__(self, words: tuple[str, ...], timeout: float, grace: float, port: int) -> None:
        self._words = words
        self._timeout = timeout
        self._grace = grace
        self._port = port
        self._companion: Companion | None = None
        self._relays: list[Relay] = []

    def start(self, reactor: Any) -> "Deferred[Ended]":
        """Run the command; fires when it has ended, and all that it started."""
        from twisted.internet.defer import ensureDeferred

        from netlab.common.monotonic import use_monotonic_clock
        from netlab.watchdog.processes import adopt_orphans

        use_monotonic_clock(reactor)
        adopt_orphans()
        return ensureDeferred(self._watch(reactor))

    async def _watch(self, reactor: Any) -> "Ended":
        from netlab.cli.notified import Notified
        from netlab.watchdog.errors import CannotWatch, WatchdogGone

        notified = Notified(reactor, self._sign, self._timeout)
        try:
            companion = self._companion = await self._begin(reactor, notified)
            self._pass_signals(companion)
            companion.start()
            ended = await companion.outcome
            for relay in self._relays:
                await relay.ended
            await companion.stop()
        except CannotWatch as error:
            raise _failed(str(error), _NOT_RUN if error.found else _NOT_FOUND) from None
        except WatchdogGone as error:
            await self._end_all(reactor)
            raise _failed(f"{error}; {self._words[0]} is ended, too", _FAILED) from None
        finally:
            notified.stop()
            for relay in self._relays:
                relay.stop()
        return ended

    async def _begin(self, reactor: Any, notified: "Notified") -> "Companion":
        """Have the watchdog start the command, with its output on its way through us."""
        from netlab.cli.relay import Relay, own_stdin, stream_for
        from netlab.common.errors import ConnectFailed
        from netlab.watchdog.companion import Command, Wishes, start_watchdog
        from netlab.watchdog.errors import CannotWatch

        streams = [stream_for(sink) for sink in (1, 2)]
        theirs = [own_stdin(), *(their for _, their in streams)]
        command = Command(self._words, theirs[0], theirs[1], theirs[2], {**os.environ, **notified.environment})
        try:
            companion = await start_watchdog(reactor, Wishes(self._port, self._timeout, self._grace), command)
        except CannotWatch as error:
            raise _failed(str(error), _USAGE) from None
        except ConnectFailed as error:
            raise _failed(f"the watchdog does not begin: {error}", _FAILED) from None
        finally:
            for their in theirs:
                os.close(their)
        self._relays = [Relay(reactor, source, sink, self._sign) for sink, (source, _) in enumerate(streams, 1)]
        return companion

    def _sign(self) -> None:
        if self._companion is not None:
            self._companion.alive()

    def _pass_signals(self, companion: "Companion") -> None:
        """Whoever wants us to end wants the command to; asked again, both at once."""

        def asked(number: int, _frame: object) -> None:
            companion.finish(signal.Signals(number))
            if companion.outcome.called:
                for relay in self._relays:
                    relay.stop()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, asked)

    async def _end_all(self, reactor: Any) -> None:
        """End the command ourselves: its watchdog is no more, so it has become our own child."""
        from netlab.watchdog.supervisor import Orders, Supervisor
        from netlab.watchdog.timeline import Timeline

        await Supervisor(reactor).begin([], Orders(self._grace, adopting=True), Timeline(0.0)).finish()


def _status(ended: "Ended") -> int:
    """The exit status for what became of the command."""
    if ended.expired:
        return _SIGNALLED + signal.SIGKILL if ended.killed else _EXPIRED
    return ended.status if ended.status >= 0 else _SIGNALLED - ended.status


def _failed(reason: str, status: int) -> Failed:
    return Failed(f"netlab watch: {reason}", exit_code=status)
