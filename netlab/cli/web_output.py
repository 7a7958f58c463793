"""What ``netlab web`` shows: a story for people, bodies, or JSON."""

import json
import sys
from typing import TYPE_CHECKING

import click

from netlab.cli.terminal import say
from netlab.common.errors import NetlabError
from netlab.common.printable import printable

if TYPE_CHECKING:
    from netlab.web.client import Fetched


class Output:
    """Is told of everything as it happens.

    :param brief: whether fields are left out.
    """

    def __init__(self, brief: bool) -> None:
        self.brief = brief
        #: Whether a fetch got no response.
        self.failed = False
        self._requests = self._bytes = 0
        self._connections: set[int] = set()

    def serving(self, target: str) -> None:
        """A server of our own listens there."""

    def fetched(self, it: "Fetched") -> None:
        """What came of one request."""
        self._requests += 1
        self._connections.add(it.connection)
        if isinstance(it.outcome, NetlabError):
            self.failed = True
        else:
            self._bytes += it.outcome.size
        self.show(it)

    def show(self, it: "Fetched") -> None:
        """Write it."""

    def end(self) -> None:
        """That was all."""


class Text(Output):
    """For people."""

    def serving(self, target: str) -> None:
        """One line."""
        click.echo(f"the sample site is served on http://{target}/ for this run")

    def show(self, it: "Fetched") -> None:
        """A line, and a line for each field."""
        carried = f"connection {it.connection}, " + ("new" if it.nth == 1 else f"request {it.nth} on it")
        name = printable(f"{it.wanted.method} {it.wanted.target}")
        if isinstance(it.outcome, NetlabError):
            say(f"{name}: {it.outcome} ({carried})")
            return
        status = printable(f"{it.outcome.status} {it.outcome.phrase}")
        click.echo(f"{name}: {status}, {it.outcome.size:,} bytes in {it.total_ms:.1f} ms ({carried})")
        if not self.brief:
            for field, value in it.outcome.fields:
                click.echo(printable(f"  {field}: {value}"))

    def end(self) -> None:
        """The sum, where there is something to sum up."""
        if self._requests > 1:
            connections = len(self._connections)
            plural = "" if connections == 1 else "s"
            click.echo(f"{self._requests} requests over {connections} connection{plural}, {self._bytes:,} bytes")


class JsonLines(Output):
    """For programs: an object with ``target``, ``connection``, times, and ``status`` with its fields, or ``error``."""

    def show(self, it: "Fetched") -> None:
        """One object."""
        times = {"first_ms": round(it.first_ms, 3), "total_ms": round(it.total_ms, 3)}
        where = {"connection": it.connection, "nth": it.nth, **times}
        shown: dict[str, object] = {"target": it.wanted.target, "method": it.wanted.method, **where}
        if isinstance(it.outcome, NetlabError):
            shown["error"] = str(it.outcome)
        else:
            shown |= {"status": it.outcome.status, "bytes": it.outcome.size, "fields": list(it.outcome.fields)}
        click.echo(json.dumps(shown))


class Bodies(Output):
    """The bodies as they are, one after another."""

    def show(self, it: "Fetched") -> None:
        """The bytes; what is no success is said beside them."""
        if isinstance(it.outcome, NetlabError):
            say(f"{it.wanted.target}: {it.outcome}")
            return
        if it.outcome.status >= 300:
            say(f"{it.wanted.target}: {it.outcome.status} {it.outcome.phrase}")
        sys.stdout.buffer.write(it.outcome.body or b"")
