"""Packets made by hand, and captures of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from netlab.trace.facts import Packet, Segment
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from netlab.trace.reading import Trace

A, B = "10.0.0.1", "10.0.0.2"
A6, B6 = "2001:db8::1", "2001:db8::2"
ETHERNET = 1

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def ethernet(payload: bytes, kind: int = 0x0800) -> bytes:
    """An Ethernet frame."""
    return bytes.fromhex("020000000002020000000001") + kind.to_bytes(2, "big") + payload


def ipv4(
    payload: bytes,
    protocol: int = 6,
    source: str = A,
    destination: str = B,
    *,
    identity: int = 1,
    place: int = 0,
    more: bool = False,
    options: bytes = b"",
    total: int | None = None,
) -> bytes:
    """An IPv4 packet; ``place`` is in bytes."""
    header = 20 + len(options)
    fragment = place // 8 | (0x2000 if more else 0)
    length = header + len(payload) if total is None else total
    addresses = ip_address(source).packed + ip_address(destination).packed
    first = 0x40 | header // 4
    return (
        struct.pack("!BBHHHBBH", first, 0, length, identity, fragment, 64, protocol, 0) + addresses + options + payload
    )


def ipv6(payload: bytes, following: int = 6, source: str = A6, destination: str = B6) -> bytes:
    """An IPv6 packet; ``payload`` may begin with extension headers."""
    addresses = ip_address(source).packed + ip_address(destination).packed
    return struct.pack("!IHBB", 0x60000000, len(payload), following, 64) + addresses + payload


def tcp(
    bits: int,
    seq: int = 0,
    ack: int = 0,
    payload: bytes = b"",
    *,
    ports: tuple[int, int] = (1000, 80),
    window: int = 1000,
    options: bytes = b"",
) -> bytes:
    """A TCP segment."""
    offset = (20 + len(options)) // 4 << 12 | bits
    return struct.pack("!HHIIHHHH", *ports, seq, ack, offset, window, 0, 0) + options + payload


def udp(payload: bytes, ports: tuple[int, int] = (53, 5353)) -> bytes:
    """A UDP datagram."""
    return struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload


def there(bits: int, seq: int = 0, ack: int = 0, payload: bytes = b"", **more: int) -> bytes:
    """A frame from A to B."""
    return ethernet(ipv4(tcp(bits, seq, ack, payload, window=more.get("window", 1000))))


def back(bits: int, seq: int = 0, ack: int = 0, payload: bytes = b"", **more: int) -> bytes:
    """A frame from B to A."""
    segment = tcp(bits, seq, ack, payload, ports=(80, 1000), window=more.get("window", 1000))
    return ethernet(ipv4(segment, source=B, destination=A))


def capture(frames: Iterable[bytes], link_type: int = ETHERNET, step: int = 1_000_000) -> bytes:
    """A pcapng file of ``frames``, ``step`` nanoseconds apart."""
    blocks = [section_header(), interface_description(link_type)]
    blocks += [enhanced_packet(10**18 + number * step, frame) for number, frame in enumerate(frames)]
    return b"".join(blocks)


def traced(frames: Iterable[bytes], link_type: int = ETHERNET, step: int = 1_000_000) -> tuple[list[Packet], Trace]:
    """The packets of a capture of ``frames``, and the trace that has read them."""
    trace = Trace([capture(frames, link_type, step)])
    return list(trace.packets()), trace


def segments(packets: Iterable[Packet]) -> Iterator[Segment]:
    """The TCP segments among ``packets``."""
    return (packet.transport for packet in packets if isinstance(packet.transport, Segment))


#: A connection: handshake, a question of 5 bytes, an answer of 10, and FINs from A, then B.
CONVERSATION = (
    there(SYN, 100),
    back(SYN | ACK, 500, 101),
    there(ACK, 101, 501),
    there(PSH | ACK, 101, 501, b"hello"),
    back(ACK, 501, 106),
    back(PSH | ACK, 501, 106, b"0123456789"),
    there(ACK, 106, 511),
    there(FIN | ACK, 106, 511),
    back(FIN | ACK, 511, 107),
    there(ACK, 107, 512),
)
