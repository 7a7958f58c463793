"""ICMP messages as bytes: echo requests to send, echo replies and errors that come (RFC 792, RFC 4443).

A message begins with its type, its code and a checksum. An echo has an identifier, a sequence number and data after
that; an error has four bytes that depend on its type, and then the packet that it is about, or the beginning of it.
"""

from enum import Enum
from struct import Struct

from attrs import frozen

from netlab.common.checksum import internet_checksum
from netlab.icmp.errors import Damaged, PacketFault, Truncated

ICMP_PROTOCOL = 1
ICMPV6_PROTOCOL = 58

_ECHO = Struct("!BBHHH")
#: What the first word of a reply has less than that of a request.
_LESS = 0x0800
#: IPv4's first 20 bytes, as far as they matter here: version and header length, total length, protocol, destination.
_IPV4 = Struct("!BxH5xB6x4s")
#: Bytes of an IPv4 header without options.
IPV4_HEADER = _IPV4.size
#: IPv6's 40 bytes, as far as they matter here: version, next header, destination.
_IPV6 = Struct("!B5xB17x16s")


class Family(Enum):
    """The Internet protocol that carries the messages, with its numbers for them."""

    IPV4 = (4, 8, 0, frozenset({3, 11, 12}))
    IPV6 = (6, 128, 129, frozenset({1, 2, 3, 4}))

    def __init__(self, version: int, echo_request: int, echo_reply: int, errors: frozenset[int]) -> None:
        self.version = version
        self.echo_request = echo_request
        self.echo_reply = echo_reply
        #: The types of errors: unreachable, too big, time exceeded, parameter problem.
        self.errors = errors


@frozen
class Echo:
    """An echo reply, or an echo request that an error quotes; the payload of the latter may be cut off."""

    identifier: int
    sequence: int
    payload: bytes


@frozen
class Quoted:
    """An echo request as an error quotes it, and the address that it was sent to: 4 or 16 bytes."""

    destination: bytes
    echo: Echo


@frozen
class ErrorMessage:
    """An ICMP error about an echo request; ``rest`` is the four bytes that depend on the type, as a number."""

    type: int
    code: int
    rest: int
    about: Quoted


def encode_request(family: Family, identifier: int, sequence: int, payload: bytes) -> bytes:
    """An echo request. For IPv6 the kernel puts the checksum in, which also covers the addresses (RFC 3542 §3.1)."""
    header = _ECHO.pack(family.echo_request, 0, 0, identifier, sequence)
    if family is Family.IPV6:
        return header + payload
    return header[:2] + internet_checksum(header + payload).to_bytes(2, "big") + header[4:] + payload


def expected_reply(request: bytes) -> bytes:
    """The reply that a host makes of an IPv4 request: only the type is another, and the checksum with it.

    A host may write a checksum that is zero in the other of its two ways; then its reply differs in that.
    """
    checksum = int.from_bytes(request[2:4], "big") + _LESS
    if checksum > 0xFFFF:
        checksum -= 0xFFFF
    return b"\0\0" + checksum.to_bytes(2, "big") + request[4:]


def decode(family: Family, message: bytes) -> Echo | ErrorMessage | None:
    """What ``message`` says: an echo reply, or an error about an echo request; `None` for anything else.

    The checksum is looked at for IPv4; the kernel has done that for IPv6, where it has the addresses.

    :raises Truncated: it is too short to be a message, or to say what it is about.
    :raises Damaged: its checksum is wrong.
    """
    if len(message) < _ECHO.size:
        raise Truncated(f"an ICMP message of {len(message)} bytes, where {_ECHO.size} are the fewest")
    kind, code, _, identifier, sequence = _ECHO.unpack_from(message)
    if family is Family.IPV4 and internet_checksum(message):
        raise Damaged("an ICMP message with a wrong checksum")
    if kind == family.echo_reply and code == 0:
        return Echo(identifier, sequence, message[_ECHO.size :])
    if kind in family.errors:
        about = decode_quoted(family, message[_ECHO.size :])
        return None if about is None else ErrorMessage(kind, code, identifier << 16 | sequence, about)
    return None


def decode_request(family: Family, message: bytes) -> Echo | None:
    """The echo request that ``message`` is, or begins with; `None` if it is none.

    :raises Truncated: it is too short to be any.
    """
    if len(message) < _ECHO.size:
        raise Truncated(f"{len(message)} bytes of an ICMP message are quoted, where {_ECHO.size} are the fewest")
    kind, code, _, identifier, sequence = _ECHO.unpack_from(message)
    return Echo(identifier, sequence, message[_ECHO.size :]) if (kind, code) == (family.echo_request, 0) else None


def decode_quoted(family: Family, packet: bytes) -> Quoted | None:
    """The echo request in an IP packet that an error quotes; `None` if that is another packet.

    What IPv6 may have between its header and the message is not looked through: our requests have nothing there.

    :raises Truncated: it ends too early to tell.
    """
    if family is Family.IPV4:
        start, protocol, destination = _ipv4_header(packet)[1:]
        wanted = ICMP_PROTOCOL
    else:
        if len(packet) < _IPV6.size:
            raise Truncated(f"{len(packet)} bytes of an IPv6 packet")
        _, protocol, destination = _IPV6.unpack_from(packet)
        start, wanted = _IPV6.size, ICMPV6_PROTOCOL
    echo = decode_request(family, packet[start:]) if protocol == wanted else None
    return None if echo is None else Quoted(destination, echo)


def unwrap_ipv4(datagram: bytes) -> bytes:
    """The ICMP message in an IPv4 packet, which is what a raw socket gives.

    :raises Truncated: it is shorter than it says.
    :raises PacketFault: it is no IPv4 packet with ICMP in it.
    """
    total, start, protocol, _ = _ipv4_header(datagram)
    if protocol != ICMP_PROTOCOL:
        raise PacketFault(f"an IPv4 packet of protocol {protocol}")
    if not start <= total <= len(datagram):
        raise Truncated(f"{len(datagram)} bytes of an IPv4 packet that says it has {total}")
    return datagram[start:total]


def _ipv4_header(packet: bytes) -> tuple[int, int, int, bytes]:
    """Total length, length of the header, protocol, destination."""
    if len(packet) < _IPV4.size:
        raise Truncated(f"{len(packet)} bytes of an IPv4 packet")
    first, total, protocol, destination = _IPV4.unpack_from(packet)
    start = (first & 0x0F) * 4
    if first >> 4 != Family.IPV4.version or start < _IPV4.size:
        raise PacketFault("no IPv4 header")
    if len(packet) < start:
        raise Truncated(f"{len(packet)} bytes of an IPv4 packet with a header of {start}")
    return total, start, protocol, destination
