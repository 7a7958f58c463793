"""ICMP (RFC 792) and ICMPv6 (RFC 4443): echoes, errors with what they quote, and the rest by name."""

from attrs import frozen

from netlab.trace.ip import ICMP, ICMPV6, TCP, UDP, HeaderCut, read_ip

ECHO_REPLY, UNREACHABLE, REDIRECT, ECHO_REQUEST, TIME_EXCEEDED, PARAMETER = 0, 3, 5, 8, 11, 12
V6_UNREACHABLE, V6_TOO_BIG, V6_TIME_EXCEEDED, V6_PARAMETER, V6_ECHO_REQUEST, V6_ECHO_REPLY = 1, 2, 3, 4, 128, 129

#: Which types quote the packet that caused them.
_QUOTING = {4: {UNREACHABLE, 4, REDIRECT, TIME_EXCEEDED, PARAMETER}, 6: {1, 2, 3, 4}}

NAMES = {
    4: {
        ECHO_REPLY: "echo reply",
        UNREACHABLE: "destination unreachable",
        4: "source quench",
        REDIRECT: "redirect",
        ECHO_REQUEST: "echo request",
        9: "router advertisement",
        10: "router solicitation",
        TIME_EXCEEDED: "time exceeded",
        PARAMETER: "parameter problem",
        13: "timestamp request",
        14: "timestamp reply",
    },
    6: {
        V6_UNREACHABLE: "destination unreachable",
        V6_TOO_BIG: "packet too big",
        V6_TIME_EXCEEDED: "time exceeded",
        V6_PARAMETER: "parameter problem",
        V6_ECHO_REQUEST: "echo request",
        V6_ECHO_REPLY: "echo reply",
        130: "multicast listener query",
        131: "multicast listener report",
        132: "multicast listener done",
        133: "router solicitation",
        134: "router advertisement",
        135: "neighbor solicitation",
        136: "neighbor advertisement",
        137: "redirect",
        143: "multicast listener report v2",
    },
}


@frozen
class Quoted:
    """The packet that an ICMP error is about, as far as the error quotes it.

    Ports are TCP's and UDP's; ``identifier`` and ``sequence`` an echo's; ``raw_sequence`` TCP's. `None` where there is
    none. ``conversation`` is the TCP conversation that it belongs to.
    """

    protocol: int
    source: str
    destination: str
    source_port: int | None = None
    destination_port: int | None = None
    raw_sequence: int | None = None
    identifier: int | None = None
    sequence: int | None = None
    conversation: int | None = None


@frozen
class Message:
    """An ICMP message of IP ``version`` 4 or 6; ``name`` says its type in words.

    Echoes have ``identifier`` and ``sequence``, errors ``quoted``; ``mtu`` is said by "fragmentation needed" and
    "packet too big". ``payload`` is what follows the eight bytes of the header, ``length`` its length on the wire.
    """

    version: int
    type: int
    code: int
    checksum: int
    length: int
    payload: bytes
    identifier: int | None = None
    sequence: int | None = None
    quoted: Quoted | None = None
    mtu: int | None = None

    @property
    def name(self) -> str:
        """The type in words."""
        return NAMES[self.version].get(self.type, f"type {self.type}")

    @property
    def is_request(self) -> bool:
        """Whether this is an echo request."""
        return self.type == (ECHO_REQUEST if self.version == 4 else V6_ECHO_REQUEST)

    @property
    def is_reply(self) -> bool:
        """Whether this is an echo reply."""
        return self.type == (ECHO_REPLY if self.version == 4 else V6_ECHO_REPLY)


def read_icmp(version: int, data: bytes, start: int, end: int, length: int) -> Message:
    """The message at ``start``, of which ``end`` is the end of what was captured and ``length`` the length on the wire.

    :raises ValueError: the header is cut.
    """
    if end < start + 8:
        raise ValueError("header_cut")
    kind, code = data[start], data[start + 1]
    checksum, upper, lower = (int.from_bytes(data[start + place : start + place + 2], "big") for place in (2, 4, 6))
    body = data[start + 8 : end]
    message = Message(version, kind, code, checksum, length - 8, body)
    if message.is_request or message.is_reply:
        return Message(version, kind, code, checksum, length - 8, body, upper, lower)
    if kind in _QUOTING[version]:
        return Message(
            version, kind, code, checksum, length - 8, body, None, None, quoted(body), _mtu(message, upper, lower)
        )
    return message


def _mtu(message: Message, upper: int, lower: int) -> int | None:
    if message.version == 4:
        return lower if message.type == UNREACHABLE and message.code == 4 else None
    return upper << 16 | lower if message.type == V6_TOO_BIG else None


def quoted(data: bytes) -> Quoted | None:
    """The packet that begins at the start of ``data``; `None` if too little of it is there."""
    try:
        header = read_ip(data, 0)
    except HeaderCut:
        return None
    rest = data[header.start : header.end]
    words = [int.from_bytes(rest[place : place + 2], "big") for place in (0, 2, 4, 6)]
    about = Quoted(header.protocol, header.source, header.destination)
    if header.fragment or len(rest) < 8:
        return about
    if header.protocol in (TCP, UDP):
        sequence = words[2] << 16 | words[3] if header.protocol == TCP else None
        return Quoted(about.protocol, about.source, about.destination, words[0], words[1], sequence)
    if header.protocol in (ICMP, ICMPV6):
        return Quoted(about.protocol, about.source, about.destination, identifier=words[2], sequence=words[3])
    return about
