"""``netlab proxy``: ask a running proxy what it holds and why it answered as it did, over its control socket."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

import click

from netlab.cli.control_call import LONG_PATIENCE, ask
from netlab.cli.terminal import Failed
from netlab.common.printable import printable

#: After \b click leaves a paragraph's lines as they are.
_HELP = """Look into a running proxy: what it holds, and why it answered as it did.

\b
twistd -n netlab-proxy --control ./proxy.sock
netlab proxy explain --control ./proxy.sock
"""

_control_option = click.option(
    "--control",
    metavar="PATH",
    help="The control socket that the proxy was started with (or the variable NETLAB_PROXY_CONTROL).",
)


def _command(function: Callable[..., None]) -> click.Command:
    """A subcommand. It takes ``--control`` as the group does, so that it may stand on either side of the name."""

    @_control_option
    @click.pass_context
    @wraps(function)
    def run(ctx: click.Context, /, control: str | None, **options: Any) -> None:
        control = control or ctx.obj or os.environ.get("NETLAB_PROXY_CONTROL")
        if not control:
            raise click.UsageError("give the proxy's control socket: --control PATH")
        function(control, **options)

    return proxy.command()(run)


def _json_option(command: Any) -> Any:
    return click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object a line.")(command)


@click.group(help=_HELP)
@_control_option
@click.pass_context
def proxy(ctx: click.Context, control: str | None) -> None:
    """Remember the control socket for the subcommand."""
    ctx.obj = control


@_command
@_json_option
def stats(control: str, as_json: bool) -> None:
    """How often each outcome was, what is stored, and how the upstreams are."""
    facts = ask(control, do="stats")
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo("Requests:")
    for word, count in sorted(facts["requests"].items()) or [("none yet", "")]:
        click.echo(f"  {printable(word):22} {count}")
    click.echo("Store:")
    for name, value in facts["store"].items():
        click.echo(f"  {name:22} {printable(str(value))}")
    click.echo("Upstreams:")
    for upstream in facts["upstreams"]:
        name, state = printable(upstream["name"]), printable(upstream["state"])
        click.echo(f"  {name:22} {state} ({upstream['connections']} connections, {upstream['busy']} requests)")


@_command
@click.option("--last", type=click.IntRange(1, 200), default=10, show_default=True, help="How many decisions.")
@_json_option
def explain(control: str, last: int, as_json: bool) -> None:
    """The last decisions, each with the sum that made it."""
    records = ask(control, do="explain", last=last)
    for record in records:
        click.echo(json.dumps(record) if as_json else "\n".join(_explained(record)))
    if not records and not as_json:
        click.echo("The proxy has answered nothing yet.")


def _explained(record: dict[str, Any]) -> list[str]:
    time = datetime.fromtimestamp(record["time"]).astimezone().strftime("%H:%M:%S")
    steps = "with steps" if record["steps"] else "without steps"
    lines = [
        f"{time} {{{printable(record['peer'])}}} {printable(record['expression'])} ({record['codec']}, {steps})",
        f"  {printable(record['line'])}",
        f"  Cache-Status: {printable(record['cache_status'])}",
    ]
    if record["why"] is not None:
        lines.append(f"  {printable(record['why'])}")
    for title, total in (("what was stored", record["stored"]), ("the new answer", record["answer"])):
        if total is not None:
            lines += _sum_lines(title, total)
    sent = f"status {record['status']}, {record['response_length']} bytes for {record['request_length']}"
    return [*lines, f"  sent: {sent}", f"  key: {record['key']}"]


def _sum_lines(title: str, total: dict[str, Any]) -> list[str]:
    """The two subtractions, as one does them on paper."""
    return [
        f"  {title}: {side} max-age {total[f'{side}_limit']} s - age {total['age']} s = {total[f'{side}_remaining']} s"
        for side in ("server", "client")
    ]


@_command
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many keys at most.")
@_json_option
def keys(control: str, limit: int, as_json: bool) -> None:
    """The stored answers: the name of each key, and what it asks for."""
    found = ask(control, LONG_PATIENCE, do="keys", limit=limit)
    for key in found:
        steps = "steps" if key["steps"] else "-"
        plain = f"{key['key']}  {key['codec']:6}  {steps:5}  {printable(key['expression'])}"
        click.echo(json.dumps(key) if as_json else plain)
    if not found and not as_json:
        click.echo("Nothing is stored.")


@_command
@click.argument("key", required=False)
@click.option("--all", "everything", is_flag=True, help="Remove every stored answer.")
def purge(control: str, key: str | None, everything: bool) -> None:
    """Remove one stored answer, by the name that keys and explain show, or all of them."""
    if key is None and not everything:
        raise click.UsageError("give the name of a key, or --all")
    if key is not None and everything:
        raise click.UsageError("give the name of a key or --all, not both")
    removed = ask(control, LONG_PATIENCE, do="purge", **({"all": True} if everything else {"key": key}))
    click.echo(f"Removed {removed} stored {'answer' if removed == 1 else 'answers'}.")
    if not removed and key is not None:
        raise Failed(f"netlab proxy: nothing is stored under {key}; netlab proxy keys lists what is")
