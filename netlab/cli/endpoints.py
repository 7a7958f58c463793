"""Where to connect, as a person writes it on the command line."""

from typing import TYPE_CHECKING, Any

import click

from netlab.common.endpoints import NoEndpoint, client_endpoint

if TYPE_CHECKING:
    from twisted.internet.interfaces import IStreamClientEndpoint


def endpoint_of(reactor: Any, text: str, option: str = "--connect") -> "IStreamClientEndpoint":
    """The endpoint that ``text`` names: ``HOST:PORT``, ``:PORT``, or a Twisted client endpoint.

    :raises click.UsageError: it names none; the error speaks of ``option``.
    """
    try:
        return client_endpoint(reactor, text)
    except NoEndpoint as error:
        raise click.UsageError(f"{option} {text!r} {error}") from error


def refused_text(target: str, daemon: str) -> str:
    """What to say where nothing listens, and how to have something: ``daemon`` is a tap name."""
    return f"nothing listens on {target} (start a server with: twistd -n {daemon}, or name one with --connect)"
