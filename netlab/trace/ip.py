"""IPv4 with its options (RFC 791) and IPv6 with its extension headers (RFC 8200): headers in, where the payload is.

Only what the headers say; joining fragments is `netlab.trace.fragments`.
"""

from collections import OrderedDict
from struct import Struct

from attrs import frozen

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AUTHENTICATION, NO_NEXT, DESTINATION = 0, 43, 44, 50, 51, 59, 60
#: Mobility, HIP and Shim6 have the form of the destination options too.
_EXTENSIONS = {HOP_BY_HOP, ROUTING, DESTINATION, 135, 139, 140}
#: A packet with more extension headers is not read further.
MAX_EXTENSIONS = 16

PROTOCOL_NAMES = {
    ICMP: "ICMP",
    2: "IGMP",
    4: "IPv4 in IP",
    TCP: "TCP",
    UDP: "UDP",
    33: "DCCP",
    41: "IPv6 in IP",
    47: "GRE",
    ESP: "ESP",
    AUTHENTICATION: "AH",
    ICMPV6: "ICMPv6",
    NO_NEXT: "IPv6 without payload",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
    136: "UDP-Lite",
}

_IPV4 = Struct("!BBHHHBBH4s4s")
_IPV6 = Struct("!IHBB16s16s")


@frozen
class IP:
    """An IP header, of either version, and where its payload lies in the bytes that it was read from.

    ``protocol`` is the number of what the payload is, after extension headers; ``start`` to ``end`` is where the
    payload is captured, ``length`` how many bytes of it were on the wire. ``identification`` is `None` in an IPv6
    packet that is no fragment. ``fragment`` is the place of the payload in the datagram, in bytes, and ``more`` whether
    fragments follow; both are 0 and false in whole datagrams. ``options`` are IPv4's, or the numbers of IPv6's
    extension headers. ``traffic_class`` has DSCP in its upper six bits and ECN in the lower two; ``flow_label`` is
    IPv6's. What IP carries of IP is named and not opened.
    """

    version: int
    source: str
    destination: str
    protocol: int
    start: int
    end: int
    length: int
    hops: int
    traffic_class: int
    identification: int | None = None
    fragment: int = 0
    more: bool = False
    dont_fragment: bool = False
    options: bytes = b""
    flow_label: int = 0

    @property
    def is_fragment(self) -> bool:
        """Whether this is not a whole datagram."""
        return self.more or self.fragment > 0


class HeaderCut(Exception):
    """A header is cut or contradicts itself; the argument is a kind of `netlab.trace.facts.Flaw`."""


def read_ip(data: bytes, start: int) -> IP:
    """The IP header at ``start`` of ``data``.

    :raises HeaderCut: there is none that can be used.
    """
    version = data[start] >> 4 if start < len(data) else 0
    if version == 4:
        return _read_ipv4(data, start)
    if version == 6:
        return _read_ipv6(data, start)
    raise HeaderCut("header_cut" if start >= len(data) else "bad_version")


def _read_ipv4(data: bytes, start: int) -> IP:
    if len(data) < start + 20:
        raise HeaderCut("header_cut")
    first, service, total, identity, place, hops, protocol, _sum, source, destination = _IPV4.unpack_from(data, start)
    header = (first & 15) * 4
    # A length of 0 is what offloading leaves in packets that the network card is to cut.
    total = total or len(data) - start
    if header < 20 or total < header:
        raise HeaderCut("bad_length")
    if len(data) < start + header:
        raise HeaderCut("header_cut")
    return IP(
        version=4,
        source=address_text(source),
        destination=address_text(destination),
        protocol=protocol,
        start=start + header,
        end=min(start + total, len(data)),
        length=total - header,
        hops=hops,
        traffic_class=service,
        identification=identity,
        fragment=(place & 0x1FFF) * 8,
        more=bool(place & 0x2000),
        dont_fragment=bool(place & 0x4000),
        options=data[start + 20 : start + header],
    )


