"""An answer as a value, and its head as bytes (RFC 9112 §4, §5)."""

from collections.abc import Iterable
from http import HTTPStatus

from attrs import field, frozen

from netlab import __version__
from netlab.web.ranges import Slice

Fields = Iterable[tuple[str, str]]

#: A part of a body: bytes that are there, or bytes of the file that is answered with (packed, if the reply says so).
Part = bytes | Slice

_SERVER = f"Server: netlab/{__version__}\r\n".encode()


def render(fields: Fields) -> bytes:
    """Field lines; a value that could not stand in one has its line breaks taken out."""
    return "".join(f"{name}: {' '.join(value.splitlines())}\r\n" for name, value in fields).encode("latin-1", "replace")


def status_line(status: int) -> bytes:
    """The first line of a response."""
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()


@frozen
class Reply:
    """One answer.

    ``length`` is what Content-Length says, `None` for none; it is that of GET in an answer to HEAD, too. ``body`` is
    what follows the head, and empty for HEAD and 304. ``packed`` says that slices are of the packed content.
    ``closes`` is set when the connection has to end after this answer, whatever the client wants.
    """

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    body: tuple[Part, ...] = ()
    length: int | None = 0
    packed: bool = False
    closes: bool = False
    #: The head before the date and after it, made once: a reply is sent many times.
    before_date: bytes = field(init=False, repr=False)
    after_date: bytes = field(init=False, repr=False)
    #: Bytes of the body.
    size: int = field(init=False, repr=False)

    @before_date.default
    def _before_date(self) -> bytes:
        return status_line(self.status) + _SERVER + b"Date: "

    @after_date.default
    def _after_date(self) -> bytes:
        lines = b"\r\n" + render(self.fields)
        return lines if self.length is None else lines + b"Content-Length: %d\r\n" % self.length

    @size.default
    def _size(self) -> int:
        return sum(part.size if isinstance(part, Slice) else len(part) for part in self.body)

    def head(self, date: bytes, persistent: bool) -> bytes:
        """Everything before the body.

        :param date: the value of Date.
        """
        end = b"\r\n" if persistent else b"Connection: close\r\n\r\n"
        return b"".join((self.before_date, date, self.after_date, end))
