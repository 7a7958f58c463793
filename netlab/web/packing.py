"""gzip: whether a client asks for it, and whether it is worth it (RFC 9110 §8.4.1.3, §12.5.3)."""

import zlib
from functools import lru_cache

from werkzeug.http import parse_accept_header

#: Shorter content than this fits into one segment anyhow.
_LEAST = 256

#: At least so much of it has to go.
_GAIN = 0.1

_LEVEL = 5
_GZIP = 31  # zlib's way to say: a gzip wrapper, the largest window


def pack(content: bytes) -> bytes | None:
    """``content`` packed by gzip, without a time stamp; `None` if that is not worth it."""
    if len(content) < _LEAST:
        return None
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed = packer.compress(content) + packer.flush()
    return packed if len(packed) < len(content) * (1 - _GAIN) else None


@lru_cache(256)
def wants_packed(accept_encoding: bytes | None) -> bool:
    """Whether this Accept-Encoding asks for gzip, and likes it no less than the content as it is."""
    if accept_encoding is None:
        return False
    accepted = parse_accept_header(accept_encoding.decode("latin-1"))
    packed = accepted.quality("gzip") or accepted.quality("x-gzip")
    plain = next((quality for name, quality in accepted if name.lower() == "identity"), 0.0)
    return bool(0 < packed >= plain)
