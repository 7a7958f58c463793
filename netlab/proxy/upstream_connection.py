"""One connection to an upstream calculator: requests out, answers back in their order."""

from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from netlab.calc.codecs.choice import Codec
from netlab.calc.errors import CalcError, MessageError
from netlab.calc.framing import FrameReader
from netlab.calc.header import HEADER_LENGTH, Header
from netlab.calc.messages import check_response
from netlab.proxy.errors import UpstreamClosed, UpstreamError, UpstreamMalformed, UpstreamSilent

_UNASKED = "the upstream sent more than it was asked for"

#: What the bodies of pickle and of JSON begin with.
_CODECS = frozenset(bytes([codec.value]) for codec in Codec)

#: The statuses that an answer can have (protocols.md §1).
_STATUSES = range(200, 600)


@frozen
class _InFlight:
    """A request that was sent: who waits for its answer, in which codec, and until when.

    ``codec`` is the first byte of the request's body, which says its codec (`netlab.calc.codecs.choice`). ``behind``
    is whether another was unanswered when it was sent, so that the upstream may have dropped it unread.
    """

    answer: Deferred[bytes]
    codec: bytes
    deadline: float
    behind: bool


class UpstreamConnection(Protocol):
    """Sends requests and gives each its answer.

    :param clock: for the time-out.
    :param answer_timeout: seconds from sending a request to the whole of its answer.
    :param changed: called with the connection whenever it has room again or has ended.
    :param unasked: called with what is wrong when bytes came that no client waits for; the connection is given up.
    """

    transport: Any

    def __init__(
        self,
        clock: IReactorTime,
        answer_timeout: float,
        changed: Callable[["UpstreamConnection"], None],
        unasked: Callable[[UpstreamError], None],
    ) -> None:
        self._clock = clock
        self._answer_timeout = answer_timeout
        self._changed = changed
        self._unasked = unasked
        self._reader = FrameReader()
        self._waiting: deque[_InFlight] = deque()
        self._timer: IDelayedCall | None = None
        #: How many answers have come, and whether no more requests may be sent.
        self.answered = 0
        self.ended = False
        #: Whether requests that were sent behind others got no answer: this upstream answers one at a time.
        self.pipelined_in_vain = False
        self.gone: Deferred[None] = Deferred()

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answers."""
        return len(self._waiting)

    def send(self, frame: bytes) -> Deferred[bytes]:
        """Send a request; fires with the whole response packet, or fails with an `UpstreamError`."""
        answer: Deferred[bytes] = Deferred()
        deadline = self._clock.seconds() + self._answer_timeout
        self._waiting.append(_InFlight(answer, _codec_of(frame), deadline, bool(self._waiting)))
        if self._timer is None:
            self._timer = self._clock.callLater(self._answer_timeout, self._look_at_time)
        self.transport.write(frame)
        return answer

    def end(self, error: UpstreamError) -> None:
        """Give the connection up: the request whose turn it is fails with ``error``, those behind it can be retried."""
        if not self.ended:
            self.ended = True
            self._give_up(error)

    def connectionMade(self) -> None:
        """The connection is there: requests leave at once, and a peer that vanished is noticed some day."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)

    def dataReceived(self, data: bytes) -> None:
        """Give every answer that ``data`` completes to who waits for it."""
        if self.ended:
            return
        told = self._unasked if not self._waiting else None
        answers, fault = self._take(self._reader.feed(data))
        self.answered += len(answers)
        if not self._waiting:
            self._stop_timer()
        if fault is not None:
            # Known before the good answers are given, because who goes on with one must not ask here again.
            self.ended = True
            self._changed(self)
        for waiting, packet in answers:
            waiting.answer.callback(packet)
        if fault is not None:
            self._give_up(fault)
            if told is not None:
                told(fault)
        elif not self.ended:
            self._changed(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone: what was in flight fails, and may be tried again elsewhere."""
        self.ended = True
        self.pipelined_in_vain = self.pipelined_in_vain or (bool(self.answered) and len(self._waiting) > 1)
        silently = bool(self.answered) and not self._reader.begun
        error = UpstreamClosed("the upstream closed the connection before it had answered", silently=silently)
        self._fail(error, error)
        self.gone.callback(None)

    def _take(self, packets: list[bytes]) -> tuple[list[tuple[_InFlight, bytes]], UpstreamMalformed | None]:
        """Who gets which answer, up to the first packet that is none; and what is wrong with what came, if it is.

        With more there than was asked for, nobody gets any: nothing in an answer says which request it belongs to.
        """
        answers: list[tuple[_InFlight, bytes]] = []
        begun = self._reader.begun or self._reader.fault is not None
        if len(packets) + bool(begun) > len(self._waiting):
            return answers, UpstreamMalformed(_UNASKED)
        for packet in packets:
            try:
                _check_answer(packet, self._waiting[0].codec)
            except CalcError as error:
                return answers, UpstreamMalformed(f"the upstream sent no answer: {error}")
            answers.append((self._waiting.popleft(), packet))
        if self._reader.fault is not None:
            return answers, UpstreamMalformed(f"the upstream sent no answer: {self._reader.fault}")
        return answers, None

    def _give_up(self, error: UpstreamError) -> None:
        self._fail(error, UpstreamClosed(f"the connection was given up: {error}", silently=True))
        self.transport.abortConnection()

    def _fail(self, error: UpstreamError, others: UpstreamError) -> None:
        """Fail the request whose turn it is with ``error``, and the others in flight with theirs."""
        self._stop_timer()
        waiting, self._waiting = self._waiting, deque()
        self._changed(self)
        for waiter in waiting:
            waiter.answer.errback(error)
            error = others

    def _look_at_time(self) -> None:
        self._timer = None
        if not self._waiting:
            return
        first = self._waiting[0]
        remaining = first.deadline - self._clock.seconds()
        if remaining > 0:
            self._timer = self._clock.callLater(remaining, self._look_at_time)
        elif first.behind:
            # Deployed servers answer the first of what one read gives them, and forget the others.
            self.pipelined_in_vain = True
            self.end(UpstreamClosed("the upstream did not answer requests that were pipelined", silently=True))
        else:
            self.end(UpstreamSilent(f"the upstream did not answer within {self._answer_timeout:g} s"))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _codec_of(packet: bytes) -> bytes:
    """The byte that says the codec of a packet's body; empty if the body is."""
    return packet[HEADER_LENGTH : HEADER_LENGTH + 1]


def _check_answer(packet: bytes, codec: bytes) -> None:
    """Check that a packet is an answer to a request in ``codec``, by one look at its header and its body's first byte.

    :raises CalcError: it is a request, has a status that no answer has, or has no body of that codec.
    """
    header = Header.decode(packet)
    check_response(header)
    if header.status not in _STATUSES:
        raise MessageError(f"its status is {header.status}")
    answered = _codec_of(packet)
    if not answered:
        raise MessageError("its body is empty")
    if codec in _CODECS and answered != codec:
        raise MessageError(f"its body begins with {answered[0]:#04x}, which is not the codec of its request")
