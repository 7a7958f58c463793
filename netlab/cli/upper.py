"""``netlab upper``: play a client of the TCP laboratory (protocols.md §2)."""

import sys
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from netlab.cli.endpoints import endpoint_of, refused_text
from netlab.cli.parameters import seconds
from netlab.cli.running import run_reactor
from netlab.cli.terminal import Failed, has_colour
from netlab.cli.upper_output import JsonObject, Output, Story
from netlab.common.errors import ConnectRefused, NetlabError
from netlab.upper.errors import Stalled
from netlab.upper.playing import MAX_COUNT, SCRIPTS, Close, Script, Until
from netlab.upper.variants import MAX_DELAY, MAX_RECEIVE_SIZE

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from netlab.upper.ending import Ending

_DEFAULT_SECOND = SCRIPTS["session"].second or b""


def _message(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> bytes | None:
    if value == "":
        raise click.BadParameter("nothing to send: a message has at least one byte")
    # What the shell gave that is no UTF-8 is sent as it was.
    return None if value is None else value.encode(errors="surrogateescape")


def _reads(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> int | Until | None:
    if value is None or value in {until.value for until in Until}:
        return None if value is None else Until(value)
    if value.isascii() and value.isdigit() and len(value) < 20 and 0 <= int(value) <= MAX_COUNT:
        return int(value)
    raise click.BadParameter(f"{value!r} is no number, nor enough, nor end")


#: After \b click leaves a paragraph's lines as they are.
_HELP = """Play a client against an uppercase server, and tell what came and how the connection ended.

\b
session  sends 35 bytes, reads, sends 20 bytes, reads until the server closes
v1       sends 13 bytes, reads once, closes
v2       sends 20 bytes, reads once, closes while the rest is on its way: a RST
v3       sends 13 bytes, reads 1,024 twice, closes with data unread: a RST
v4       sends 130 bytes four times, reads once, closes

Each is a preset; the other options change parts of it. The servers are those of: twistd -n netlab-upper --variant V
"""


@click.command("upper", help=_HELP)
@click.option(
    "--connect",
    metavar="ENDPOINT",
    default="127.0.0.1:12345",
    show_default=True,
    help="The server: HOST:PORT, :PORT, or a Twisted endpoint such as unix:/path.",
)
@click.option(
    "--variant", type=click.Choice(list(SCRIPTS)), default="session", show_default=True, help="Which client to play."
)
@click.option("--message", metavar="TEXT", callback=_message, help="What to send.")
@click.option("--times", type=click.IntRange(1, MAX_COUNT), metavar="N", help="Send it N times, each by its own send.")
@click.option(
    "--two",
    "second",
    metavar="[TEXT]",
    is_flag=False,
    flag_value=_DEFAULT_SECOND.decode(),
    callback=_message,
    help="Send a second message when the first is answered.",
)
@click.option(
    "--reads",
    metavar="N|enough|end",
    callback=_reads,
    help="How many times to read after each message; or until as many bytes came as were sent, or to the stream's end.",
)
@click.option(
    "--read-size", type=click.IntRange(1, MAX_RECEIVE_SIZE), metavar="BYTES", help="What each read asks the kernel for."
)
@click.option(
    "--close",
    type=click.Choice([close.value for close in Close]),
    help="How to end: close after reading; close with unread data in the kernel's buffer, which sends a RST; abort, "
    "which sends one in any case; or end only the sending, and read on to the end.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0, MAX_DELAY),
    metavar="SECONDS",
    help="How long to wait before closing; what comes meanwhile stays unread.",
)
@click.option(
    "--late-acks", is_flag=True, default=None, help="Have the kernel acknowledge as late as it may (TCP_QUICKACK off)."
)
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object.")
@click.option(
    "--timeout",
    callback=seconds,
    default="30",
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a connection, and for the server at each call.",
)
def upper(connect: str, variant: str, as_json: bool, timeout: float, **changes: Any) -> None:
    """Play, show, and exit."""
    script = _script(variant, changes)
    output: Output = JsonObject() if as_json else Story(has_colour(sys.stdout))
    try:
        output.ended(run_reactor(lambda reactor: _start(reactor, connect, script, timeout, output)))
    except NetlabError as error:
        raise Failed(f"netlab upper: {_explained(error, connect)}") from None


def _script(variant: str, changes: dict[str, Any]) -> Script:
    """The client of that name, with what was asked to be changed."""
    given = {name: value for name, value in changes.items() if value is not None}
    if "close" in given:
        given["close"] = Close(given["close"])
    return evolve(SCRIPTS[variant], **given)


def _start(reactor: Any, target: str, script: Script, timeout: float, output: Output) -> "Deferred[Ending]":
    from netlab.upper.client import play

    return play(endpoint_of(reactor, target), script, reactor, timeout=timeout, watcher=output)


def _explained(error: NetlabError, target: str) -> str:
    """What went wrong, and what can be done."""
    if isinstance(error, ConnectRefused):
        return refused_text(target, "netlab-upper")
    return f"{target}: {error}" + (" (--timeout allows longer)" if isinstance(error, Stalled) else "")
