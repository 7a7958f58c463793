"""A packet in the notation that is the same in every language: ``[SYN, ACK] Seq=0 Ack=1 Win=65483 Len=0``."""

from netlab.trace.arp import REQUEST, Arp
from netlab.trace.facts import Endpoint, Packet, Segment
from netlab.trace.icmp import Message
from netlab.trace.udp import Datagram

_SECOND = 1_000_000_000


def ends_of(packet: Packet) -> tuple[Endpoint, Endpoint] | None:
    """Who sent a packet, and to whom; `None` if it has no addresses of IP."""
    what = packet.transport
    if isinstance(what, Arp):
        return Endpoint(what.sender, None), Endpoint(what.target, None)
    if packet.source is None or packet.destination is None:
        return None
    if isinstance(what, Segment | Datagram):
        return Endpoint(packet.source, what.source_port), Endpoint(packet.destination, what.destination_port)
    return Endpoint(packet.source, None), Endpoint(packet.destination, None)


def gist(packet: Packet) -> str:
    """What a packet is, short enough for an arrow of a ladder."""
    what = packet.transport
    if isinstance(what, Segment):
        words = [what.bits_text.replace(", ", " ") or "no flags", f"Seq={what.sequence}"]
        if what.ack:
            words.append(f"Ack={what.acknowledgment}")
        if what.length:
            words.append(f"Len={what.length}")
        return " ".join(words)
    if isinstance(what, Datagram):
        return f"UDP Len={what.length}"
    if isinstance(what, Message):
        number = "" if what.sequence is None else f" seq={what.sequence}"
        return f"{packet.protocol} {what.name}{number}"
    if isinstance(what, Arp):
        return f"ARP {'request' if what.operation == REQUEST else 'reply'}"
    return packet.protocol


def details(packet: Packet) -> str:
    """What a packet is, with everything that its header says of it."""
    what = packet.transport
    if isinstance(what, Segment):
        acknowledgment = f" Ack={what.acknowledgment}" if what.ack else ""
        numbers = f"Seq={what.sequence}{acknowledgment} Win={what.window} Len={what.length}"
        return f"TCP [{what.bits_text}] {numbers}"
    if isinstance(what, Message):
        echo = f" id={what.identifier} seq={what.sequence}" if what.identifier is not None else ""
        return f"{packet.protocol} {what.name} (type {what.type}, code {what.code}){echo} Len={what.length}"
    return gist(packet)


def marks(packet: Packet) -> tuple[str, ...]:
    """The names of a packet's analysis flags, as Wireshark writes them."""
    what = packet.transport
    return tuple(flag.name for flag in what.flags) if isinstance(what, Segment) else ()


def seconds(time: int) -> str:
    """Nanoseconds since the beginning as a clock shows them, to the microsecond: ``1.002003``."""
    sign, time = ("-", -time) if time < 0 else ("", time)
    return f"{sign}{time // _SECOND}.{time % _SECOND // 1000:06d}"
