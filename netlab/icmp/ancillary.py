"""What Linux tells beside a packet: the time it came, and errors about what was sent (socket(7), ip(7), ipv6(7)).

The numbers are the kernel's own and the same for every architecture that CPython is distributed for.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from struct import Struct, error

from attrs import frozen

#: Level and type of the time stamp; as a socket's option the type asks for it.
SOL_SOCKET = 1
SO_TIMESTAMPNS = 35

#: Levels and types of an error; as an option the type asks for a queue of errors.
SOL_IP, IP_RECVERR = 0, 11
SOL_IPV6, IPV6_RECVERR = 41, 25

_ERROR_TYPES = {(SOL_IP, IP_RECVERR), (SOL_IPV6, IPV6_RECVERR)}
_ORIGINS_ICMP = {2, 3}
_AF_INET, _AF_INET6 = 2, 10

# struct timespec, with 64 and with 32 bits to a number.
_TIMESPECS = {timespec.size: timespec.unpack for timespec in (Struct("=qq"), Struct("=ii"))}
# struct sock_extended_err, and after it the address of who reported the error.
_EXTENDED_ERROR = Struct("=IBBBxII")
_SOCKADDR_IN = Struct("=H2x4s")
_SOCKADDR_IN6 = Struct("=H6x16s")

Ancillary = Iterable[tuple[int, int, bytes]]


@frozen
class IcmpReport:
    """An ICMP error as the kernel hands it over: ``rest`` has the MTU of the next link for errors about size."""

    sender: str
    type: int
    code: int
    rest: int


def stamp_of(ancillary: Ancillary) -> int | None:
    """When the packet came, in nanoseconds of the system's clock; `None` if that is not said."""
    for level, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS and level == SOL_SOCKET and (read := _TIMESPECS.get(len(data))) is not None:
            seconds, nanoseconds = read(data)
            stamp: int = seconds * 10**9 + nanoseconds
            return stamp
    return None


def report_of(ancillary: Ancillary) -> IcmpReport | None:
    """The ICMP error that is told; `None` if there is none, or it is an error of this machine's own."""
    for level, kind, data in ancillary:
        if (level, kind) in _ERROR_TYPES and len(data) >= _EXTENDED_ERROR.size:
            _, origin, icmp_type, code, info, _ = _EXTENDED_ERROR.unpack_from(data)
            if origin in _ORIGINS_ICMP:
                return IcmpReport(_address(data[_EXTENDED_ERROR.size :]), icmp_type, code, info)
    return None


def _address(sockaddr: bytes) -> str:
    try:
        if _SOCKADDR_IN.unpack_from(sockaddr)[0] == _AF_INET:
            return str(IPv4Address(_SOCKADDR_IN.unpack_from(sockaddr)[1]))
        family, packed = _SOCKADDR_IN6.unpack_from(sockaddr)
    except error:
        return "unknown"
    return str(IPv6Address(packed)) if family == _AF_INET6 else "unknown"
