"""ICMP and ICMPv6 in words."""

from collections.abc import Iterator

from netlab.trace.facts import Endpoint, Packet
from netlab.trace.icmp import (
    REDIRECT,
    TIME_EXCEEDED,
    UNREACHABLE,
    V6_TIME_EXCEEDED,
    V6_TOO_BIG,
    V6_UNREACHABLE,
    Message,
    Quoted,
)
from netlab.trace.ip import protocol_name
from netlab.trace.words.sentence import Notation, Plain, Sentence, Value, octets, said


def icmp_sentences(packet: Packet, one: Message) -> Iterator[Sentence]:
    """What a message says."""
    source, destination = Notation(packet.source or ""), Notation(packet.destination or "")
    if one.is_request or one.is_reply:
        yield _echo(one, source, destination)
        return
    yield _other(one, source, destination)
    if one.mtu is not None:
        yield said("The next network takes packets of up to {size} (MTU).", size=octets(one.mtu))
    if one.quoted is not None:
        yield _about(one.quoted)


def _echo(one: Message, source: Value, destination: Value) -> Sentence:
    sequence, size = Plain(one.sequence or 0), octets(one.length)
    if one.is_request:
        return said(
            "{source} asks {destination} for an echo of {size}: number {sequence}.",
            source=source,
            destination=destination,
            size=size,
            sequence=sequence,
        )
    return said(
        "{source} sends the echo of {size} back to {destination}: number {sequence}.",
        source=source,
        destination=destination,
        size=size,
        sequence=sequence,
    )


def _other(one: Message, source: Value, destination: Value) -> Sentence:
    reason = _REASONS.get((one.version, one.type, one.code)) or _TYPES.get((one.version, one.type))
    if reason is not None:
        return said("{source} tells {destination}: {reason}.", source=source, destination=destination, reason=reason)
    return said(
        "{source} sends {destination} an ICMP message: {name} (type {type}, code {code}).",
        source=source,
        destination=destination,
        name=Notation(one.name),
        type=Plain(one.type),
        code=Plain(one.code),
    )


def _about(quoted: Quoted) -> Sentence:
    source = Endpoint(quoted.source, quoted.source_port)
    destination = Endpoint(quoted.destination, quoted.destination_port)
    protocol = Notation(protocol_name(quoted.protocol))
    if quoted.conversation is not None:
        return said(
            "That is about a packet of {protocol} from {source} to {destination}, conversation {conversation}.",
            protocol=protocol,
            source=source,
            destination=destination,
            conversation=Plain(quoted.conversation),
        )
    if quoted.sequence is not None:
        return said(
            "That is about a packet of {protocol} from {source} to {destination}, number {sequence}.",
            protocol=protocol,
            source=source,
            destination=destination,
            sequence=Plain(quoted.sequence),
        )
    return said(
        "That is about a packet of {protocol} from {source} to {destination}.",
        protocol=protocol,
        source=source,
        destination=destination,
    )


#: By version, type and code (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1, RFC 4443).
_REASONS = {
    (4, UNREACHABLE, 0): said("the network cannot be reached"),
    (4, UNREACHABLE, 1): said("the host cannot be reached"),
    (4, UNREACHABLE, 2): said("the host does not speak this protocol"),
    (4, UNREACHABLE, 3): said("nothing listens on that port"),
    (4, UNREACHABLE, 4): said("the packet is too long, and it must not be cut"),
    (4, UNREACHABLE, 9): said("a filter forbids it"),
    (4, UNREACHABLE, 10): said("a filter forbids it"),
    (4, UNREACHABLE, 13): said("a filter forbids it"),
    (4, TIME_EXCEEDED, 0): said("the packet went through too many routers (its time to live is over)"),
    (4, TIME_EXCEEDED, 1): said("not all pieces of the packet came in time"),
    (6, V6_UNREACHABLE, 0): said("there is no route to the host"),
    (6, V6_UNREACHABLE, 1): said("a filter forbids it"),
    (6, V6_UNREACHABLE, 3): said("the host cannot be reached"),
    (6, V6_UNREACHABLE, 4): said("nothing listens on that port"),
    (6, V6_TIME_EXCEEDED, 0): said("the packet went through too many routers (its time to live is over)"),
    (6, V6_TIME_EXCEEDED, 1): said("not all pieces of the packet came in time"),
}
_TYPES = {
    (4, UNREACHABLE): said("the destination cannot be reached"),
    (4, REDIRECT): said("there is a shorter way"),
    (6, V6_UNREACHABLE): said("the destination cannot be reached"),
    (6, V6_TOO_BIG): said("the packet is too long"),
}
