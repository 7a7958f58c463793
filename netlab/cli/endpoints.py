"""Where to connect, as a person writes it."""

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from twisted.internet.interfaces import IStreamClientEndpoint

#: ``HOST:PORT``, ``:PORT``, ``[::1]:PORT``; also ``tcp:9999``, because daemons are told to listen there in this form.
_HOST_AND_PORT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\[\]:=/\\]*)):(?P<port>[0-9]{1,5})")
_OWN_MACHINE = {"", "tcp"}


def endpoint_of(reactor: Any, text: str, option: str = "--connect") -> "IStreamClientEndpoint":
    """The endpoint that ``text`` names: ``HOST:PORT``, ``:PORT``, or a Twisted client endpoint.

    :raises click.UsageError: it names none; the error speaks of ``option``.
    """
    from twisted.internet.endpoints import HostnameEndpoint, clientFromString

    found = _HOST_AND_PORT.fullmatch(text)
    try:
        if found is None:
            endpoint: IStreamClientEndpoint = clientFromString(reactor, text)
            return endpoint
        port = int(found["port"])
        if 0 < port < 65_536:
            host = found["six"] or found["host"]
            return HostnameEndpoint(reactor, "127.0.0.1" if host in _OWN_MACHINE else host, port)
    except Exception as error:  # its parser raises whatever comes of a wrong text: ValueError, TypeError, KeyError, ...
        if text.startswith(("tls:", "ssl:")) and not _has_tls():
            raise click.UsageError(
                f"{option} {text!r} needs the tls extra; install it with: pip install 'netlab-daemons[tls]'"
            ) from error
    raise click.UsageError(
        f"{option} {text!r} is no endpoint; give HOST:PORT, :PORT, or a Twisted one such as unix:/path, tls:host:port"
    )


def refused_text(target: str, daemon: str) -> str:
    """What to say where nothing listens, and how to have something: ``daemon`` is a tap name."""
    return f"nothing listens on {target} (start a server with: twistd -n {daemon}, or name one with --connect)"


def _has_tls() -> bool:
    """Whether what Twisted has TLS from is installed (docs/dependencies.md)."""
    try:
        import OpenSSL  # noqa: F401
    except ImportError:
        return False
    return True
