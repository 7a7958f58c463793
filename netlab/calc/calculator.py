"""The calculator itself: a request frame in, a response out; bytes, and the time as a number.

This is the whole service without its sockets. `netlab.calc.server` joins it to Twisted.
"""

from attrs import frozen

from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs import json_body, pickle_write
from netlab.calc.codecs.choice import Codec, codec_of
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import BudgetExceeded, CalcError, EvaluationError, MessageError
from netlab.calc.evaluate import Uniform, evaluate
from netlab.calc.expression import Expression, Number
from netlab.calc.header import (
    CLIENT_ERROR,
    FOREVER,
    HEADER_LENGTH,
    MAX_BODY,
    SERVER_ERROR,
    SUCCESS,
    Header,
    encode_packet,
)
from netlab.calc.messages import Answer, Failure, Success, check_request, failure_of
from netlab.calc.program import flatten
from netlab.calc.steps import Steps
from netlab.common.remembered import Remembered

#: Where the time stamp of a packet ends.
_STAMP = 4


@frozen(weakref_slot=False)
class Reply:
    """A response without its time stamp, so that it can be sent again at another time; a ``stamped`` one has its own.

    ``status`` is the header's; ``note`` says in words what the log should, and is `None` when all went as asked.
    """

    tail: bytes
    status: int = SUCCESS
    note: str | None = None
    stamped: bool = False

    @property
    def length(self) -> int:
        """How many bytes the whole packet has."""
        return len(self.tail) + (0 if self.stamped else _STAMP)


@frozen
class CachePolicy:
    """What responses tell caches: whether they may be kept, and for how many seconds (`FOREVER`: no limit)."""

    cache: bool = True
    max_age: int = FOREVER


class Calculator:
    """Answers requests; a deterministic answer is remembered up to ``memory`` bytes, 0 for never."""

    def __init__(
        self,
        uniform: Uniform,
        budget: Budget | None = None,
        policy: CachePolicy | None = None,
        memory: int = 0,
    ) -> None:
        self._uniform = uniform
        self._budget = budget or Budget()
        self._policy = policy or CachePolicy()
        self._reader = ExpressionReader(self._budget)
        self._remembered: Remembered[Reply] = Remembered(memory)

    def reply(self, frame: bytes) -> Reply:
        """Answer one packet, as `netlab.calc.framing` gave it. A peer's faults are answers; only ours are raised."""
        key = frame[_STAMP:]
        known = self._remembered.get(key)
        if known is not None:
            return known
        header, body = Header.decode(frame), frame[HEADER_LENGTH:]
        try:
            check_request(header)
        except MessageError as error:
            return self.refuse(error, body)
        outcome = self._compute(body, header.steps)
        reply = _pack(outcome, self._policy if outcome.cacheable else _NOT_CACHED)
        if outcome.repeatable:
            self._remembered.put(key, reply, len(key) + len(reply.tail))
        return reply

    def refuse(self, error: CalcError, body: bytes = b"") -> Reply:
        """Answer a packet for its header's fault. No cache may keep that: to a cache only the body is the request."""
        return error_reply(failure_of(error), body, CLIENT_ERROR, str(error))

    def fault(self, frame: bytes) -> Reply:
        """Answer for a fault of ours, which the caller has logged; a peer learns nothing of it."""
        failure = Failure("CalculatorServerError", ("Internal server error",))
        return error_reply(failure, frame[HEADER_LENGTH:], SERVER_ERROR)

    def _compute(self, body: bytes, steps_wanted: bool) -> "_Outcome":
        meter = Meter(self._budget)
        repeatable = True
        try:
            codec = codec_of(body)
            program = flatten(self._read(codec, body), meter)
            repeatable = program.repeatable
            steps = Steps(program, meter) if steps_wanted else None
            value = evaluate(program, meter, self._uniform, steps)
            return _fitted(codec, value, steps.texts if steps else [], meter, repeatable)
        except EvaluationError as error:
            return _failed(failure_of(error), body, str(error), repeatable=repeatable, cacheable=repeatable)
        except CalcError as error:
            return _failed(failure_of(error), body, str(error), repeatable=repeatable)

    def _read(self, codec: Codec, body: bytes) -> Expression:
        return self._reader.read(body) if codec is Codec.PICKLE else json_body.read_expression(body, self._budget)


def error_reply(failure: Failure, request: bytes, status: int, note: str | None = None) -> Reply:
    """An error that no cache may keep, in the codec of the request body it answers."""
    return _pack(_failed(failure, request, note, status), _NOT_CACHED)


@frozen
class _Outcome:
    """A response before it is packed; ``steps`` is its bit S.

    ``repeatable``: this calculator would answer the same again. ``cacheable``: so would any other; what is refused
    depends on a calculator's budget.
    """

    body: bytes
    status: int
    steps: bool
    note: str | None
    repeatable: bool
    cacheable: bool


_NOT_CACHED = CachePolicy(cache=False, max_age=0)


def _fitted(codec: Codec, value: Number, texts: list[str] | None, meter: Meter, repeatable: bool) -> _Outcome:
    """The result with its steps, or without those that do not fit into a packet (`None`: they are known not to)."""
    if texts is None:
        note = f"the steps do not fit into {meter.budget.max_step_text:,} characters and were left out"
    else:
        body = _write(codec, Success(value, tuple(texts)), meter)
        if len(body) <= MAX_BODY:
            return _Outcome(body, SUCCESS, bool(texts), None, repeatable, repeatable)
        note = f"the steps do not fit into the {MAX_BODY:,} bytes of a body and were left out"
    body = _write(codec, Success(value), meter)
    if len(body) > MAX_BODY:
        raise BudgetExceeded(f"the result does not fit into the {MAX_BODY:,} bytes of a body")
    return _Outcome(body, SUCCESS, False, note, repeatable, repeatable)


def _failed(
    failure: Failure,
    request: bytes,
    note: str | None,
    status: int = CLIENT_ERROR,
    *,
    repeatable: bool = True,
    cacheable: bool = False,
) -> _Outcome:
    """An error in the codec of its request; in pickle, which every deployed program reads, when that has none."""
    codec = Codec.JSON if request[:1] == b"{" else Codec.PICKLE
    return _Outcome(_write(codec, failure, Meter(Budget())), status, False, note, repeatable, cacheable)


def _write(codec: Codec, answer: Answer, meter: Meter) -> bytes:
    return json_body.write_answer(answer, meter) if codec is Codec.JSON else pickle_write.write_answer(answer)


def _pack(outcome: _Outcome, policy: CachePolicy) -> Reply:
    packet = encode_packet(
        outcome.body,
        timestamp=0,
        status=outcome.status,
        cache=policy.cache,
        steps=outcome.steps,
        max_age=policy.max_age if policy.cache else 0,
    )
    return Reply(packet[_STAMP:], outcome.status, outcome.note)
