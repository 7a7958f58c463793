"""``netlab calc``: ask a calculator server (protocols.md §1)."""

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from netlab.calc.codecs.choice import Codec
from netlab.calc.errors import AnswerTimeout
from netlab.calc.functions import CONSTANTS, FUNCTIONS
from netlab.calc.question import Wishes, seconds_of
from netlab.calc.sources import Listed, Mapped, Source
from netlab.cli.calc_input import Given, Text, expressions, given
from netlab.cli.calc_lines import LineStream
from netlab.cli.calc_output import JsonLines, Output, Story
from netlab.cli.parameters import seconds
from netlab.cli.progress import Progress
from netlab.cli.running import run_reactor
from netlab.cli.terminal import Failed, has_colour, say
from netlab.common.errors import ConnectionFault, ConnectRefused, LocalError, NetlabError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_NAMES = "|".join([*(what.name for what in FUNCTIONS), *CONSTANTS])
#: Two signs and a name, such as ``--pi``: an expression, though it looks like an option.
_SIGNED_NAME = re.compile(rf"--({_NAMES})\b", re.IGNORECASE)


class _ExpressionCommand(click.Command):
    """A command whose words may begin with a minus."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {name for parameter in self.get_params(ctx) for name in (*parameter.opts, *parameter.secondary_opts)}
        for word in args[: args.index("--") if "--" in args else None]:
            name = word.partition("=")[0]
            if re.match("--[A-Za-z]", word) and name not in known and not _SIGNED_NAME.match(word):
                raise click.NoSuchOption(name, possibilities=_close(name, known), ctx=ctx)
        return super().parse_args(ctx, args)


def _close(name: str, known: set[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, known)


def _max_age(_ctx: click.Context, _parameter: click.Parameter, value: str) -> float:
    try:
        seconds_of(float(value))
    except (LocalError, ValueError):
        raise click.BadParameter(f"{value!r} is neither 0 to 65,534 whole seconds nor inf") from None
    return float(value)


#: After \b click leaves a paragraph's lines as they are.
_HELP = """Have a calculator server compute EXPRESSION, and show every step.

\b
Operators   + - * / % **
Functions   sin cos tan sqrt log max min pow rand
Constants   pi tau e

