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
from netlab.proxy.cache import Answer, Cache, Question
from netlab.proxy.decide import Decision
from netlab.proxy.entry import Entry
from netlab.proxy.explain import decision_facts
from netlab.proxy.freshness import Clocks
from netlab.proxy.front import Front
from netlab.proxy.journal import BACKGROUND, Journal, Record, hit_record


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
        cache.revalidated = self._revalidated

    def reply(self, connection: CalcProtocol, frame: bytes) -> Reply | Deferred[Reply]:
        """Answer one packet from the cache, or by way of an upstream."""
        wall, monotonic = self.wall(), self._monotonic()
        entry = self._front.get(frame, wall, monotonic)
        if entry is None:
            return self._reply(connection, frame)
        self.journal.hot_hit(wall, monotonic, connection.peer, frame, entry)
        if self.request_log:
            record = hit_record(Clocks(wall, monotonic), connection.peer, frame, entry, self._cache.limits)
            self.log_request(connection, frame)
            self._log_decision(connection.peer, record.decision)
            self.log_reply(connection, entry)
        return entry

    def refuse(self, fault: FramingError) -> Reply:
        """The answer to a stream that can no longer be cut into packets."""
        return error_reply(failure_of(fault), b"", CLIENT_ERROR, str(fault))

    def _reply(self, connection: CalcProtocol, frame: bytes) -> Reply | Deferred[Reply]:
        self.log_request(connection, frame)
        question = Question.of(frame)
        try:
            check_request(question.header)
            answer = self._cache.answer(question)
            if isinstance(answer, Answer):
                return self._answered(answer, connection, question)
        except MessageError as error:
            reply = error_reply(failure_of(error), frame[HEADER_LENGTH:], CLIENT_ERROR, str(error))
            self.log_reply(connection, reply)
            return reply
        except Exception:
            return self._fault(TwistedFailure(), connection, frame)
        replying = answer.addCallback(self._answered, connection, question).addErrback(self._fault, connection, frame)
        at_once = getattr(replying, "result", None)
        return at_once if isinstance(at_once, Reply) else replying

    def _answered(self, answer: Answer, connection: CalcProtocol, question: Question) -> Reply:
        """The reply for an answer, noted and told of."""
        decision, frame = answer.decision, question.frame
        if answer.packet is None:
            reply = error_reply(_outage(decision.failed), frame[HEADER_LENGTH:], SERVER_ERROR, decision.failed)
        else:
            reply = answer.entry or Entry.of(answer.packet, None)
        self.journal.note(
            Record(self.wall(), connection.peer, question.key, decision, len(frame), reply.length, reply.status)
        )
        if self.request_log:
            self._log_decision(connection.peer, decision)
        if not connection.gone:
            self.log_reply(connection, reply)
        return reply

    def _fault(self, failure: TwistedFailure, connection: CalcProtocol, frame: bytes) -> Reply:
        """Answer for a fault of ours, which is logged; a peer learns nothing of it."""
        self.log.failure("{{{peer}}} A fault of ours while answering", failure=failure, peer=connection.peer)
        fault = Failure("CalculatorServerError", ("Internal server error",))
        return error_reply(fault, frame[HEADER_LENGTH:], SERVER_ERROR)

    def _revalidated(self, question: Question, answer: Answer) -> None:
        """Note and tell what became of a request that no client waits for."""
        packet, decision = answer.packet or b"", answer.decision
        status = Header.decode(packet).status if packet else 0
        lengths = len(question.frame), len(packet)
        self.journal.note(Record(self.wall(), BACKGROUND, question.key, decision, *lengths, status))
        if self.request_log:
            self._log_decision(BACKGROUND, decision)

    def _log_decision(self, peer: str, decision: Decision) -> None:
        self.log.info("{{{peer}}} {line}", peer=peer, **decision_facts(decision))


def _outage(why: str | None) -> Failure:
    """What a client is told when no upstream answered (protocols.md §1 Proxy rules)."""
    return Failure("CalculatorServerError", ("Internal proxy error", Failure("CalculatorServerError", (str(why),))))
