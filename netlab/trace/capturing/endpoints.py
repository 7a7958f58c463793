"""Between whom a packet goes: just enough of it to know a flow by, and quick."""

from typing import NamedTuple

from netlab.trace.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6, network_of

_PROTOCOLS = {6: "tcp", 17: "udp"}


class Endpoint(NamedTuple):
    """One side: ``address`` as 4 or 16 bytes."""

    protocol: str
    address: bytes
    port: int


def endpoints_of(link_type: int, data: bytes) -> tuple[Endpoint, Endpoint] | None:
    """Sender and receiver of a TCP segment or UDP datagram, in order; `None` for anything else, or a part of one."""
    kind, start = network_of(link_type, data)
    if kind == ETHERTYPE_IPV4 and len(data) >= start + 20:
        transport = start + (data[start] & 0x0F) * 4
        number, middle = data[start + 9], start + 16
        source, target = data[start + 12 : middle], data[middle : middle + 4]
        if int.from_bytes(data[start + 6 : start + 8], "big") & 0x1FFF:
            return None
    elif kind == ETHERTYPE_IPV6 and len(data) >= start + 40:
        transport, number = start + 40, data[start + 6]
        source, target = data[start + 8 : start + 24], data[start + 24 : transport]
    else:
        return None
    protocol = _PROTOCOLS.get(number)
    if protocol is None or len(data) < transport + 4:
        return None
    source_port, target_port = (int.from_bytes(data[place : place + 2], "big") for place in (transport, transport + 2))
    return Endpoint(protocol, source, source_port), Endpoint(protocol, target, target_port)
