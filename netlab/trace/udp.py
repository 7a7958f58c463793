"""UDP (RFC 768): the header, and what it carries."""

from struct import Struct

from attrs import frozen

HEADER = Struct("!HHHH")
HEADER_LENGTH = HEADER.size


@frozen
class Datagram:
    """A UDP datagram in its conversation: ``sender`` is 0 or 1, an index into the conversation's endpoints.

    ``length`` is that of the payload on the wire, in bytes; ``payload`` may be cut.
    """

    conversation: int | None
    sender: int
    source_port: int
    destination_port: int
    length: int
    payload: bytes


def read_udp(data: bytes, start: int, end: int, length: int) -> tuple[int, int, int, bytes]:
    """Ports, length of the payload, and the payload, of the header at ``start``; ``length`` is all that IP carries.

    :raises ValueError: the header is cut.
    """
    if end < start + HEADER_LENGTH:
        raise ValueError("header_cut")
    source, destination, total, _checksum = HEADER.unpack_from(data, start)
    # 0 is a jumbogram or offloading; more than IP carries is not believed.
    if not HEADER_LENGTH <= total <= length:
        total = length
    return source, destination, total - HEADER_LENGTH, data[start + HEADER_LENGTH : min(start + total, end)]
