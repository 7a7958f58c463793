"""ARP (RFC 826) for IPv4: who asks for whose hardware address."""

from struct import Struct

from attrs import frozen

from netlab.trace.ip import address_text
from netlab.trace.link import hardware_text

REQUEST, REPLY = 1, 2
_HEADER = Struct("!HHBBH")


@frozen
class Arp:
    """An ARP packet: ``operation`` is 1 for a request, 2 for a reply; addresses as texts."""

    operation: int
    sender_hardware: str
    sender: str
    target_hardware: str
    target: str


def read_arp(data: bytes, start: int) -> Arp:
    """The packet at ``start``.

    :raises ValueError: it is cut, or not about IPv4.
    """
    if len(data) < start + 8:
        raise ValueError("header_cut")
    _hardware, protocol, hardware_length, length, operation = _HEADER.unpack_from(data, start)
    if protocol != 0x0800 or length != 4:
        raise ValueError("not_ipv4")
    parts = []
    place = start + 8
    for size in (hardware_length, 4, hardware_length, 4):
        parts.append(data[place : place + size])
        place += size
    if place > len(data):
        raise ValueError("header_cut")
    return Arp(
        operation, hardware_text(parts[0]), address_text(parts[1]), hardware_text(parts[2]), address_text(parts[3])
    )
