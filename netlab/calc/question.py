"""What a client asks, and what it is told: a request from a text, a response from a frame (protocols.md §1)."""

import math
from collections.abc import Callable
from typing import TypedDict, Unpack

from attrs import frozen

from netlab.calc.budget import Budget
from netlab.calc.codecs import json_body, pickle_answers, pickle_write
from netlab.calc.codecs.choice import Codec, codec_of
from netlab.calc.codecs.pickle_write import RandomState
from netlab.calc.errors import AnswerMismatch
from netlab.calc.expression import Constant, NamedConstant
from netlab.calc.header import (
    CLIENT_ERROR,
    FOREVER,
    HEADER_LENGTH,
    MAX_BODY,
    MAX_PACKET,
    SUCCESS,
    Header,
    encode_packet,
)
from netlab.calc.messages import Answer, Failure, Success, check_response
from netlab.calc.parser import parse
from netlab.common.errors import LocalError

#: The server's budget decides what is too much; here only what fits into no packet is refused.
_ROOM = Budget(max_bits=8 * MAX_PACKET, max_nodes=MAX_PACKET, max_depth=MAX_PACKET)


@frozen
class Question:
    """A request that is ready to be sent.

    ``compound`` says that there is something to compute, and so steps to be shown; a number alone has none.
    """

    text: str
    body: bytes
    steps: bool = True
    cache: bool = True
    max_age: int = FOREVER
    compound: bool = True

    @property
    def length(self) -> int:
        """Bytes of the whole packet."""
        return HEADER_LENGTH + len(self.body)

    def packet(self, now: float) -> bytes:
        """The packet, made at ``now`` (unix seconds)."""
        return encode_packet(
            self.body,
            timestamp=int(now),
            cache=self.cache,
            steps=self.steps,
            request=True,
            max_age=self.max_age if self.cache else 0,
        )


@frozen
class Response:
    """A server's answer to ``question``, an error that the server reports included, and the header it came with."""

    question: Question
    header: Header
    answer: Answer

    @property
    def request_length(self) -> int:
        """Bytes of the request, header included."""
        return self.question.length

    @property
    def response_length(self) -> int:
        """Bytes of the response, header included."""
        return self.header.length

    @property
    def steps_missing(self) -> bool:
        """Whether there must have been steps, and they were asked for, and the server left them out."""
        wanted = self.question.steps and self.question.compound
        return wanted and isinstance(self.answer, Success) and not self.answer.steps

    def age(self, now: float) -> float:
        """Seconds from the making of the response to ``now`` (unix seconds); a cached one can be old."""
        return max(0.0, now - self.header.timestamp)


class Wishes(TypedDict, total=False):
    """How a question is asked.

    ``steps``: have them sent (yes). ``cache``: allow caches to keep and to give the answer (yes). ``max_age``: how old
    a cached answer may be, 0 to 65,534 whole seconds, `None` or infinity for no limit (none). ``codec``: what both
    bodies are written in (pickle, which every server knows).
    """

    steps: bool
    cache: bool
    max_age: float | None
    codec: Codec


def ask(text: str, random_state: Callable[[], RandomState], **wishes: Unpack[Wishes]) -> Question:
    """The question for the value of ``text``.

    :param random_state: gives what ``rand`` carries in a pickle, as `random.Random.getstate`; the deployed servers
        draw from it.
    :raises SyntaxRefused: the text is no expression.
    :raises BudgetExceeded: no packet could hold it.
    :raises LocalError: it does not fit into one packet, or the header cannot say ``max_age``.
    """
    if len(text) > MAX_BODY:
        raise LocalError(f"an expression of {len(text):,} characters does not fit into a packet")
    expression = parse(text, _ROOM)
    if wishes.get("codec") is Codec.JSON:
        body = json_body.write_expression(text)
    else:
        body = pickle_write.write_expression(expression, random_state() if "rand" in text else ())
    if len(body) > MAX_BODY:
        raise LocalError(f"this expression makes a request of {HEADER_LENGTH + len(body):,} bytes; {MAX_PACKET:,} fit")
    return Question(
        text,
        body,
        steps=wishes.get("steps", True),
        cache=wishes.get("cache", True),
        max_age=seconds_of(wishes.get("max_age")),
        compound=not isinstance(expression, Constant | NamedConstant),
    )


def seconds_of(max_age: float | None) -> int:
    """``max_age`` as the header says it.

    :raises LocalError: the header cannot say it.
    """
    if max_age is None or max_age == math.inf:
        return FOREVER
    if not 0 <= max_age < FOREVER or max_age != int(max_age):
        raise LocalError(f"a max-age is 0 to {FOREVER - 1:,} whole seconds, or inf")
    return int(max_age)


def check_place(frame: bytes) -> None:
    """Check that a packet may stand where a response belongs.

    :raises RequestAsResponse: it is a request, so whoever sent it is no server.
    """
    check_response(Header.decode(frame))


def read(question: Question, frame: bytes) -> Response:
    """Read the response to ``question``; its codec is its own affair.

    :raises BodyError: its body is no answer, or not one that goes with its status.
    """
    return Response(question, *read_response(frame))


def read_response(frame: bytes) -> tuple[Header, Answer]:
    """Read a response, whatever the question was.

    :raises BodyError: its body is no answer, or not one that goes with its status.
    """
    header, body = Header.decode(frame), frame[HEADER_LENGTH:]
    codec = codec_of(body)
    answer = json_body.read_answer(body) if codec is Codec.JSON else pickle_answers.read_answer(body)
    fits = header.status >= CLIENT_ERROR if isinstance(answer, Failure) else header.status == SUCCESS
    if not fits:
        what = "an error" if isinstance(answer, Failure) else "a result"
        raise AnswerMismatch(f"the response holds {what} and has the status {header.status}")
    return header, answer
