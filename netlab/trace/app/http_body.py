"""The bodies of HTTP/1 messages (RFC 9112 §6-7): how long they are, and what they add up to."""

import re
from hashlib import sha256

from attrs import frozen

from netlab.trace.app.http_head import Headers, values
from netlab.trace.app.span import SpanBuilder
from netlab.trace.app.tape import Tape

#: How a body's end is found.
NONE, LENGTH, CHUNKED, CLOSE = "none", "length", "chunked", "close"

MAX_LINE = 1024
_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")


class BadBody(ValueError):
    """Its length, or a chunk, cannot be read; ``kind`` is that of the fault."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@frozen
class Body:
    """What followed a head.

    ``framing`` is how its end is found; ``length`` counts its bytes as the program gets them, and ``missing`` those of
    them that are not in the capture. ``sha256`` is of those that are, in hexadecimal. ``type`` is the Content-Type.
    """

    framing: str
    length: int
    sha256: str
    type: str | None
    complete: bool
    missing: int


def framing_of(headers: Headers, *, asks: bool) -> tuple[str, int]:
    """How the body ends that these headers announce, and its length if they say it (RFC 9112 §6.3).

    :raises BadBody: they contradict themselves.
    """
    codings = values(headers, "transfer-encoding")
    if codings:
        return (CHUNKED if codings[-1] == "chunked" else NONE if asks else CLOSE), 0
    lengths = set(values(headers, "content-length"))
    if not lengths:
        return (NONE if asks else CLOSE), 0
    text = lengths.pop()
    if lengths or not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadBody("bad_length", f"this is no length: {text[:40]!a}")
    return LENGTH, int(text)


class BodyReader:
    """Reads one body off a tape, in pieces of any size; ``done`` once it is whole."""

    def __init__(self, framing: str, length: int, kind: str | None) -> None:
        self.done = framing == NONE or (framing == LENGTH and not length)
        self._framing = framing
        self._type = kind
        self._hash = sha256()
        self._length = 0
        self._missing = 0
        #: Bytes that this chunk, or the whole body, still has; `None`: a line comes first.
        self._left: int | None = None if framing == CHUNKED else length
        self._ends_chunk = False
        self._trailers = False

    def read(self, tape: Tape, into: SpanBuilder) -> bool:
        """Read what is there; whether a gap is in the way that cannot be stepped over.

        :raises BadBody: a chunk makes no sense.
        """
        while not self.done:
            if self._left is None:
                if not self._line(tape, into):
                    return bool(tape.hole)
            elif not self._bytes(tape, into):
                return False
        return False

    def facts(self) -> Body:
        """What was read so far."""
        kind = self._type
        return Body(self._framing, self._length, self._hash.hexdigest(), kind, self.done, self._missing)

    def end(self) -> None:
        """The other side has closed: that is the end of a body which has no other."""
        if self._framing == CLOSE:
            self.done = True

    def _bytes(self, tape: Tape, into: SpanBuilder) -> bool:
        """Read what this chunk or body has; whether it is whole."""
        left = self._left or 0
        most = left if self._framing != CLOSE else len(tape.ready) + tape.hole
        data = tape.take(most, into)
        self._hash.update(data)
        missing = tape.step_over(most - len(data), into) if tape.hole and not tape.ready else 0
        self._length += len(data) + missing
        self._missing += missing
        if self._framing == CLOSE:
            return bool(tape.ready)
        self._left = left - len(data) - missing
        if self._left:
            return bool(tape.ready)
        if self._framing == CHUNKED:
            self._left, self._ends_chunk = None, True
        else:
            self.done = True
        return True

    def _line(self, tape: Tape, into: SpanBuilder) -> bool:
        """Read a line between chunks; whether there was one."""
        end = tape.ready.find(b"\n", 0, MAX_LINE)
        if end < 0:
            if len(tape.ready) >= MAX_LINE:
                raise BadBody("bad_chunk", "a line between chunks does not end")
            return False
        line = bytes(tape.ready[: end + 1]).rstrip(b"\r\n")
        found = None if self._ends_chunk or self._trailers else _SIZE.fullmatch(line)
        if not self._trailers and (line if self._ends_chunk else not found):
            raise BadBody("bad_chunk", f"this is no chunk's {'end' if self._ends_chunk else 'size'}: {line[:40]!a}")
        tape.take(end + 1, into)
        if self._ends_chunk:
            self._ends_chunk = False
        elif self._trailers:
            self.done = not line
        elif found:
            self._left = int(found[1], 16) or None
            self._trailers = self._left is None
        return True
