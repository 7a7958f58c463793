"""Whose TCP socket is whose: what Linux tells in ``/proc/net/tcp`` and ``tcp6`` (proc(5)), read."""

import sys
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from attrs import frozen


@frozen
class Socket:
    """One TCP socket: the user that made it, and the number by which ``/proc/PID/fd`` speaks of it."""

    uid: int
    inode: int


@frozen
class Place:
    """One end of a TCP connection."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can be there."""
        address = _plain(self.host)
        return address is not None and address.is_loopback


def find_socket(lines: Iterable[str], own: Place, peer: Place) -> Socket | None:
    """The socket at ``own`` that is connected to ``peer``, if one of ``lines`` (of either file) has it."""
    wanted = {(mine, theirs) for mine, theirs in zip(_written(own), _written(peer), strict=True)}
    for line in lines:
        fields = line.split()
        if len(fields) > 9 and (fields[1], fields[2]) in wanted and fields[9] != "0":
            return Socket(int(fields[7]), int(fields[9]))
    return None


def _written(place: Place) -> list[str]:
    """How the two files write a place: as IPv4 or IPv6, and an IPv4 address also as an IPv6 one that holds it."""
    address = _plain(place.host)
    if address is None:
        return []
    forms = [address.packed]
    if isinstance(address, IPv4Address):
        forms.append(IPv6Address(f"::ffff:{address}").packed)
    return [f"{_hex(packed)}:{place.port:04X}" for packed in forms]


def _plain(host: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one where it is that inside an IPv6 one; `None` if it is none."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _hex(packed: bytes) -> str:
    """Words of 32 bits as this machine sees them, and so they are printed."""
    words = (packed[start : start + 4] for start in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
