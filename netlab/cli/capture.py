"""``netlab capture``: packets from the kernel, into a file, explained, or both."""

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from attrs import frozen

from netlab.cli.running import run_reactor
from netlab.cli.terminal import Failed
from netlab.common.errors import NetlabError
from netlab.common.printable import printable

if TYPE_CHECKING:
    from netlab.trace.capturing.session import Session, Source, Summary

_EPILOG = """\b
examples:
  netlab capture --port 9999 -w calc.pcapng           until Ctrl+C, into a file
  netlab capture --port 9999 --explain                each packet as it comes
  netlab capture -w - | netlab trace -                into another program
  netlab capture -w a.pcapng -- netlab calc '1 + 1'   while a command runs

\b
Who has not the right to capture can do so while a command runs, in a network of its own that has nothing but a
loopback: the command has to start both sides there. Otherwise Wireshark's dumpcap is used, where this user may run it.
"""

_NO_RIGHT = (
    "no right to capture here: become root, or sudo setcap cap_net_raw+ep on a copy of Python, or join dumpcap's group "
    "(Debian: dpkg-reconfigure wireshark-common); with a command (-- COMMAND) netlab needs no right at all"
)


@frozen
class _Wish:
    """What to capture, where to, and while what runs."""

    interface: str
    ports: tuple[int, ...]
    icmp: bool
    out: BinaryIO | None
    name: str
    explain: bool
    command: tuple[str, ...]


@click.command("capture", epilog=_EPILOG, context_settings={"ignore_unknown_options": False})
@click.option("-i", "--interface", default="lo", show_default=True, help="Where; 'any' is everywhere.")
@click.option(
    "--port", "ports", multiple=True, type=click.IntRange(1, 65_535), help="Only TCP and UDP of this port (repeatable)."
)
@click.option("--icmp", is_flag=True, help="Only ICMP, or that as well as the ports.")
@click.option(
    "-w", "--write", "path", type=click.Path(dir_okay=False, allow_dash=True), help="Write pcapng here; '-' is stdout."
)
@click.option("--explain", is_flag=True, help="Tell of each packet as it comes.  [default without -w]")
@click.option(
    "--own-network", is_flag=True, help="Run the command in a network of its own even with the right to capture."
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def capture(
    ctx: click.Context,
    interface: str,
    ports: tuple[int, ...],
    icmp: bool,
    path: str | None,
    explain: bool,
    own_network: bool,
    command: tuple[str, ...],
) -> None:
    """Capture packets while COMMAND runs, or until Ctrl+C.

    Times are the kernel's, in nanoseconds; each packet of the loopback is captured once; the first packet of each
    connection has the names of the programs at its ends as a comment. The exit code is the command's.
    """
    if own_network and not command:
        raise click.UsageError("--own-network needs a command to run there")
    if path == "-" and explain:
        raise click.UsageError("stdout can have the packets (-w -) or their explanation, not both")
    _choose_network(own_network, bool(command))
    out = _open(path)
    wish = _Wish(interface, ports, icmp, out, path or "", explain or path is None, command)
    try:
        code = run_reactor(lambda reactor: _deferred(_capture(reactor, wish)))
    except NetlabError as error:
        raise Failed(f"netlab capture: {printable(str(error))}") from None
    ctx.exit(code)


def _choose_network(wanted: bool, has_command: bool) -> None:
    """Enter a network of our own if that is wanted, or the only way. It has to come before any thread is started."""
    from netlab.common.namespace import NoNamespace, enter_own_network

    if not wanted and (_may_capture() or not has_command):
        return
    try:
        enter_own_network()
    except NoNamespace as error:
        if wanted:
            raise Failed(f"netlab capture: {error}") from None
        return
    if not wanted:
        click.echo("netlab capture: without the right to capture here, COMMAND runs in a network of its own", err=True)


def _may_capture() -> bool:
    import socket

    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True


def _open(path: str | None) -> BinaryIO | None:
    if path is None:
        return None
    if path == "-":
        if sys.stdout.isatty():
            raise click.UsageError(
                "-w - writes packets, which are nothing for a terminal: send them to a file or a program"
            )
        return sys.stdout.buffer
    try:
        return Path(path).open("wb")
    except OSError as error:
        raise Failed(f"netlab capture: cannot write {printable(path)}: {error.strerror}") from None


def _deferred(work: Any) -> Any:
    from twisted.internet.defer import Deferred

    return Deferred.fromCoroutine(work)


async def _capture(reactor: Any, wish: _Wish) -> int:
    """Capture, run the command if there is one, and tell how it went; the exit code."""
    from netlab.trace.capturing import child
    from netlab.trace.capturing.session import Session

    session = Session(reactor, wish.interface, wish.out, _explain_to_stdout() if wish.explain else None)
    source = _source(reactor, wish, session)
    session.start(source)
    running = child.start(reactor, wish.command) if wish.command else None
    code = await _until_the_end(reactor, session, running)
    summary = await session.finish()
    _tell(wish, summary)
    return code


def _source(reactor: Any, wish: _Wish, session: "Session") -> "Source":
    from netlab.trace.capturing.errors import CannotCapture, NoRightToCapture
    from netlab.trace.capturing.source import source_for

    try:
        return source_for(reactor, wish.interface, wish.ports, wish.icmp, session.received)
    except NoRightToCapture as error:
        raise CannotCapture(f"{_NO_RIGHT}; dumpcap: {error}") from None


def _explain_to_stdout() -> "Callable[[int, Sequence[Any]], None]":
    from netlab.trace.capturing.live import Live

    live: list[Live] = []

    def explain(link_type: int, records: Any) -> None:
        if not live:
            live.append(Live(link_type))
        for line in live[0].lines(records):
            sys.stdout.write(f"{printable(line)}\n")
        sys.stdout.flush()

    return explain


async def _until_the_end(reactor: Any, session: "Session", running: Any) -> int:
    """Wait for Ctrl+C, SIGTERM, the command's end or a file that can be written no more; the exit code."""
    from twisted.internet.defer import Deferred, DeferredList

    stopped: Deferred[int] = Deferred()

    def stop() -> None:
        if running is not None:
            running.terminate()
        elif not stopped.called:
            stopped.callback(0)

    def interrupted() -> None:
        # The command has got Ctrl+C from the terminal as well: its end is ours.
        if running is None:
            stop()

    signal.signal(signal.SIGINT, lambda *_: reactor.callFromThread(interrupted))
    signal.signal(signal.SIGTERM, lambda *_: reactor.callFromThread(stop))
    ends = [stopped if running is None else running.ended, session.failed]
    code, _ = await DeferredList(ends, fireOnOneCallback=True, fireOnOneErrback=True, consumeErrors=True)
    return int(code)


def _tell(wish: _Wish, summary: "Summary") -> None:
    packets = f"{summary.packets:,} packet{'' if summary.packets == 1 else 's'}"
    lost = f", {summary.dropped:,} more dropped by the kernel" if summary.dropped else ", none dropped"
    where = f" in {printable(wish.name)}" if wish.out is not None and wish.name != "-" else ""
    click.echo(f"netlab capture: {packets} on {printable(wish.interface)}{where}{lost}", err=True)
