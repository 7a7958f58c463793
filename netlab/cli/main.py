"""``netlab``: the group of all commands.

A command's file is imported when it runs, so that ``netlab --help`` costs no more than click itself. To add one,
write its loader and its line in `COMMANDS`.
"""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import click

from netlab import __version__
from netlab.cli.terminal import Failed, open_missing_streams, say, writing


def _calc() -> click.Command:
    from netlab.cli.calc import calc

    return calc


def _ping() -> click.Command:
    from netlab.cli.ping import ping

    return ping


def _watch() -> click.Command:
    from netlab.cli.watch import watch

    return watch


def _proxy() -> click.Command:
    from netlab.cli.proxy import proxy

    return proxy


def _upper() -> click.Command:
    from netlab.cli.upper import upper

    return upper


def _web() -> click.Command:
    from netlab.cli.web import web

    return web


def _capture() -> click.Command:
    from netlab.cli.capture import capture

    return capture


def _trace() -> click.Command:
    # Nothing in there refers to itself; looking for what does would take a tenth of the time, from the imports on.
    gc.disable()
    from netlab.cli.trace import trace

    return trace


def _lab() -> click.Command:
    from netlab.cli.lab import lab

    return lab


def _wireshark() -> click.Command:
    from netlab.cli.wireshark import wireshark

    return wireshark


class Entry(NamedTuple):
    """A command before it is imported: how to import it, and its line in ``netlab --help``."""

    load: Callable[[], click.Command]
    summary: str


COMMANDS = {
    "calc": Entry(_calc, "Have a calculator server compute an expression, step by step."),
    "ping": Entry(_ping, "Send ICMP echo requests and tell the fate of each."),
    "watch": Entry(_watch, "Run a command, and end it when it gives no sign of life."),
    "proxy": Entry(_proxy, "Look into a running proxy: what it holds, and why it answered as it did."),
    "upper": Entry(_upper, "Play a client of the TCP laboratory, and tell how the connection ended."),
    "web": Entry(_web, "Fetch from a web server, and see how HTTP carried it."),
    "capture": Entry(_capture, "Capture packets, while a command runs or until Ctrl+C."),
    "trace": Entry(_trace, "Explain a capture file, packet by packet."),
    "lab": Entry(_lab, "Run the classic experiments, each captured, checked and written up."),
    "wireshark": Entry(_wireshark, "Teach Wireshark the protocols of the lab."),
}

#: What a shell reports of a program that died of this signal.
_INTERRUPTED = 128 + 2


class _Commands(click.Group):
    """The commands of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        return entry.load() if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS)
            hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(sorted(COMMANDS))}"
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read the command line, which may ask for help and no more."""
        with writing():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; being interrupted, or no longer read, is an end like another."""
        try:
            with writing():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


@click.command(cls=_Commands, invoke_without_command=True, no_args_is_help=False)
@click.version_option(__version__, prog_name="netlab")
@click.pass_context
def netlab(ctx: click.Context) -> None:
    """A network laboratory: real daemons, and a microscope that explains what they say.

    The daemons are started with twistd (twistd --help lists those that begin with netlab-); these are the commands
    that go with them.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code: 1 for a failure, 2 for bad usage, each with a line on stderr.

    :param arguments: without the program's name; `None` for those of this process.
    """
    open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = netlab.main(arguments, prog_name="netlab", standalone_mode=False)
    except click.Abort:
        return _INTERRUPTED
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else _command_of(sys.argv[1:] if arguments is None else arguments)
        say(f"{command}: {_wrong_usage(error)} (see {command} --help)")
        return error.exit_code
    except Failed as error:
        say(error.message, error.details)
        return error.exit_code
    except Exception as error:
        if os.environ.get("NETLAB_DEBUG"):
            raise
        say(f"netlab: a fault of its own, {type(error).__name__}: {error} (NETLAB_DEBUG=1 shows where)")
        return 1
    return code if isinstance(code, int) else 0


def _command_of(arguments: Sequence[str]) -> str:
    """Whose command line it is, where the error does not say."""
    return " ".join(["netlab", *(word for word in arguments[:1] if word in COMMANDS)])


def _wrong_usage(error: click.UsageError) -> str:
    """What is wrong with a command line, as the middle of a sentence."""
    if isinstance(error, click.NoSuchOption):
        close = " or ".join(error.possibilities or ())
        return f"no option {error.option_name}" + (f"; did you mean {close}?" if close else "")
    words = error.format_message().rstrip(".")
    return words[:1].lower() + words[1:]


def main() -> None:
    """What the ``netlab`` command calls."""
    sys.exit(run())


if __name__ == "__main__":
    main()
