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
