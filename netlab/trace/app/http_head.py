"""The heads of HTTP/1 messages (RFC 9112 §2-6): bytes in, lines and fields out; read as leniently as browsers do."""

import re

from attrs import frozen

MAX_HEAD = 65_536
MAX_FIELDS = 256

Headers = tuple[tuple[str, str], ...]

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ([^ \x00-\x1f]+) (HTTP/1\.[0-9])")
_STATUS = re.compile(rb"(HTTP/1\.[0-9]) ([1-9][0-9]{2})(?: (.*))?", re.DOTALL)
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*?)[ \t]*")
#: A method and how a target begins: with a path, ``*``, a scheme, or the host of CONNECT (RFC 9112 §3.2).
_BEGINS = re.compile(rb"[A-Z]{3,16} (?:[/*]|https?:)|CONNECT [A-Za-z0-9\[]")
_VERSION = b"HTTP/1."
#: So many bytes tell whether a message begins.
BEGINNING = 18


class BadHead(ValueError):
    """The text of a head is none; the text says why."""


@frozen
class RequestHead:
    """The head of a request."""

    method: str
    target: str
    version: str
    headers: Headers


@frozen
class ResponseHead:
    """The head of a response."""

    status: int
    reason: str
    version: str
    headers: Headers


def begins_request(data: bytes | bytearray) -> bool:
    """Whether ``data`` begins as a request does; false if there is too little of it to say."""
    return _BEGINS.match(data) is not None


def begins_response(data: bytes | bytearray) -> bool:
    """Whether ``data`` begins as a response does."""
    return bytes(data[:7]) == _VERSION


def end_of_head(data: bytearray, searched: int) -> int | None:
    """Where the body begins, in data of which ``searched`` bytes were searched before; `None` if it is not there."""
    start = max(0, searched - 3)
    ends = [found + len(end) for end in (b"\n\r\n", b"\n\n") if (found := data.find(end, start)) >= 0]
    return min(ends, default=None)


def read_request(data: bytes) -> RequestHead:
    """A whole head.

    :raises BadHead: it is no request.
    """
    line, headers = _lines(data)
    found = _REQUEST.fullmatch(line)
    if not found:
        raise BadHead(f"this is no request line: {_shown(line)}")
    method, target, version = (group.decode("latin-1") for group in found.groups())
    return RequestHead(method, target, version, headers)


def read_response(data: bytes) -> ResponseHead:
    """A whole head.

    :raises BadHead: it is no response.
    """
    line, headers = _lines(data)
    found = _STATUS.fullmatch(line)
    if not found:
        raise BadHead(f"this is no status line: {_shown(line)}")
    return ResponseHead(int(found[2]), (found[3] or b"").decode("latin-1"), found[1].decode("latin-1"), headers)


def values(headers: Headers, name: str) -> list[str]:
    """The members of all lists that the fields ``name`` (in lower case) hold, in lower case (RFC 9110 §5.6.1)."""
    joined = ",".join(value for key, value in headers if key.lower() == name)
    return [member.strip().lower() for member in joined.split(",") if member.strip()]


def _lines(data: bytes) -> tuple[bytes, Headers]:
    first, *rest = re.split(rb"\r?\n", data.rstrip(b"\r\n"))
    fields: list[tuple[bytes, bytes]] = []
    for line in rest:
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip())
            continue
        found = _FIELD.fullmatch(line)
        if not found:
            raise BadHead(f"this is no header field: {_shown(line)}")
        fields.append((found[1], found[2]))
        if len(fields) > MAX_FIELDS:
            raise BadHead(f"a head of more than {MAX_FIELDS} fields")
    return first, tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)


def _shown(line: bytes) -> str:
    return ascii(line[:40].decode("latin-1"))
