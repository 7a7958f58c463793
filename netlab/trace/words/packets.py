"""Any packet in words."""

from collections.abc import Callable, Iterator

from netlab.trace.arp import REPLY, REQUEST, Arp
from netlab.trace.facts import Endpoint, Flaw, Packet, Segment
from netlab.trace.icmp import Message
from netlab.trace.udp import Datagram
from netlab.trace.words.icmp import icmp_sentences
from netlab.trace.words.people import Roles, introduced
from netlab.trace.words.segments import SegmentTeller
from netlab.trace.words.sentence import Notation, Plain, Sentence, frames, octets, said


class PacketTeller:
    """Tells packets, in the order of the file."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._segments = SegmentTeller(roles)

    def sentences(self, packet: Packet) -> tuple[Sentence, ...]:
        """Everything there is to say of ``packet``; never nothing."""
        return (*self._told(packet), *_notes(packet))

    def pass_over(self, packet: Packet) -> None:
        """Do not tell ``packet``, but know it when those after it are told."""
        if isinstance(packet.transport, Segment):
            self._segments.pass_over(packet.transport)

    def _told(self, packet: Packet) -> Iterator[Sentence]:
        what = packet.transport
        if isinstance(what, Segment):
            return self._segments.sentences(packet, what)
        if isinstance(what, Datagram):
            return self._datagram(packet, what)
        if isinstance(what, Message):
            return icmp_sentences(packet, what)
        if isinstance(what, Arp):
            return _arp(what)
        return _named(packet)

    def _datagram(self, packet: Packet, one: Datagram) -> Iterator[Sentence]:
        yield said(
            "{source} sends {destination} a datagram of {size}.",
            source=introduced(Endpoint(packet.source or "", one.source_port), self._roles),
            destination=introduced(Endpoint(packet.destination or "", one.destination_port), self._roles),
            size=octets(one.length),
        )


def _arp(one: Arp) -> Iterator[Sentence]:
    sender, hardware, target = Notation(one.sender), Notation(one.sender_hardware), Notation(one.target)
    if one.operation == REQUEST:
        yield said(
            "{sender}, whose hardware address is {hardware}, asks everybody who has {target}.",
            sender=sender,
            hardware=hardware,
            target=target,
        )
    elif one.operation == REPLY:
        yield said(
            "{sender} answers {target} that its hardware address is {hardware}.",
            sender=sender,
            hardware=hardware,
            target=target,
        )
    else:
        yield said("An ARP message of kind {kind} from {sender}.", kind=Plain(one.operation), sender=sender)


def _named(packet: Packet) -> Iterator[Sentence]:
    """What is not opened, or could not be."""
    name, size = Notation(packet.protocol), octets(packet.length)
    if packet.source is None:
        yield said("A packet of {name}, {size} long.", name=name, size=size)
        return
    yield said(
        "A packet of {name} from {source} to {destination}, {size} long.",
        name=name,
        size=size,
        source=Notation(packet.source),
        destination=Notation(packet.destination or ""),
    )


def _notes(packet: Packet) -> Iterator[Sentence]:
    """What is wrong with a packet, how it came, and what somebody wrote at it."""
    for flaw in packet.flaws:
        yield FLAWS[flaw.kind](flaw)
    if packet.fragments:
        yield said("IP had cut it: it came in packets {frames}.", frames=frames(packet.fragments))
    for comment in packet.comments:
        yield comment_sentence(comment)


def comment_sentence(comment: str) -> Sentence:
    """What somebody wrote at a packet."""
    return said("A comment in the file says: “{comment}”", comment=comment)


def _cut(flaw: Flaw) -> Sentence:
    return said(
        "Only {captured} of its {length} bytes were captured.",
        captured=flaw.numbers["captured"],
        length=flaw.numbers["length"],
    )


def _fragment(flaw: Flaw) -> Sentence:
    size, offset = octets(flaw.numbers["length"]), Plain(flaw.numbers["offset"])
    if flaw.numbers["more"]:
        return said(
            "It is a piece of a datagram that IP cut: {size} from byte {offset} on, and more follow.",
            size=size,
            offset=offset,
        )
    return said(
        "It is the last piece of a datagram that IP cut: {size} from byte {offset} on.", size=size, offset=offset
    )


FLAWS: dict[str, Callable[[Flaw], Sentence]] = {
    "cut": _cut,
    "fragment": _fragment,
    "header_cut": lambda flaw: said("A header is cut off, so it cannot be read further."),
    "bad_length": lambda flaw: said("A header says a length that cannot be, so it cannot be read further."),
    "bad_version": lambda flaw: said("What should be IP is of no version that there is."),
    "too_many_extensions": lambda flaw: said(
        "It has more extension headers than anybody needs, and is not read further."
    ),
    "no_time": lambda flaw: said("The file has no time for it; it is shown with that of the packet before."),
    "not_followed": lambda flaw: said("It is of one conversation more than are followed."),
    "not_ipv4": lambda flaw: said("It asks for addresses that are not of IPv4."),
}
