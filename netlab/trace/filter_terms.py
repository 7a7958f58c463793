"""The words of a filter, each made into a question that a packet answers with yes or no."""

from collections.abc import Callable

from netlab.trace import tcp
from netlab.trace.choosing import Choice
from netlab.trace.facts import Packet, Segment
from netlab.trace.flags import WIRESHARK_NAMES
from netlab.trace.notation import ends_of
from netlab.trace.udp import Datagram

Ranges = tuple[tuple[int, int], ...]
_ENDLESS = 1 << 62


def ranges(text: str) -> Ranges:
    """``5``, ``10-20``, ``100-``, ``-3``, or several with commas, as pairs, both ends included.

    :raises ValueError: it is something else.
    """
    found = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if not all(side.isascii() and (side.isdigit() or not side) for side in (low, high)) or not (low or high):
            raise ValueError(part)
        found.append((int(low or 0), int(high) if high else _ENDLESS if dash else int(low)))
    return tuple(found)


def within(number: int | None, found: Ranges) -> bool:
    """Whether ``number`` is in one of the ranges."""
    return number is not None and any(low <= number <= high for low, high in found)


def conversation(text: str) -> Choice:
    """TCP conversations by number."""
    found = ranges(text)
    return lambda packet: isinstance(packet.transport, Segment) and within(packet.transport.conversation, found)


def _datagrams(text: str) -> Choice:
    found = ranges(text)
    return lambda packet: isinstance(packet.transport, Datagram) and within(packet.transport.conversation, found)


def _frame(text: str) -> Choice:
    found = ranges(text)
    return lambda packet: within(packet.number, found)


def _length(text: str) -> Choice:
    found = ranges(text)
    return lambda packet: within(getattr(packet.transport, "length", None), found)


def _port(text: str) -> Choice:
    found = ranges(text)

    def chosen(packet: Packet) -> bool:
        what = packet.transport
        if not isinstance(what, Segment | Datagram):
            return False
        return within(what.source_port, found) or within(what.destination_port, found)

    return chosen


def _addressed(*places: int) -> Callable[[str], Choice]:
    """Packets that have an address at one of ``places``: 0 is the sender's, 1 the receiver's."""

    def make(text: str) -> Choice:
        from ipaddress import ip_address, ip_network

        network = ip_network(text, strict=False)

        def chosen(packet: Packet) -> bool:
            ends = ends_of(packet)
            return ends is not None and any(ip_address(ends[place].address) in network for place in places)

        return chosen

    return make


def _flag(text: str) -> Choice:
    kind = text.lower().replace("-", "_")
    if kind == "any":
        return lambda packet: isinstance(packet.transport, Segment) and bool(packet.transport.flags)
    if kind not in WIRESHARK_NAMES:
        raise ValueError(text)
    return lambda packet: (
        isinstance(packet.transport, Segment) and any(flag.kind == kind for flag in packet.transport.flags)
    )


def _protocol(*names: str) -> Choice:
    wanted = {name.lower() for name in names}
    return lambda packet: packet.protocol.lower() in wanted


def _bit(bit: int) -> Choice:
    return lambda packet: isinstance(packet.transport, Segment) and bool(packet.transport.bits & bit)


def _data(packet: Packet) -> bool:
    return isinstance(packet.transport, Segment | Datagram) and packet.transport.length > 0


#: Words that stand alone.
PLAIN: dict[str, Choice] = {
    "tcp": _protocol("tcp"),
    "udp": _protocol("udp"),
    "icmp": _protocol("icmp", "icmpv6"),
    "arp": _protocol("arp"),
    **{name.lower(): _bit(bit) for bit, name in tcp.BIT_NAMES.items()},
    "data": _data,
    "flawed": lambda packet: bool(packet.flaws),
    "comment": lambda packet: bool(packet.comments),
}

#: Words that a value follows; the functions raise `ValueError` for a wrong one.
WITH_VALUE: dict[str, Callable[[str], Choice]] = {
    "port": _port,
    "host": _addressed(0, 1),
    "from": _addressed(0),
    "to": _addressed(1),
    "conversation": conversation,
    "udp-conversation": _datagrams,
    "frame": _frame,
    "length": _length,
    "flag": _flag,
    "protocol": _protocol,
}

_NUMBERS = "numbers, such as 5 or 10-20 or 1,3"
_ADDRESS = "an address or a network, such as 10.0.0.0/8"
#: What each of them needs, for people.
VALUES = {
    "port": _NUMBERS,
    "host": _ADDRESS,
    "from": _ADDRESS,
    "to": _ADDRESS,
    "conversation": _NUMBERS,
    "udp-conversation": _NUMBERS,
    "frame": _NUMBERS,
    "length": _NUMBERS,
    "flag": "any, or one of " + ", ".join(sorted(WIRESHARK_NAMES)),
    "protocol": "a name, such as GRE",
}