def _read_ipv6(data: bytes, start: int) -> IP:
    if len(data) < start + 40:
        raise HeaderCut("header_cut")
    first, length, following, hops, source, destination = _IPV6.unpack_from(data, start)
    chain = _extensions(data, start + 40, following)
    # 0 is a jumbogram (RFC 2675), or offloading again.
    length = length or len(data) - start - 40
    read = chain.start - start - 40
    if length < read:
        raise HeaderCut("bad_length")
    return IP(
        version=6,
        source=address_text(source),
        destination=address_text(destination),
        protocol=chain.protocol,
        start=chain.start,
        end=min(start + 40 + length, len(data)),
        length=length - read,
        hops=hops,
        traffic_class=first >> 20 & 0xFF,
        identification=chain.identification,
        fragment=chain.fragment,
        more=chain.more,
        options=bytes(chain.seen),
        flow_label=first & 0xFFFFF,
    )


class _Chain:
    """The extension headers of one packet, walked through."""

    __slots__ = ("fragment", "identification", "more", "protocol", "seen", "start")

    def __init__(self, start: int, protocol: int) -> None:
        self.start = start
        self.protocol = protocol
        self.seen: list[int] = []
        self.fragment = 0
        self.more = False
        self.identification: int | None = None


def _extensions(data: bytes, start: int, protocol: int) -> _Chain:
    chain = _Chain(start, protocol)
    while len(chain.seen) < MAX_EXTENSIONS:
        kind, start = chain.protocol, chain.start
        if kind not in _EXTENSIONS and kind not in (FRAGMENT, AUTHENTICATION):
            return chain
        if len(data) < start + 8:
            raise HeaderCut("header_cut")
        chain.seen.append(kind)
        chain.protocol = data[start]
        if kind == FRAGMENT:
            place = int.from_bytes(data[start + 2 : start + 4], "big")
            chain.fragment, chain.more = place & 0xFFF8, bool(place & 1)
            chain.identification = int.from_bytes(data[start + 4 : start + 8], "big")
            chain.start = start + 8
            if chain.fragment:
                return chain
        else:
            chain.start = (
                start + (data[start + 1] + 2) * 4 if kind == AUTHENTICATION else start + data[start + 1] * 8 + 8
            )
    raise HeaderCut("too_many_extensions")


_TEXTS: OrderedDict[bytes, str] = OrderedDict()
#: Addresses whose texts are remembered.
MAX_TEXTS = 4096


def address_text(address: bytes) -> str:
    """An address of 4 or 16 bytes as it is written (RFC 5952)."""
    text = _TEXTS.get(address)
    if text is None:
        text = _TEXTS[address] = _text(address)
        if len(_TEXTS) > MAX_TEXTS:
            _TEXTS.popitem(last=False)
    return text


def _text(address: bytes) -> str:
    if len(address) == 4:
        return "{}.{}.{}.{}".format(*address)
    groups = [int.from_bytes(address[place : place + 2], "big") for place in range(0, 16, 2)]
    if groups[:6] == [0, 0, 0, 0, 0, 0xFFFF]:
        return "::ffff:" + _text(address[12:])
    first, longest = _longest_zeros(groups)
    if longest < 2:
        return ":".join(f"{group:x}" for group in groups)
    head = ":".join(f"{group:x}" for group in groups[:first])
    return head + "::" + ":".join(f"{group:x}" for group in groups[first + longest :])


def _longest_zeros(groups: list[int]) -> tuple[int, int]:
    """Where the first of the longest runs of zeros begins, and how long it is."""
    best = (0, 0)
    length = 0
    for place, group in enumerate(groups):
        length = 0 if group else length + 1
        if length > best[1]:
            best = (place - length + 1, length)
    return best


def protocol_name(number: int) -> str:
    """What a protocol over IP is called."""
    return PROTOCOL_NAMES.get(number, f"IP protocol {number}")