EXPRESSION is "-" to read expressions from stdin, one a line, and ask them all over one connection. Blank lines
and what follows a # are skipped.
"""


@click.command(
    "calc",
    cls=_ExpressionCommand,
    help=_HELP,
    context_settings={"ignore_unknown_options": True},
    epilog="An expression may begin with a minus, and many words are one expression: netlab calc -pi + 3",
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="EXPRESSION")
@click.option(
    "--connect",
    metavar="ENDPOINT",
    default="127.0.0.1:9999",
    show_default=True,
    help="The server: HOST:PORT, :PORT, or a Twisted endpoint such as unix:/path or tls:host:port.",
)
@click.option("--file", type=click.Path(), metavar="FILE", help="Ask all expressions of FILE, one a line ('-': stdin).")
@click.option("--steps/--no-steps", default=True, help="Show every step of the computation, or just the result.")
@click.option(
    "--max-age",
    callback=_max_age,
    default="inf",
    show_default=True,
    metavar="SECONDS|inf",
    help="The oldest cached answer to accept; 0 has it computed again.",
)
@click.option("--no-cache", is_flag=True, help="Tell caches on the way to keep out of it.")
@click.option(
    "--codec",
    type=click.Choice(["pickle", "json"]),
    default="pickle",
    show_default=True,
    help="What is sent: pickle, which every server knows, or JSON, which ours know.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object a line for each expression.")
@click.option(
    "--timeout",
    callback=seconds,
    default="10",
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a connection, and for the next answer.",
)
@click.pass_context
def calc(ctx: click.Context, /, words: tuple[str, ...], file: str | None, as_json: bool, **options: Any) -> None:
    """Ask, show, and exit."""
    run = _Run(given(words, file), as_json, options)
    try:
        run_reactor(run.start)
    except NetlabError as error:
        raise Failed(f"netlab calc: {run.give_up(error)}") from None
    if not run.output.done:
        raise Failed(f"netlab calc: there is no expression in {'stdin' if file in (None, '-') else file}")
    if run.complaint:
        raise run.complaint
    ctx.exit(1 if run.output.failed else 0)


class _Run:
    """One run of the command: what is asked, of whom, and where the answers go."""

    def __init__(self, given: Given, as_json: bool, options: dict[str, Any]) -> None:
        self.target: str = options["connect"]
        self.given = given
        #: What is wrong with the one expression of a command line, to be said when everything else was.
        self.complaint: Failed | None = None
        self._timeout: float = options["timeout"]
        self._wishes = Wishes(
            steps=options["steps"],
            cache=not options["no_cache"],
            max_age=options["max_age"],
            codec=Codec[options["codec"].upper()],
        )
        kind = JsonLines if as_json else Story
        self.output: Output = kind(self._complain, has_colour(sys.stdout), alone=given.alone)
        self._progress: Progress | None = None
        self._stream: LineStream[Text] | None = None

    def start(self, reactor: Any) -> "Deferred[Any]":
        """Ask everything; fires when all is answered and the connection is gone."""
        from netlab.calc.client import calculate_stream
        from netlab.cli.endpoints import endpoint_of

        endpoint = endpoint_of(reactor, self.target)
        total = len(self.given.texts or ())
        # Where the answers themselves scroll by, a bar would only be in their way.
        if total > 1 and sys.stderr.isatty() and not sys.stdout.isatty():
            self._progress = Progress(reactor, total, lambda: self.output.done)
        texts = Mapped(self.output.taken, self._texts(reactor))
        asking = calculate_stream(endpoint, texts, reactor, self.output, timeout=self._timeout, **self._wishes)
        return asking.addBoth(self._stop)

    def give_up(self, error: NetlabError) -> str:
        """Account for all that ``error`` left without an answer; what to say of it."""
        output, texts = self.output, self.given.texts
        if texts is not None:
            output.pending.extend(texts[output.done + len(output.pending) :])
        line = output.pending[0].line if output.pending else 0
        done, total = f"{output.done:,}", f" of {len(texts):,}" if texts else ""
        begun = output.answers and line
        output.unanswered(error)
        if not begun:
            return _explained(error, self.target)
        where = f"the connection ended after {done}{total} expressions, line {line} was not answered"
        return f"{self.target}: {where}: {_reason(error)}"

    def _texts(self, reactor: Any) -> Source[Text]:
        if self.given.texts is not None:
            return Listed(self.given.texts)
        self._stream = LineStream(reactor, self.given.descriptor, self.given.file, expressions())
        return self._stream

    def _complain(self, message: str, details: str) -> None:
        message = f"netlab calc: {message}"
        if self.given.alone:
            self.complaint = Failed(message, details)
        elif self._progress:
            self._progress.complain(message, details)
        else:
            say(message, details)

    def _stop(self, outcome: Any) -> Any:
        if self._progress:
            self._progress.stop()
        if self._stream:
            self._stream.close()
        return outcome


def _explained(error: NetlabError, target: str) -> str:
    """What went wrong with a connection, and what can be done."""
    if isinstance(error, ConnectRefused):
        from netlab.cli.endpoints import refused_text

        return refused_text(target, "netlab-calc")
    if isinstance(error, ConnectionFault):
        return f"{target}: {_reason(error)}"
    return f"{target} does not speak the calculator protocol: {error}"


def _reason(error: NetlabError) -> str:
    if isinstance(error, ConnectRefused):
        return "nothing listens there any more"
    return f"{error} (--timeout allows longer)" if isinstance(error, AnswerTimeout) else str(error)
