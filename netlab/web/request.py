"""Requests out of a stream of bytes: llhttp reads them (RFC 9112 §2-§6), within limits.

The stream is cut at the end of each head, so that llhttp sees one request at a time and nothing behind it before that
one is answered. A request with content is the last of its connection: its content is never read as anything else, so
no disagreement about its length can smuggle in another request (RFC 9112 §11.2).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import httptools

from netlab.common.remembered import Remembered
from netlab.web.errors import RequestRefused
from netlab.web.limits import Limits

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_REQUEST_LINE = re.compile(rb"(%s+) ([!-~]+) HTTP/([0-9])\.([0-9])\r\n" % _TOKEN)
#: A method as far as it has come, or half of an empty line: nothing yet that shows what it is.
_METHOD_PART = re.compile(rb"\r|%s{1,32}" % _TOKEN)
_UNKNOWN_METHOD = re.compile(rb"%s+ " % _TOKEN)
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.\-_~%!$&'()*+,;=]*)(?::[0-9]*)?")
_END = b"\r\n\r\n"
_VERSIONS = {(b"1", b"0"), (b"1", b"1")}

#: Bytes of memory for heads that were read, shared by all connections. Clients ask with the same bytes again and again.
_REMEMBERED = 1 << 20

#: Longer heads than this are read every time.
_MAX_REMEMBERED = 2_048

#: A request takes about so many times the bytes of its head, so many for each field, and besides that so many.
_TIMES, _EACH_FIELD, _BESIDES = 3, 200, 500


class Heads:
    """Heads that were plain requests, as bytes, and the requests that they are."""

    def __init__(self) -> None:
        self._known: Remembered[Request] = Remembered(_REMEMBERED)

    def __len__(self) -> int:
        return len(self._known)

    def get(self, head: bytes) -> "Request | None":
        """The request that ``head`` is, if that is known."""
        return self._known.get(head) if len(head) <= _MAX_REMEMBERED else None

    def put(self, head: bytes, request: "Request") -> None:
        """Remember what ``head`` is, if that is worth it."""
        if request.is_plain and len(head) <= _MAX_REMEMBERED:
            self._known.put(head, request, _TIMES * len(head) + _EACH_FIELD * len(request.fields) + _BESIDES)


class Request(NamedTuple):
    """A request without its content.

    ``line`` is the request line without its end. ``fields`` has lower-case names; values of fields with the same name
    are joined by commas (RFC 9110 §5.3).
    ``minor`` is the second digit of the version, 0 or 1. ``persistent`` says that the client wants the connection kept.
    """

    line: bytes
    method: bytes
    target: bytes
    minor: int
    fields: Mapping[bytes, bytes]
    persistent: bool
    has_content: bool

    @property
    def is_plain(self) -> bool:
        """Whether it leaves the connection as it was: HTTP/1.1, to be kept, and no content."""
        return self.persistent and self.minor == 1 and not self.has_content


class RequestReader:
    """Give it bytes with `feed`, take requests with `next`; ``fault`` is what is wrong with the stream, once it is.

    :param heads: what other readers with the same limits have read.
    :param host_required: whether HTTP/1.1 without a Host field is refused, as RFC 9112 §3.2 asks.
    """

    def __init__(self, limits: Limits, heads: Heads | None = None, *, host_required: bool = True) -> None:
        self.fault: RequestRefused | None = None
        self._limits = limits
        self._heads = Heads() if heads is None else heads
        self._host_required = host_required
        self._parser = httptools.HttpRequestParser(self)
        self._buffer = b""
        #: Where the head begins that is being read, and up to where llhttp has it.
        self._start = 0
        self._fed = 0
        self._repeated_host: bool = False
        self._persistent: bool = False
        #: Whether llhttp has found the end of the message, and so no content.
        self._complete: bool = False
        self._new_head()

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here, and not all of it."""
        return self._start < len(self._buffer)

    @property
    def waiting(self) -> int:
        """Bytes that are kept here."""
        return len(self._buffer) - self._start

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        if self.fault is None:
            self._buffer = self._buffer[self._start :] + data if self._start < len(self._buffer) else data
            self._fed -= self._start
            self._start = 0

    def next(self) -> Request | None:
        """The next request that is complete; `None` if there is none, or a ``fault`` instead."""
        if self.fault is not None or self._start == len(self._buffer):
            return None
        self._skip_empty_lines()
        buffer, start = self._buffer, self._start
        end = buffer.find(_END, max(start, self._fed - 3))
        stop = len(buffer) if end < 0 else end + len(_END)
        if self._fed == start:
            if end < 0 and _METHOD_PART.fullmatch(buffer, start):
                return None
            request = self._heads.get(buffer[start:stop])
            if request is not None:
                self._start = self._fed = stop
                return request
        try:
            self._read(start, stop)
            return None if end < 0 else self._made(buffer[start:stop])
        except RequestRefused as fault:
            self.fault = fault
            self._buffer, self._start, self._fed = b"", 0, 0
            return None

    # ---- what llhttp calls

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field."""
        name = name.lower()
        self._count += 1
        if name in self._fields:
            self._repeated_host = self._repeated_host or name == b"host"
            value = self._fields[name] + b", " + value
        self._fields[name] = value

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._persistent = self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        """The request has no content, or none that is longer than nothing."""
        self._complete = True

    # ---- inside

    def _new_head(self) -> None:
        self._fields: dict[bytes, bytes] = {}
        self._count = 0
        self._repeated_host = self._persistent = self._complete = False

    def _skip_empty_lines(self) -> None:
        """Before a request line they mean nothing (RFC 9112 §2.2)."""
        while self._fed == self._start and self._buffer.startswith(b"\r\n", self._start):
            self._start += 2
            self._fed = self._start

    def _read(self, start: int, stop: int) -> None:
        """Let llhttp read up to ``stop``; raises `RequestRefused`."""
        limit = start + self._limits.max_head
        try:
            self._parser.feed_data(self._buffer[self._fed : min(stop, limit)])
        except httptools.HttpParserUpgrade:
            pass  # nothing here can be upgraded to: it is answered like any other (RFC 9110 §7.8)
        except httptools.HttpParserError as error:
            raise _refusal(error, self._buffer[start:stop]) from None
        self._fed = stop
        if stop > limit:
            line = self._buffer[start:limit].partition(b"\r\n")[0]
            raise self._too_long(line.count(b" ") and line.split(b" ")[1])
        if self._count > self._limits.max_fields:
            raise RequestRefused(431, f"more than {self._limits.max_fields} fields")

    def _too_long(self, target: bytes | int) -> RequestRefused:
        if isinstance(target, bytes) and len(target) > self._limits.max_target:
            return RequestRefused(414, f"the target is longer than {self._limits.max_target:,} bytes")
        return RequestRefused(431, f"the head is longer than {self._limits.max_head:,} bytes")

    def _made(self, head: bytes) -> Request:
        """The request of a whole head; raises `RequestRefused` for what llhttp lets pass and RFC 9112 does not."""
        line = _REQUEST_LINE.match(head)
        if line is None:
            raise RequestRefused(400, "the request line is malformed")
        method, target, major, minor = line.groups()
        if major != b"1":
            raise RequestRefused(505, f"HTTP/{major.decode()}.{minor.decode()} is not spoken here")
        if len(target) > self._limits.max_target:
            raise self._too_long(target)
        self._check_host(minor == b"1")
        request = Request(line[0][:-2], method, target, int(minor), self._fields, self._persistent, not self._complete)
        self._heads.put(head, request)
        self._start = self._fed
        self._new_head()
        return request

    def _check_host(self, required: bool) -> None:
        host = self._fields.get(b"host")
        if host is None:
            if required and self._host_required:
                raise RequestRefused(400, "HTTP/1.1 needs a Host field")
        elif self._repeated_host or not _is_host(host):
            raise RequestRefused(400, "the Host field is malformed")


@lru_cache(64)
def _is_host(value: bytes) -> bool:
    """Whether this is a host and maybe a port (RFC 9110 §7.2)."""
    return _HOST.fullmatch(value) is not None


def _refusal(error: httptools.HttpParserError, head: bytes) -> RequestRefused:
    """What llhttp refused, as a status: unknown methods and versions have their own."""
    if isinstance(error, httptools.HttpParserInvalidMethodError) and _UNKNOWN_METHOD.match(head):
        return RequestRefused(501, "the method is not known here")
    line = _REQUEST_LINE.match(head)
    if line is not None and (line[3], line[4]) not in _VERSIONS:
        return RequestRefused(505, f"HTTP/{line[3].decode()}.{line[4].decode()} is not spoken here")
    return RequestRefused(400, str(error).lower() or "malformed")
