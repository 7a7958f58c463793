"""One run of ``netlab capture``: where its packets come from, what ends it, and what is told of it."""

import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from netlab.cli.capture_source import source_of
from netlab.cli.running import run_reactor
from netlab.cli.terminal import Failed
from netlab.common.printable import printable
from netlab.trace.words.people import Roles

if TYPE_CHECKING:
    from netlab.trace.capturing.child import Child
    from netlab.trace.capturing.live import Live
    from netlab.trace.capturing.output_file import OutputFile
    from netlab.trace.capturing.session import Summary
    from netlab.trace.capturing.source import Source

#: Ctrl+C, a polite request, and the terminal's end, which `nohup` has us ignore.
_ENDING = signal.SIGINT, signal.SIGTERM, signal.SIGHUP

#: Seconds after the end of a capture in which a signal that comes twice, or late, changes nothing.
_SETTLED = 1.0


@frozen
class Explaining:
    """How packets are to be told."""

    lang: str
    roles: Roles


@frozen
class Wish:
    """What to capture, where to, and while what runs; ``explaining`` is `None` if nothing is to be told."""

    interface: str
    ports: tuple[int, ...]
    icmp: bool
    path: str | None
    explaining: Explaining | None
    own_network: bool
    command: tuple[str, ...]


def run(wish: Wish) -> int:
    """Capture, run the command if there is one, and tell how it went; the exit code.

    The file is opened when packets can come: what stands in it is not lost for a mistake in the command line.

    :raises CannotCapture: it cannot begin, or ended before it was asked to.
    """
    from netlab.trace.capturing.child import program_of

    program = program_of(wish.command) if wish.command else None
    source = source_of(wish.interface, wish.ports, wish.icmp, bool(wish.command), wish.own_network)
    try:
        out = _opened(wish.path)
        code: int = run_reactor(lambda reactor: _deferred(_Run(reactor, wish, source, out).run(program)))
        return code
    finally:
        source.abandon()


def _opened(path: str | None) -> "OutputFile | None":
    from netlab.trace.capturing.output_file import OutputFile

    if path is None:
        return None
    try:
        return OutputFile(sys.stdout.fileno() if path == "-" else path)
    except OSError as error:
        raise Failed(f"netlab capture: cannot write {printable(path)}: {error.strerror}") from None


def _deferred(work: Any) -> Any:
    from twisted.internet.defer import Deferred

    return Deferred.fromCoroutine(work)


class _Run:
    """What runs in the reactor."""

    def __init__(self, reactor: Any, wish: Wish, source: "Source", out: "OutputFile | None") -> None:
        from twisted.internet.defer import Deferred

        from netlab.trace.capturing.dumpcap import filter_text
        from netlab.trace.capturing.session import Session

        self._reactor = reactor
        self._wish = wish
        self._source = source
        self._out = out
        self._live = self._explaining(wish.explaining) if wish.explaining else None
        sinks = [sink for sink in (out, self._live) if sink is not None]
        wanted = filter_text(wish.ports, icmp=wish.icmp)
        self._session = Session(reactor, wish.interface, wanted, sinks, self._failed)
        self._running: Child | None = None
        self._interrupted = False
        #: Fires when the capture is to end.
        self._over: Deferred[None] = Deferred()
        self._failure: Exception | None = None
        self._code = 0

    async def run(self, program: str | None) -> int:
        """Capture until the end; the exit code.

        :raises Exception: what it ended of, if that was no good end.
        """
        for number in _ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda heard, _frame: self._reactor.callFromThread(self._heard, heard))
        self._session.start(self._source)
        if program is not None:
            self._start(program)
        await self._over
        await self._end_command()
        summary = await self._finish()
        if self._failure is not None:
            raise self._failure
        self._tell(summary)
        return self._code

    def _start(self, program: str) -> None:
        from netlab.trace.capturing import child

        def exited(code: int) -> None:
            self._code = code
            self._end()

        # Where packets go, nothing else may.
        stdout = 2 if self._wish.path == "-" else 1
        self._running = child.start(self._reactor, program, self._wish.command, stdout)
        self._running.ended.addCallback(exited)

    def _end(self) -> None:
        if not self._over.called:
            self._over.callback(None)

    def _failed(self, error: Exception) -> None:
        """Nothing more can be captured, written or told."""
        self._failure = self._failure or error
        self._end()

    def _heard(self, number: int) -> None:
        """A signal. The command has got Ctrl+C from the terminal as well, and its end is ours: the first is its own."""
        if self._running is None:
            self._end()
        elif number != signal.SIGINT or self._interrupted:
            self._running.terminate()
        self._interrupted = True

    async def _end_command(self) -> None:
        """After a failure the command is of no use any more."""
        if self._running is not None and not self._running.ended.called:
            self._running.terminate()
            await self._running.ended

    async def _finish(self) -> "Summary":
        """Write and tell the rest. Who does not want to wait for that presses Ctrl+C again, and we are gone."""
        from twisted.internet.threads import deferToThread

        self._reactor.callLater(_SETTLED, _die_of_signals)
        summary = await self._session.finish()
        if self._out is not None:
            self._out.close()
        if self._live is not None:
            self._live.close()
            await deferToThread(self._live.wait)
        return summary

    def _explaining(self, how: Explaining) -> "Live":
        from netlab.trace.capturing.live import Live

        def ended(error: Exception | None) -> None:
            if error is not None:
                self._reactor.callFromThread(self._failed, error)

        live = Live(_explanation(how), ended)
        live.start()
        return live

    def _tell(self, summary: "Summary") -> None:
        wish = self._wish
        packets = f"{summary.packets:,} packet{'' if summary.packets == 1 else 's'}"
        lost = f", {summary.dropped:,} more dropped by the kernel" if summary.dropped else ", none dropped"
        where = f" in {printable(wish.path)}" if wish.path not in (None, "-") else ""
        click.echo(f"netlab capture: {packets} on {printable(wish.interface)}{where}{lost}", err=True)


def _die_of_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _explanation(how: Explaining) -> Callable[[Iterator[bytes]], None]:
    """What reads a capture and tells it on stdout, line by line, as `netlab trace -` does."""
    from netlab.cli.trace_output import Output
    from netlab.trace.reading import Trace
    from netlab.trace.report.telling import Telling
    from netlab.trace.report.text import TextReport
    from netlab.trace.words.loading import language

    output = Output(live=True, pager=False)
    words = language(how.lang)

    def explain(pieces: Iterator[bytes]) -> None:
        telling = Telling(Trace(pieces), None, how.roles)
        report = TextReport(telling, how.roles, words, output.width, output.paint, live=True)
        output.write(f"{line}\n" for line in report.lines())

    return explain
