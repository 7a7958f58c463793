"""One direction of an HTTP/1.1 conversation cut into messages (RFC 9112)."""

from collections.abc import Callable

from attrs import frozen

from netlab.trace.app.application import Faults, Room
from netlab.trace.app.http_body import CLOSE, NONE, BadBody, Body, BodyReader, framing_of
from netlab.trace.app.http_head import (
    BEGINNING,
    MAX_HEAD,
    BadHead,
    RequestHead,
    ResponseHead,
    begins_request,
    begins_response,
    end_of_head,
    read_request,
    read_response,
)
from netlab.trace.app.span import Span, SpanBuilder
from netlab.trace.app.stream import MessageStream

#: Responses whose requests have not been seen wait for them, up to so many bytes: it may be the order of the file.
MAX_WAITING = MAX_HEAD

#: The method of the request that the n-th final response answers: empty if nobody can say, `None` if it may still come.
Methods = Callable[[int], str | None]


@frozen
class Message:
    """A head, its body, and where both stood."""

    span: Span
    head: RequestHead | ResponseHead
    body: Body


class HttpStream(MessageStream):
    """The messages of one direction: of requests, or of responses if ``methods`` of the requests are given."""

    def __init__(self, sender: int, faults: Faults, room: Room, methods: Methods | None = None) -> None:
        super().__init__(sender, faults)
        self.messages: list[Message] = []
        #: The methods of all requests so far, those included for whose messages there was no room.
        self.methods: list[str] = []
        self._room = room
        self._asked = methods
        self._answered = 0
        self._searched = 0
        self._head: RequestHead | ResponseHead | None = None
        self._span: SpanBuilder | None = None
        self._body: BodyReader | None = None

    def begins(self, data: bytes | bytearray) -> bool:
        """Whether ``data`` begins with a message of this direction."""
        return begins_response(data) if self._asked else begins_request(data)

    def read(self) -> None:
        """Read what is there."""
        while not self.lost:
            if self._body is None:
                if not self._read_head():
                    return
            elif not self._read_body():
                return

    resume = read

    def finish(self, ended: bool) -> None:
        """Nothing more will come; ``ended``: because the sender closed."""
        self.read()
        if self._body is not None:
            if ended:
                self._body.end()
            if not self._body.done and self._span is not None:
                span = self._span.built()
                self.unfinished(span.offset, span.first, span.length)
            self._complete()
        self.close()

    def _read_head(self) -> bool:
        """Read a head, if it is there whole; whether there may be more to read."""
        tape = self.tape
        while self._searched == 0 and bytes(tape.ready[:1]) in (b"\r", b"\n"):
            # An empty line before a message belongs to nothing (RFC 9112 §2.2).
            tape.take(1, tape.span())
        if self._searched == len(tape.ready) and not tape.hole:
            return False
        if self._searched < BEGINNING <= len(tape.ready) and not self.begins(tape.ready[:BEGINNING]):
            self._searched = 0
            self.lose("bad_head", "no message begins like this")
            return True
        end = end_of_head(tape.ready, self._searched)
        if end is None or end > MAX_HEAD:
            return self._no_head(end)
        method = self._asked(self._answered) if self._asked else ""
        if method is None and tape.waiting < MAX_WAITING:
            return False
        self._searched = 0
        try:
            head = read_response(bytes(tape.ready[:end])) if self._asked else read_request(bytes(tape.ready[:end]))
            body = self._body_of(head, method or "")
        except (BadHead, BadBody) as error:
            self.lose(error.kind if isinstance(error, BadBody) else "bad_head", str(error))
            return True
        self._span = tape.span()
        tape.take(end, self._span)
        self._head, self._body = head, body
        return True

    def _no_head(self, end: int | None) -> bool:
        tape = self.tape
        if end is not None or len(tape.ready) > MAX_HEAD:
            self._searched = 0
            self.lose("head_too_long", f"a head of more than {MAX_HEAD:,} bytes")
            return True
        if tape.hole:
            self._searched = 0
            self.lose()
            return True
        self._searched = len(tape.ready)
        return False

    def _body_of(self, head: RequestHead | ResponseHead, method: str) -> BodyReader:
        kind = next((value for name, value in head.headers if name.lower() == "content-type"), None)
        if isinstance(head, RequestHead):
            self.methods.append(head.method)
            return BodyReader(*framing_of(head.headers, asks=True), kind)
        if head.status >= 200 or head.status == 101:
            self._answered += 1
        upgraded = head.status == 101 or (method == "CONNECT" and head.status < 300)
        if upgraded:
            return BodyReader(CLOSE, 0, kind)
        if method == "HEAD" or head.status < 200 or head.status in (204, 304):
            return BodyReader(NONE, 0, kind)
        return BodyReader(*framing_of(head.headers, asks=False), kind)

    def _read_body(self) -> bool:
        """Read of the body what is there; whether there may be more to read."""
        body, span = self._body, self._span
        assert body is not None
        assert span is not None
        hole, place = self.tape.hole, self.tape.offset + len(self.tape.ready)
        try:
            stuck = body.read(self.tape, span)
        except BadBody as error:
            self._complete()
            self.lose(error.kind, str(error))
            return True
        if hole and self.tape.offset > place:
            self.gap(place, min(hole, self.tape.offset - place))
        if body.done or stuck:
            self._complete()
            if stuck:
                self.lose()
            return True
        return False

    def _complete(self) -> None:
        assert self._head is not None
        assert self._span is not None
        assert self._body is not None
        message = Message(self._span.built(), self._head, self._body.facts())
        size = sum(len(name) + len(value) for name, value in self._head.headers)
        self._head = self._span = self._body = None
        if self._room.for_message(message.span, size):
            self.messages.append(message)
