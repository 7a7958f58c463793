"""Which codec a body is in: its first byte says so, and an answer is written in the codec of its request."""

from enum import Enum

from netlab.calc.errors import UnknownCodec


class Codec(Enum):
    """A codec by the first byte of its bodies."""

    PICKLE = 0x80
    JSON = ord("{")


def codec_of(body: bytes) -> Codec:
    """The codec of a body.

    :raises UnknownCodec: its first byte is none of theirs, or it has none.
    """
    try:
        return Codec(body[0])
    except IndexError:
        raise UnknownCodec("the body is empty") from None
    except ValueError:
        raise UnknownCodec(f"no codec begins with the byte {body[0]:#04x}; pickle and JSON are known") from None
