"""The proxy daemon: connections joined to the cache's decisions, the stores and the upstreams."""

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure as TwistedFailure

from netlab.calc.calculator import Reply, error_reply
from netlab.calc.connection import CalcProtocol
from netlab.calc.errors import FramingError, MessageError
from netlab.calc.header import CLIENT_ERROR, HEADER_LENGTH, SERVER_ERROR, Header
from netlab.calc.messages import Failure, check_request, failure_of
from netlab.calc.serving import ServingFactory
from netlab.proxy.cache import Answer, Cache
from netlab.proxy.decide import cache_status, log_line
from netlab.proxy.entry import key_of
from netlab.proxy.errors import UpstreamError, UpstreamUnreachable
from netlab.proxy.freshness import Clocks
from netlab.proxy.front import Front
from netlab.proxy.journal import Journal, Record, hit_record

#: What the deployed proxy says when no server can be reached (protocols.md §1, the answer of 170 bytes).
_REFUSED = "Connection refused by server and the request was not in the cache/it was stale"


class ProxyFactory(ServingFactory):
    """Answers from a cache.

    The other parameters are those of `ServingFactory`.

    :param cache: what answers.
    :param front: hits that need no thought.
    :param monotonic: seconds on a clock that never jumps.
    """

    def __init__(
        self,
        cache: Cache,
        front: Front,
        *arguments: Any,
        monotonic: Callable[[], float] = time.monotonic,
        **named: Any,
    ) -> None:
        super().__init__(*arguments, **named)
        self.journal = Journal(cache.limits)
        self._cache = cache
        self._front = front
        self._monotonic = monotonic

    def reply(self, connection: CalcProtocol, frame: bytes) -> Reply | Deferred[Reply]:
        """Answer one packet from the cache, or by way of an upstream."""
        wall, monotonic = self.wall(), self._monotonic()
        hot = self._front.get(frame[4:], wall, monotonic)
        if hot is None:
            self.log_request(connection, frame)
            return self._reply(connection, frame)
        self.journal.hot_hit(wall, monotonic, connection.peer, hot)
        if self.request_log:
            self.log_request(connection, frame)
            now = Clocks(wall, monotonic)
            self._log_decision(connection, hit_record(now, connection.peer, hot, self._cache.limits))
            self.log_reply(connection, hot.reply)
        return hot.reply

    def refuse(self, fault: FramingError) -> Reply:
        """The answer to a stream that can no longer be cut into packets."""
        return error_reply(failure_of(fault), b"", CLIENT_ERROR, str(fault))

    def _reply(self, connection: CalcProtocol, frame: bytes) -> Reply | Deferred[Reply]:
        header = Header.decode(frame)
        try:
            check_request(header)
        except MessageError as error:
            reply = error_reply(failure_of(error), frame[HEADER_LENGTH:], CLIENT_ERROR, str(error))
            self.log_reply(connection, reply)
            return reply
        answer = self._cache.answer(frame, header)
        if isinstance(answer, Answer):
            return self._answered(answer, connection, frame)
        return answer.addCallback(self._answered, connection, frame).addErrback(self._fault, connection, frame)

    def _answered(self, answer: Answer, connection: CalcProtocol, frame: bytes) -> Reply:
        """The reply for an answer, noted and told of; an answer that serves again is made ready for that."""
        decision = answer.decision
        if answer.packet is None:
            reply = error_reply(_outage(answer.error), frame[HEADER_LENGTH:], SERVER_ERROR, decision.failed)
        else:
            status = Header.decode(answer.packet).status
            reply = Reply(answer.packet[4:], status, stamp=answer.packet[:4])
        total = decision.freshness if decision.hit else decision.answer
        if answer.entry is not None and total is not None:
            self._front.put(frame[4:], key_of(frame), answer.entry, total, self._now())
        record = Record(
            self.wall(), connection.peer, key_of(frame), decision, len(frame), len(reply.tail) + 4, reply.status
        )
        self.journal.note(record)
        if self.request_log:
            self._log_decision(connection, record)
        self.log_reply(connection, reply)
        return reply

    def _fault(self, failure: TwistedFailure, connection: CalcProtocol, frame: bytes) -> Reply:
        """Answer for a fault of ours, which is logged; a peer learns nothing of it."""
        self.log.failure("{{{peer}}} A fault of ours while answering", failure=failure, peer=connection.peer)
        fault = Failure("CalculatorServerError", ("Internal server error",))
        return error_reply(fault, frame[HEADER_LENGTH:], SERVER_ERROR)

    def _now(self) -> Clocks:
        return Clocks(self.wall(), self._monotonic())

    def _log_decision(self, connection: CalcProtocol, record: Record) -> None:
        decision = record.decision
        sums = {
            f"{whose}_{name}": getattr(total, name)
            for whose, total in (("stored", decision.freshness), ("answer", decision.answer))
            if total is not None
            for name in ("age", "server_limit", "client_limit", "server_remaining", "client_remaining")
        }
        self.log.info(
            "{{{peer}}} {line}", peer=connection.peer, line=log_line(decision), cache=cache_status(decision), **sums
        )


def _outage(error: UpstreamError | None) -> Failure:
    """What a client is told when no upstream answered; unreachable ones in the deployed proxy's words."""
    cause = _REFUSED if isinstance(error, UpstreamUnreachable) else str(error)
    return Failure("CalculatorServerError", ("Internal proxy error", Failure("CalculatorServerError", (cause,))))
