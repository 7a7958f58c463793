"""``netlab web``: fetch from a web server, and see how HTTP carried it (protocols.md §3)."""

from typing import TYPE_CHECKING, Any

import click

from netlab.cli.parameters import seconds
from netlab.cli.running import run_reactor
from netlab.cli.terminal import Failed
from netlab.common.errors import ConnectRefused, LocalError, NetlabError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from netlab.web.client import Fetched, Plan
    from netlab.web.fetching import Wanted

_DEFAULT = "127.0.0.1:8080"

#: What browsers open to one server at the most.
_BROWSER_CONNECTIONS = 6

#: Bytes of a body that are shown.
_MAX_BODY = 64 << 20

_HELP = """Fetch each URL, and show the status, the fields, how many bytes came, and which connection carried them.

URL is a path such as /index.html, asked of the server at --connect, or http://HOST:PORT/path.

--sample fetches the sample site as a browser does: its pages, its redirect, and its 12 images over up to 6
connections. Without --connect, a server of it runs for just as long.
"""


@click.command("web", help=_HELP)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option(
    "--connect",
    metavar="ENDPOINT",
    help=f"The server: HOST:PORT, :PORT, or an endpoint such as unix:/path or tls:host:port.  [default: {_DEFAULT}]",
)
@click.option("--sample", is_flag=True, help="Fetch the sample site, like a browser.")
@click.option("--head", is_flag=True, help="Ask for the heads alone, by HEAD.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A field to send; repeatable.")
@click.option("--connections", type=click.IntRange(1, 64), help="How many connections at most.  [default: 1]")
@click.option("--close", is_flag=True, help="Ask for a new connection each time.")
@click.option(
    "--stay",
    type=click.FloatRange(0, 3_600),
    default=0.0,
    metavar="SECONDS",
    help="Leave connections open for so long at the end, for the server to close them.",
)
@click.option("--body", is_flag=True, help="Write the bodies, and nothing else, to stdout.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object a line for each URL.")
@click.option(
    "--timeout",
    callback=seconds,
    default="10",
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a connection, and for each response.",
)
@click.pass_context
def web(ctx: click.Context, /, urls: tuple[str, ...], sample: bool, **options: Any) -> None:
    """Fetch, show, and exit."""
    if not urls and not sample:
        raise click.UsageError("give a URL such as /index.html, or --sample")
    if options["body"] and options["as_json"]:
        raise click.UsageError("give either --body or --json, not both")
    run = _Run(urls, sample, options)
    try:
        run_reactor(run.start)
    except (NetlabError, OSError) as error:
        raise Failed(f"netlab web: {_explained(error, run.target)}") from None
    run.output.end()
    ctx.exit(1 if run.output.failed else 0)


class _Run:
    """One run of the command."""

    def __init__(self, urls: tuple[str, ...], sample: bool, options: dict[str, Any]) -> None:
        from netlab.cli.web_output import Bodies, JsonLines, Output, Text

        self._options = options
        self._sample = sample
        try:
            self._wanted = self._requests(urls)
            self.target = options["connect"] or self._authority() or _DEFAULT
        except LocalError as error:
            raise Failed(f"netlab web: {error}") from None
        self._serves = sample and not options["connect"] and not urls
        kind = JsonLines if options["as_json"] else Bodies if options["body"] else Text
        self.output: Output = kind(brief=sample)

    def start(self, reactor: Any) -> "Deferred[Any]":
        """Fetch everything; fires when all connections are gone."""
        from twisted.internet.defer import ensureDeferred

        return ensureDeferred(self._fetch(reactor))

    async def _fetch(self, reactor: Any) -> None:
        from netlab.cli.endpoints import endpoint_of
        from netlab.web.client import fetch_all

        stop = await self._serve(reactor) if self._serves else None
        try:
            endpoint = endpoint_of(reactor, self.target)
            await fetch_all(endpoint, reactor, self._wanted, self._plan())
        finally:
            if stop is not None:
                await stop()

    async def _serve(self, reactor: Any) -> Any:
        """Serve the sample site on a port of its own; what stops it again."""
        from twisted.internet.endpoints import TCP4ServerEndpoint

        from netlab.web.tap import Options, factory_of

        settings = Options()
        settings.parseOptions([])
        factory = factory_of(settings, reactor)
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
        self.target = f"127.0.0.1:{port.getHost().port}"
        self.output.serving(self.target)

        async def stop() -> None:
            await port.stopListening()
            await factory.stop()

        return stop

    def _plan(self) -> "Plan":
        from netlab.web.client import Plan

        options = self._options
        most = options["connections"] or (_BROWSER_CONNECTIONS if self._sample else 1)
        authority = self.target if ":" in self.target and "/" not in self.target else "localhost"
        keeps = _MAX_BODY if options["body"] else None
        return Plan(authority, most, keeps, options["timeout"], options["stay"], self._show)

    def _show(self, fetched: "Fetched") -> None:
        self.output.fetched(fetched)

    def _requests(self, urls: tuple[str, ...]) -> "list[Wanted]":
        from netlab.web.fetching import field_of, wanted
        from netlab.web.sample import TARGETS

        fields = tuple(field_of(text) for text in self._options["headers"])
        method = "HEAD" if self._options["head"] else "GET"
        targets = (*urls, *(TARGETS if self._sample else ()))
        return [wanted(target, method, fields, not self._options["close"]) for target in targets]

    def _authority(self) -> str:
        """The server that the URLs name, with its port; empty if none does."""
        named = sorted({request.authority for request in self._wanted if request.authority})
        if len(named) > 1:
            raise Failed(f"netlab web: one server at a time, not {' and '.join(named[:2])}")
        if not named:
            return ""
        has_port = named[0].rpartition("]")[2].count(":") > 0
        return named[0] if has_port else f"{named[0]}:80"


def _explained(error: Exception, target: str) -> str:
    """What went wrong with the connection, and what can be done."""
    if isinstance(error, ConnectRefused):
        from netlab.cli.endpoints import refused_text

        return refused_text(target, "netlab-web")
    return f"{target}: {error}"
