"""Packets of any shape, layer by layer, each as far as it was captured and makes sense."""

from typing import Protocol

from attrs import evolve, frozen

from netlab.trace import link
from netlab.trace.arp import Arp, read_arp
from netlab.trace.datagrams import Datagrams
from netlab.trace.facts import Flaw, Packet, Segment
from netlab.trace.following import Body, Header
from netlab.trace.fragments import Fragments
from netlab.trace.icmp import Message, Quoted, read_icmp
from netlab.trace.ip import ICMP, ICMPV6, IP, TCP, UDP, HeaderCut, protocol_name, read_ip
from netlab.trace.records import Record
from netlab.trace.tcp import FLAG_BITS, HEADER, HEADER_LENGTH
from netlab.trace.udp import Datagram, read_udp

#: So much of a quoted TCP header has Wireshark look for its conversation: ports, sequence, acknowledgment, flags.
_QUOTED_TCP = 16

_Transport = Segment | Datagram | Message | Arp | None


class Follower(Protocol):
    """Who is told of TCP segments: `netlab.trace.conversations`, or a summary."""

    def segment(self, key: bytes, frame: int, time: int, wire: int, header: Header, body: Body) -> Segment | None:
        """A segment came."""
        ...

    def quoted(self, key: bytes, frame: int, time: int) -> int | None:
        """An error quotes a segment; the number of its conversation."""
        ...


@frozen
class _Carried:
    """What an IP header carries: where in ``data`` it is captured, how long it was, and the addresses as bytes.

    ``frames`` are those of the fragments that it came in, empty if it came whole.
    """

    data: bytes
    start: int
    end: int
    length: int
    addresses: bytes
    frames: tuple[int, ...] = ()


class Layers:
    """Reads packets; keeps fragments until their datagram is whole."""

    def __init__(self, conversations: Follower, datagrams: Datagrams) -> None:
        self._conversations = conversations
        self._datagrams = datagrams
        self._fragments = Fragments()

    def packet(self, number: int, time: int, link_type: int, record: Record, flaws: tuple[Flaw, ...] = ()) -> Packet:
        """The facts of packet ``number``."""
        data = record.data
        packet = Packet(
            number=number,
            time=time,
            interface=record.interface,
            link_type=link_type,
            length=record.length,
            data=data,
            protocol="",
            flaws=flaws,
            comments=record.comments,
        )
        if len(data) < record.length:
            packet = _flawed(packet, "cut", captured=len(data), length=record.length)
        kind, start = link.network_of(link_type, data)
        if kind == link.ETHERTYPE_ARP:
            return self._arp(packet, start)
        if kind not in (link.ETHERTYPE_IPV4, link.ETHERTYPE_IPV6):
            packet = packet._replace(protocol=link.name_of(link_type, kind))
            return _flawed(packet, "header_cut") if kind == link.CUT else packet
        try:
            header = read_ip(data, start)
        except HeaderCut as error:
            return _flawed(packet._replace(protocol=link.ETHERTYPE_NAMES[kind]), str(error))
        packet = packet._replace(
            protocol=protocol_name(header.protocol), source=header.source, destination=header.destination
        )
        return self._ip(packet, header, start)

    def _arp(self, packet: Packet, start: int) -> Packet:
        packet = packet._replace(protocol="ARP")
        try:
            return packet._replace(transport=read_arp(packet.data, start))
        except ValueError as error:
            return _flawed(packet, str(error))

    def _ip(self, packet: Packet, header: IP, start: int) -> Packet:
        data = packet.data
        addresses = data[start + 12 : start + 20] if header.version == 4 else data[start + 8 : start + 40]
        carried = _Carried(data, header.start, header.end, header.length, addresses)
        if header.is_fragment:
            joined = self._join(packet, header, carried)
            if joined is None:
                numbers = {"offset": header.fragment, "length": header.length, "more": int(header.more)}
                return _flawed(packet, "fragment", **numbers)
            carried = joined
            packet = packet._replace(fragments=carried.frames)
        try:
            return self._transport(packet, header, carried)
        except ValueError as error:
            return _flawed(packet, str(error))

    def _join(self, packet: Packet, header: IP, carried: _Carried) -> _Carried | None:
        """What the datagram carries that this fragment completes."""
        if carried.end - carried.start < carried.length:
            return None
        piece = carried.data[carried.start : carried.end]
        key = (header.source, header.destination, header.protocol, header.identification or 0)
        whole = self._fragments.add(key, header.fragment, header.more, piece, packet.number, packet.time)
        if whole is None:
            return None
        size = len(whole.payload)
        return _Carried(whole.payload, 0, size, size, carried.addresses, whole.frames)

    def _transport(self, packet: Packet, header: IP, carried: _Carried) -> Packet:
        """:raises ValueError: the transport's header is cut or impossible; the text is the kind of flaw."""
        if header.protocol == TCP:
            return self._tcp(packet, carried)
        found: _Transport = None
        if header.protocol == UDP:
            source, destination, length, payload = read_udp(carried.data, carried.start, carried.end, carried.length)
            key = carried.addresses + source.to_bytes(2, "big") + destination.to_bytes(2, "big")
            found = self._datagrams.datagram(key, packet.number, packet.time, length, payload)
        elif header.protocol == (ICMP if header.version == 4 else ICMPV6):
            found = self._icmp(packet, header.version, carried)
        return packet._replace(transport=found)

    def _icmp(self, packet: Packet, version: int, carried: _Carried) -> Message:
        message = read_icmp(version, carried.data, carried.start, carried.end, carried.length)
        quoted = message.quoted
        if quoted is None or quoted.raw_sequence is None:
            return message
        return evolve(message, quoted=self._numbered(packet, quoted, message.payload))

    def _numbered(self, packet: Packet, quoted: Quoted, payload: bytes) -> Quoted:
        """A quoted TCP segment with its conversation, if enough of it is quoted."""
        header = read_ip(payload, 0)
        if header.end - header.start < _QUOTED_TCP:
            return quoted
        addresses = payload[12:20] if header.version == 4 else payload[8:40]
        key = addresses + payload[header.start : header.start + 4]
        return evolve(quoted, conversation=self._conversations.quoted(key, packet.number, packet.time))

    def _tcp(self, packet: Packet, carried: _Carried) -> Packet:
        data, start = carried.data, carried.start
        if carried.end < start + HEADER_LENGTH:
            raise ValueError("header_cut")
        *_ports, seq, ack, offset, window, _checksum, urgent = HEADER.unpack_from(data, start)
        size = (offset >> 12) * 4
        if size < HEADER_LENGTH or size > carried.length:
            raise ValueError("bad_length")
        payload = data[start + size : carried.end]
        options = data[start + HEADER_LENGTH : min(start + size, carried.end)]
        segment = self._conversations.segment(
            carried.addresses + data[start : start + 4],
            packet.number,
            packet.time,
            packet.length,
            (seq, ack, offset & FLAG_BITS, window, urgent),
            (carried.length - size, payload, options),
        )
        if segment is None:
            return _flawed(packet, "not_followed")
        return packet._replace(transport=segment)


def _flawed(packet: Packet, kind: str, **numbers: int) -> Packet:
    return packet._replace(flaws=(*packet.flaws, Flaw(kind, numbers)))
