"""Packets as other hosts send them, made plainly, for tests to feed to ours."""

from __future__ import annotations

import struct
from ipaddress import ip_address

from netlab.common.checksum import internet_checksum
from netlab.icmp.packet import Family

SECOND = 10**9
HOST, OTHER_HOST = "192.0.2.1", "192.0.2.2"
SECRET = b"secret!!"


def with_checksum(message: bytes) -> bytes:
    """An ICMP message with its checksum put in."""
    bare = message[:2] + b"\0\0" + message[4:]
    return bare[:2] + internet_checksum(bare).to_bytes(2, "big") + bare[4:]


def reply_to(request: bytes, family: Family = Family.IPV4) -> bytes:
    """The echo reply that a host sends."""
    reply = bytes([family.echo_reply]) + request[1:]
    return with_checksum(reply) if family is Family.IPV4 else reply


def ipv4(message: bytes, source: str, destination: str, options: bytes = b"", protocol: int = 1) -> bytes:
    """An IPv4 packet around a message."""
    first = 0x45 + len(options) // 4
    length = 20 + len(options) + len(message)
    header = struct.pack("!BBHHHBBH", first, 0, length, 0, 0, 64, protocol, 0)
    return header + ip_address(source).packed + ip_address(destination).packed + options + message


def ipv6(message: bytes, source: str, destination: str) -> bytes:
    """An IPv6 packet around a message."""
    header = struct.pack("!IHBB", 6 << 28, len(message), 58, 64)
    return header + ip_address(source).packed + ip_address(destination).packed + message


def error_about(packet: bytes, kind: int, code: int, rest: int = 0, quoted: int = 28) -> bytes:
    """An ICMP error that quotes the beginning of a packet."""
    return with_checksum(struct.pack("!BBHI", kind, code, 0, rest) + packet[:quoted])
