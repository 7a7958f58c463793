"""Where to connect, as a person writes it, for commands and for daemons."""

import re
from typing import TYPE_CHECKING, Any

from netlab.common.errors import LocalError

if TYPE_CHECKING:
    from twisted.internet.interfaces import IStreamClientEndpoint

#: ``HOST:PORT``, ``:PORT``, ``[::1]:PORT``; also ``tcp:9999``, because daemons are told to listen there in this form.
_HOST_AND_PORT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\[\]:=/\\]*)):(?P<port>[0-9]{1,5})")
_OWN_MACHINE = {"", "tcp"}

#: Kinds of Twisted's client endpoints that have a host and a port: ``tcp:HOST:PORT``.
_WITH_PORT = {"tcp", "tls", "ssl"}

_COLON = re.compile(r"(?<!\\):")

_FORMS = "give HOST:PORT, :PORT, or a Twisted one such as unix:/path, tls:host:port"


class NoEndpoint(LocalError):
    """A text names no endpoint; the error goes on after it: ``is no endpoint; give …``."""


def client_endpoint(reactor: Any, text: str) -> "IStreamClientEndpoint":
    """The endpoint that ``text`` names: ``HOST:PORT``, ``:PORT``, or a Twisted client endpoint.

    :raises NoEndpoint: it names none, or needs what is not installed.
    """
    from twisted.internet.endpoints import HostnameEndpoint, clientFromString

    found = _HOST_AND_PORT.fullmatch(text)
    try:
        _check_port(text if found is None else f"tcp:-:{found['port']}")
        if found is None:
            endpoint: IStreamClientEndpoint = clientFromString(reactor, text)
            return endpoint
        host = found["six"] or found["host"]
        return HostnameEndpoint(reactor, "127.0.0.1" if host in _OWN_MACHINE else host, int(found["port"]))
    except NoEndpoint:
        raise
    except Exception as error:  # its parser raises whatever comes of a wrong text: ValueError, TypeError, KeyError, ...
        if text.startswith(("tls:", "ssl:")) and not _has_tls():
            raise NoEndpoint("needs the tls extra; install it with: pip install 'netlab-daemons[tls]'") from error
        raise NoEndpoint(f"is no endpoint; {_FORMS}") from error


def _check_port(text: str) -> None:
    """Refuse now what Twisted finds out when it connects.

    :raises NoEndpoint: no port there can be connected to.
    """
    kind, *rest = _COLON.split(text)
    named = dict(part.split("=", 1) for part in rest if "=" in part)
    places = [part for part in rest if "=" not in part]
    if kind == "unix" and not (named.get("path") or "".join(places)):
        raise NoEndpoint(f"is no endpoint: it has no path; {_FORMS}")
    if kind not in _WITH_PORT:
        return
    port = named.get("port") or (places[-1] if len(places) + ("host" in named) > 1 else "")
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65_536):
        has = f"its port is {port!r}, and ports are 1 to 65535" if port else "it has no port"
        raise NoEndpoint(f"is no endpoint: {has}; {_FORMS}")


def _has_tls() -> bool:
    """Whether what Twisted has TLS from is installed (docs/dependencies.md)."""
    try:
        import OpenSSL  # noqa: F401
    except ImportError:
        return False
    return True
