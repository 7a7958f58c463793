"""The requests of one session, and the replies that they wait for, made quickly: most of each is the same.

Of two requests of a session only the sequence number, the request's own number and the checksum differ. So the sum of
everything else is taken once, and a request is one `struct.Struct.pack` (RFC 1624 has the arithmetic).
"""

from collections.abc import Callable
from struct import Struct

from netlab.icmp.packet import Family, encode_request, expected_reply
from netlab.icmp.payload import NUMBER_SIZE, SECRET_SIZE, Payload, TokenPayload

#: The request of a number, and its reply byte for byte: empty where that cannot be told.
Template = Callable[[int], tuple[bytes, bytes]]

#: Replies to requests of so many bytes are told: long ones would take much memory while they are waited for.
_SHORT = 256

#: Type, code, checksum, identifier, sequence number, secret, number.
_REQUEST = Struct(f"!BBHHH{SECRET_SIZE}sQ")
#: What the first word of a request has more than that of a reply.
_MORE = 0x0800


def template(family: Family, identifier: int, payload: Payload) -> Template:
    """What makes the requests of one session, and their replies.

    Replies over IPv6 cannot be told: only the kernel knows their checksum, which covers the addresses.
    """
    is_short = len(encode_request(family, identifier, 0, payload.of(0))) <= _SHORT
    if family is Family.IPV4 and is_short:
        if isinstance(payload, TokenPayload) and payload.token_size == SECRET_SIZE + NUMBER_SIZE:
            return _of_token(identifier, payload)
        return lambda number: _with_reply(encode_request(family, identifier, number & 0xFFFF, payload.of(number)))
    return lambda number: (encode_request(family, identifier, number & 0xFFFF, payload.of(number)), b"")


def _with_reply(request: bytes) -> tuple[bytes, bytes]:
    return request, expected_reply(request)


def _of_token(identifier: int, payload: TokenPayload) -> Template:
    """For IPv4 and the usual payload."""
    pack, kind = _REQUEST.pack, Family.IPV4.echo_request
    first = payload.of(0)
    secret, filling = first[:SECRET_SIZE], first[SECRET_SIZE + NUMBER_SIZE :]
    bare = pack(kind, 0, 0, identifier, 0, secret, 0) + filling
    # A number modulo 65,535 is the one's complement sum of its words, so the long one of 8 bytes needs no taking apart.
    rest = int.from_bytes(bare + bytes(len(bare) % 2), "big") % 0xFFFF

    def make(number: int) -> tuple[bytes, bytes]:
        sequence = number & 0xFFFF
        checksum = -(rest + sequence + number) % 0xFFFF
        request = pack(kind, 0, checksum, identifier, sequence, secret, number) + filling
        checksum += _MORE
        if checksum > 0xFFFF:
            checksum -= 0xFFFF
        return request, pack(0, 0, checksum, identifier, sequence, secret, number) + filling

    return make
