"""The calculator's own bounded readers, for bodies in a capture (`netlab.trace.app.calc_bodies`)."""

from typing import Any

from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs import json_body
from netlab.calc.codecs.choice import Codec, codec_of
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import CalcError
from netlab.calc.header import Header, encode_packet
from netlab.calc.messages import Failure
from netlab.calc.numbers import number_text
from netlab.calc.program import flatten
from netlab.calc.question import read_response

#: The fields of a `netlab.trace.app.calc_bodies.Body`, by name.
Fields = dict[str, Any]


class Reading:
    """Reads bodies; each costs at most what the budget of one request allows."""

    def __init__(self) -> None:
        self._budget = Budget()
        self._reader = ExpressionReader(self._budget)

    def request(self, body: bytes) -> Fields:
        """What is asked."""
        name = None
        try:
            codec = codec_of(body)
            name = codec.name.lower()
            read = self._reader.read(body) if codec is Codec.PICKLE else json_body.read_expression(body, self._budget)
            return _fields(name, expression=flatten(read, Meter(self._budget)).text)
        except CalcError as error:
            return _fields(name, problem=str(error))

    def response(self, header: Header, body: bytes) -> Fields:
        """What is answered."""
        name = None
        try:
            name = codec_of(body).name.lower()
            _header, answer = read_response(encode_packet(body, timestamp=0, status=header.status))
            if isinstance(answer, Failure):
                return _fields(name, error=(answer.kind, answer.message))
            return _fields(name, result=number_text(answer.result, Meter(self._budget)), steps=answer.steps)
        except CalcError as error:
            return _fields(name, problem=str(error))


def _fields(codec: str | None, **others: Any) -> Fields:
    return {"codec": codec, **others}
