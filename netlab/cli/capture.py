"""``netlab capture``: packets from the kernel, into a file, explained, or both."""

import sys

import click

from netlab.cli.telling_options import lang_option, language_here, roles_given, roles_option
from netlab.cli.terminal import Failed
from netlab.common.errors import NetlabError
from netlab.common.printable import printable

_EPILOG = """\b
examples:
  netlab capture --port 9999 -w calc.pcapng           until Ctrl+C, into a file
  netlab capture --port 9999 --explain                each packet as it comes, and a summary
  netlab capture -w - | netlab trace -                into another program
  netlab capture -w a.pcapng -- netlab calc '1 + 1'   while a command runs

\b
Without the right to capture, Wireshark's dumpcap is used where this user may run it. Otherwise COMMAND has a network
of its own, which has nothing but a loopback and needs no right: COMMAND has to start both sides there.
"""


@click.command("capture", epilog=_EPILOG)
@click.option("-i", "--interface", default="lo", show_default=True, help="Where; 'any' is everywhere.")
@click.option(
    "--port", "ports", multiple=True, type=click.IntRange(1, 65_535), help="Only TCP and UDP of this port (repeatable)."
)
@click.option("--icmp", is_flag=True, help="Only ICMP, or that as well as the ports.")
@click.option(
    "-w",
    "--write",
    "path",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write pcapng here; '-' is stdout, and COMMAND's stdout is then stderr.",
)
@click.option("--explain", is_flag=True, help="Tell of each packet as it comes.  [default without -w]")
@lang_option
@roles_option
@click.option(
    "--own-network", is_flag=True, help="Run COMMAND in a network of its own even with the right to capture here."
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
@click.pass_context
def capture(
    ctx: click.Context,
    interface: str,
    ports: tuple[int, ...],
    icmp: bool,
    path: str | None,
    explain: bool,
    lang: str | None,
    roles: str,
    own_network: bool,
    command: tuple[str, ...],
) -> None:
    """Capture packets while COMMAND runs, or until Ctrl+C.

    Times are the kernel's, in nanoseconds; each packet of the loopback is captured once; the first packet of each
    connection has the names of the programs at its ends as a comment. The exit code is the command's.
    """
    from netlab.cli.capture_run import Explaining, Wish, run

    _check(ports, path, explain, own_network, command)
    explaining = Explaining(lang or language_here(), roles_given(roles)) if explain or path is None else None
    wish = Wish(interface, tuple(sorted(set(ports))), icmp, path, explaining, own_network, command)
    try:
        code = run(wish)
    except NetlabError as error:
        raise Failed(f"netlab capture: {printable(str(error))}") from None
    ctx.exit(code)


def _check(
    ports: tuple[int, ...], path: str | None, explain: bool, own_network: bool, command: tuple[str, ...]
) -> None:
    """Refuse what cannot be meant.

    :raises click.UsageError: this cannot.
    """
    from netlab.trace.capturing.packet_filter import MAX_PORTS

    if len(set(ports)) > MAX_PORTS:
        raise click.UsageError(f"--port can be given {MAX_PORTS} times; without it every port is captured")
    if own_network and not command:
        raise click.UsageError("--own-network needs a command to run there")
    if path == "":
        raise click.UsageError("-w needs the name of a file")
    if path == "-" and explain:
        raise click.UsageError("stdout can have the packets (-w -) or their explanation, not both")
    if path == "-" and sys.stdout.isatty():
        raise click.UsageError(
            "-w - writes packets, which are nothing for a terminal: send them to a file or a program"
        )
