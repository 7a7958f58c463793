"""What stands in calculator packets: bodies as text, through the daemon's own bounded readers."""

from collections.abc import Callable, Hashable

from attrs import frozen

from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs import json_body
from netlab.calc.codecs.choice import Codec, codec_of
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import CalcError
from netlab.calc.header import HEADER_LENGTH, MAX_BODY, Header, encode_packet
from netlab.calc.messages import Failure
from netlab.calc.numbers import number_text
from netlab.calc.program import flatten
from netlab.calc.question import read_response
from netlab.trace.app.application import Room
from netlab.trace.app.span import Span

#: Bodies whose texts are remembered: programs ask the same again and again, and reading is the slow part.
MAX_REMEMBERED = 512
NO_ROOM = "it was not read: there is more in this capture than can be kept"


@frozen
class Contents:
    """A packet as it was cut from its stream; ``problem`` says why its body need not be looked at."""

    span: Span
    header: Header
    flags: int
    body: bytes
    problem: str | None = None


@frozen
class Body:
    """What a body says, in texts. ``error`` is kind and message."""

    codec: str | None = None
    expression: str | None = None
    result: str | None = None
    steps: tuple[str, ...] = ()
    error: tuple[str, str] | None = None
    problem: str | None = None


class Bodies:
    """Reads bodies; each costs at most what the budget of one request allows, all together what ``room`` has.

    A body can be short and its text long, because its parts can be shared: what it was read into counts.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._budget = Budget()
        self._reader = ExpressionReader(self._budget)
        self._remembered: dict[Hashable, Body] = {}

    def request(self, body: bytes) -> Body:
        """What is asked."""
        return self._known(body, lambda: self._request(body))

    def response(self, header: Header, body: bytes) -> Body:
        """What is answered, with a ``header`` that says whether that is an error."""
        return self._known((header.status, body), lambda: self._response(header, body))

    def _known(self, key: Hashable, read: Callable[[], Body]) -> Body:
        known = self._remembered.get(key)
        if known is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = self._kept(read)
        return known

    def _kept(self, read: Callable[[], Body]) -> Body:
        if self._room.octets < MAX_BODY:
            self._room.left_out["bodies"] += 1
            return Body(problem=NO_ROOM)
        found = read()
        length = len(found.expression or "") + len(found.result or "") + sum(map(len, found.steps))
        return found if self._room.for_bytes(length) else Body(found.codec, problem=NO_ROOM)

    def _request(self, body: bytes) -> Body:
        name = None
        try:
            codec = codec_of(body)
            name = codec.name.lower()
            read = self._reader.read(body) if codec is Codec.PICKLE else json_body.read_expression(body, self._budget)
            return Body(name, expression=flatten(read, Meter(self._budget)).text)
        except CalcError as error:
            return Body(name, problem=str(error))

    def _response(self, header: Header, body: bytes) -> Body:
        name = None
        try:
            name = codec_of(body).name.lower()
            _header, answer = read_response(encode_packet(body, timestamp=0, status=header.status))
            if isinstance(answer, Failure):
                return Body(name, error=(answer.kind, answer.message))
            return Body(name, result=number_text(answer.result, Meter(self._budget)), steps=answer.steps)
        except CalcError as error:
            return Body(name, problem=str(error))


def contents(frame: bytes, span: Span, problem: str | None = None) -> Contents:
    """A whole packet's header and body."""
    flags = int.from_bytes(frame[6:8], "big")
    return Contents(span, Header.decode(frame), flags, frame[HEADER_LENGTH:], problem)
