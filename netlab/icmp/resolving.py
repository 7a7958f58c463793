"""Names to addresses, by the reactor's resolver."""

import socket
from typing import Any

from attrs import frozen
from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer

from netlab.icmp.errors import UnknownTarget
from netlab.icmp.events import Target
from netlab.icmp.packet import Family

#: Seconds to wait for a name's address.
PATIENCE = 10.0

_TYPES = {Family.IPV4: IPv4Address, Family.IPV6: IPv6Address}
_DOMAINS = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
#: No name in the DNS is longer (RFC 1035 §2.3.4); an address may have the name of an interface behind it.
_MAX_NAME = 253


@frozen
class Resolved:
    """A target and its address in the form that sockets take, scope included."""

    target: Target
    socket_address: Any


@implementer(IResolutionReceiver)
class _First:
    """Takes the addresses of one name, and gives the first."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: Any = None
        self.result: Deferred[Any] = Deferred()

    def resolutionBegan(self, resolution: object) -> None:  # noqa: N802 - Twisted calls it
        """Nothing has been found yet."""

    def addressResolved(self, address: Any) -> None:  # noqa: N802 - Twisted calls it
        """Keep the first."""
        self._found = self._found or address

    def resolutionComplete(self) -> None:  # noqa: N802 - Twisted calls it
        """There are no more."""
        if not self.result.called:
            self.result.callback(self._found)


async def resolve(reactor: Any, name: str, family: Family | None = None) -> Resolved:
    """The first address of ``name``, which may be an address itself.

    :param family: `None` for whichever comes first.
    :raises UnknownTarget: it has none, or none of that family.
    """
    kind = f"IPv{family.version} address" if family else "address"
    if not _is_name(name):
        raise UnknownTarget(f"{name[:80]!r} is no host's name or address")
    first = _First(name)
    types = [_TYPES[family]] if family else list(_TYPES.values())
    try:
        reactor.nameResolver.resolveHostName(first, name, 0, types)
        found = await first.result.addTimeout(PATIENCE, reactor)
    except TookTooLong:
        raise UnknownTarget(f"no {kind} for {name} came within {PATIENCE:g} s; is the name server there?") from None
    if found is None:
        raise UnknownTarget(f"no {kind} for {name}; check the spelling, or give an address")
    return _resolved(name, found)


def _is_name(name: str) -> bool:
    """Whether the resolver may be asked; names that cannot be encoded for the DNS it never answers."""
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or " " in name:
        return False
    try:
        return isIPv6Address(name) or bool(name.encode("idna"))
    except UnicodeError:
        return False


def _resolved(name: str, found: IPv4Address | IPv6Address) -> Resolved:
    family = Family.IPV4 if isinstance(found, IPv4Address) else Family.IPV6
    try:
        # Digits only, so nobody is asked; it turns the name of a scope, as in fe80::1%eth0, into a number.
        numeric = socket.getaddrinfo(found.host, 0, _DOMAINS[family], socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)
    except OSError as error:
        raise UnknownTarget(f"{name} cannot be pinged: {error.strerror}") from None
    address = numeric[0][4]
    return Resolved(Target(name, str(address[0]).partition("%")[0], family), address)
