"""The client's side without any transport: URLs, requests as bytes, and responses out of bytes (RFC 9112)."""

import re
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import httptools
from attrs import frozen

from netlab.web.errors import BadUrl, ResponseError

#: Bytes of a status line and fields, and the number of fields, that a response may have.
_MAX_HEAD = 65_536
_MAX_FIELDS = 500

_FIELD = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")


@frozen
class Wanted:
    """One request: a target as it is sent, and the ``authority`` its URL names, empty for a target alone.

    ``fields`` are what it has besides Host and Connection.
    """

    target: str
    authority: str = ""
    method: str = "GET"
    fields: tuple[tuple[str, str], ...] = ()
    persistent: bool = True

    def encode(self, authority: str) -> bytes:
        """The request, to the server that is called ``authority`` if the URL names none."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        own = {name.lower() for name, _ in self.fields}
        if "host" not in own:
            lines.append(f"Host: {self.authority or authority}")
        lines += [f"{name}: {value}" for name, value in self.fields]
        if "connection" not in own:
            lines.append("Connection: " + ("keep-alive" if self.persistent else "close"))
        return "\r\n".join((*lines, "", "")).encode("latin-1")


@frozen
class Received:
    """One response: its fields as they came, the length of its body, and the body if it was to be kept."""

    status: int
    phrase: str
    fields: tuple[tuple[str, str], ...]
    size: int
    body: bytes | None
    persistent: bool


def wanted(url: str, method: str = "GET", fields: tuple[tuple[str, str], ...] = (), persistent: bool = True) -> Wanted:
    """What to ask for a URL, or for a path that begins with a slash. What no target may have is percent-encoded.

    :raises BadUrl: it is neither.
    """
    if url.startswith("/"):
        return Wanted(_target(url), "", method, fields, persistent)
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname and (parts.port is None or parts.port > 0):
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return Wanted(_target(target), parts.netloc.rpartition("@")[2], method, fields, persistent)
    except ValueError:
        pass
    if url.startswith("https:"):
        raise BadUrl(f"{url}: for TLS give a path, and the server by --connect tls:HOST:PORT")
    raise BadUrl(f"{url} is neither a path that begins with / nor a URL that begins with http://")


def _target(text: str) -> str:
    return quote(text, safe="!#$%&'()*+,/:;=?@[]~\\|^`{}\"<>").partition("#")[0]


def field_of(text: str) -> tuple[str, str]:
    """A field, out of ``Name: value``.

    :raises BadUrl: it is none.
    """
    found = _FIELD.fullmatch(text)
    if found is None:
        raise BadUrl(f"{text!r} is no field such as 'Range: bytes=0-99'")
    return found[1], found[2]


class ResponseReader:
    """One response out of bytes: `feed` until ``received`` is there, and `end` when the server has closed.

    :param headed: whether it answers HEAD, and so has no body whatever it says.
    :param keeps: how many bytes of the body to keep; `None` for none of it.
    """

    def __init__(self, *, headed: bool, keeps: int | None = None) -> None:
        self.received: Received | None = None
        self._headed = headed
        self._keeps = keeps
        self._parser = httptools.HttpResponseParser(self)
        self._fields: list[tuple[str, str]] = []
        self._status = b""
        self._body: list[bytes] = []
        self._size = 0
        self._head_size = 0
        self._has_head = self._persistent = False

    def feed(self, data: bytes) -> None:
        """Take what came.

        :raises ResponseError: it is no response.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise ResponseError("the server switches to another protocol") from None
        except httptools.HttpParserError as error:
            if self.received is None:
                raise ResponseError(f"it is no response of HTTP/1.1: {str(error).lower()}") from None
        if not self._has_head:
            self._head_size += len(data)
            self._check_head()

    def end(self) -> None:
        """The server has closed: what is here is all, if the response says nothing of its length.

        :raises ResponseError: it ends too early.
        """
        if not self._head_size and not self._has_head:
            raise ResponseError("the server closed the connection before it answered")
        names = {name.lower() for name, _ in self._fields}
        if not self._has_head or not names.isdisjoint(("content-length", "transfer-encoding")):
            raise ResponseError(f"the connection ended within the response, after {self._size:,} bytes of its body")
        self._persistent = False
        self._finish()

    # ---- what llhttp calls

    def on_status(self, phrase: bytes) -> None:
        """A part of the reason phrase."""
        self._status += phrase[: _MAX_HEAD - len(self._status)]

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field."""
        self._fields.append((name.decode("latin-1"), value.decode("latin-1")))
        self._check_head()

    def on_headers_complete(self) -> None:
        """The head is whole; an interim response's is forgotten (RFC 9110 §15.2)."""
        self._has_head = True
        self._persistent = self._parser.should_keep_alive()
        if self._headed and self._parser.get_status_code() >= 200:
            self._finish()

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self._size += len(data)
        if self._keeps is not None:
            if self._size > self._keeps:
                raise ResponseError(f"the body is longer than {self._keeps:,} bytes")
            self._body.append(data)

    def on_message_complete(self) -> None:
        """The response is whole."""
        if self._parser.get_status_code() < 200:
            self._fields, self._status, self._has_head, self._head_size = [], b"", False, 0
        else:
            self._finish()

    def _finish(self) -> None:
        if self.received is None:
            status = self._parser.get_status_code()
            phrase = self._status.decode("latin-1") or _phrase(status)
            body = None if self._keeps is None else b"".join(self._body)
            self.received = Received(status, phrase, tuple(self._fields), self._size, body, self._persistent)

    def _check_head(self) -> None:
        if self._head_size > _MAX_HEAD or len(self._fields) > _MAX_FIELDS:
            raise ResponseError("the head of the response is too long")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
