"""One connection to the file server: requests in, answers out in their order (RFC 9112 §9)."""

from enum import Enum
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableDescriptor, IHalfCloseableProtocol, ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.common.addresses import address_text
from netlab.common.serving import ServedProtocol
from netlab.common.turns import SLICE
from netlab.web.access_log import count_text
from netlab.web.dispatch import put
from netlab.web.errors import FileChanged, RequestRefused
from netlab.web.outbox import Outbox, unsent
from netlab.web.request import Request, RequestReader
from netlab.web.response import Answer, Response, asked_of
from netlab.web.service import Service

#: Bytes of requests that may wait while answers are sent; more are left to the kernel.
_MAX_WAITING = 65_536


class _Phase(Enum):
    OPEN = "requests are read and answered"
    FINISHING = "what has arrived is answered, then the connection is closed"
    CLOSING = "all is said: what still comes is dropped until the peer closes, too"
    CLOSED = "gone"


@implementer(IHalfCloseableProtocol)
class WebProtocol(ServedProtocol):
    """Every request answered in its order, the small answers of a turn in one write.

    One answer is sent at a time: while the peer has not taken it, no further request is looked at, and soon none read.
    """

    transport: Any

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reader = RequestReader(service.limits, service.heads, host_required=service.site.host_required)
        self._outbox: Outbox
        self._phase = _Phase.OPEN
        self._reading = True
        self._queued = False
        #: Whether the client has sent its last byte; and whether it may be sending when we have said all.
        self._at_end = self._lingers = False
        #: Bytes that the kernel still had when we last looked.
        self._unsent = 0
        #: How many requests were answered.
        self.requests = 0

    # ---- what the transport says

    def connectionMade(self) -> None:
        """A client is here."""
        self.peer = address_text(self.transport.getPeer())
        self._outbox = Outbox(self.transport, self._drained, self._moved, self._broke)
        self._service.idle.touch(self)
        self._service.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """Answer every request that ``data`` completes."""
        if self._phase in (_Phase.CLOSING, _Phase.CLOSED):
            return
        reader = self._reader
        if self._queued or self._outbox.is_waiting:
            reader.feed(data)
            self._read_on(reader.waiting < _MAX_WAITING)
        elif not reader.begun and self._phase is _Phase.OPEN and (request := self._service.heads.get(data)) is not None:
            self._answer_lone(request)
        else:
            reader.feed(data)
            self._go_on()

    def readConnectionLost(self) -> None:
        """The client has sent its last byte; it may still read its answers."""
        self.why = self.why or "data is empty"
        self._at_end = True
        if self._phase is not _Phase.CLOSING:
            self.finish()
        elif not self._outbox.is_waiting:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Our last byte is sent; nothing is left to do."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone, with whatever was unfinished."""
        self._phase = _Phase.CLOSED
        self._outbox.clear()
        if self.why is None and reason.check(ConnectionDone):
            self.why = "data is empty"
        self.done = count_text(self.requests)
        self._service.closed(self, reason)

    # ---- what the daemon says

    def finish(self) -> None:
        """Answer the requests that have arrived; then close."""
        if self._phase is _Phase.OPEN:
            self._phase = _Phase.FINISHING
            if not self._queued and not self._outbox.is_waiting:
                self._go_on()

    def end(self, why: str) -> None:
        """Close for a reason of ours: politely if nothing waits to be sent, else at once."""
        self.why = self.why or why
        if self._phase is _Phase.OPEN and not self._outbox.is_waiting:
            self._phase = _Phase.CLOSING
            self._part()
        else:
            self.transport.abortConnection()

    def is_silent(self) -> None:
        """Nothing came for ``idle_timeout``: close, unless it is us who are still talking."""
        if self._queued or self._outbox.is_waiting or self._phase is _Phase.CLOSING:
            return
        self._unsent = unsent(self.transport)
        if self._unsent:
            self._service.sending.touch(self)
        else:
            self.end("timeout!")

    def is_late(self) -> None:
        """A request, or a farewell, was not finished in ``request_timeout``."""
        self.end(f"a request was not finished in {self._service.limits.request_timeout:g} s")

    def is_stuck(self) -> None:
        """Nothing that waits here was taken for ``send_timeout``; but the peer may be reading what went before."""
        left, before = unsent(self.transport), self._unsent
        self._unsent = left
        if left < before:
            (self._service.sending if left or self._outbox.is_waiting else self._service.idle).touch(self)
        else:
            self.why = self.why or f"nothing read for {self._service.limits.send_timeout:g} s"
            self.transport.abortConnection()

    # ---- answering

    def _go_on(self) -> None:
        """Answer what has arrived, as far as the turn and the peer allow; then do what is next."""
        if self._phase in (_Phase.OPEN, _Phase.FINISHING):
            self._answer_all()
        self._service.turn_ends(self)

    def send_all(self) -> None:
        """Send what was answered in this turn; then do what is next."""
        if self._phase is _Phase.CLOSED or not self._push():
            return
        if self._phase is _Phase.CLOSING:
            self._part()
        elif not self._queued:
            self._read_on(True)

    def _next_turn(self) -> None:
        self._queued = False
        if not self._outbox.is_waiting:
            self._go_on()
            # The reactor polls before this turn's answers are sent: what it finds then may be younger than our look.
            self._service.look_again()

    def _answer_lone(self, request: Request) -> None:
        """Answer a request that came alone and whole, and is known: the reader need not see it."""
        turns = self._service.turns
        began = turns.measure()
        self._answer(request)
        self._service.idle.touch(self)
        turns.spent(turns.measure() - began)
        self._service.turn_ends(self)

    def _answer_all(self) -> None:
        """Answer until there is no request, or the peer has to take what there is, or the turn is over."""
        turns, reader, before = self._service.turns, self._reader, self.requests
        began = turns.measure()
        while (request := reader.next()) is not None:
            if not self._answer(request):
                break
            if self._outbox.is_full and reader.begun and not self._push():
                break
            if turns.over or turns.measure() - began > SLICE:
                self._queued = True
                break
        else:
            self._none_left(progress=self.requests != before)
        turns.spent(turns.measure() - began)
        if self._queued:
            turns.wait(self._next_turn)

    def _none_left(self, progress: bool) -> None:
        """No whole request is here: watch for the next one, or end.

        Empty lines are no sign of life, and what has begun keeps its time until a request is whole.
        """
        service, is_begun = self._service, self._reader.begun
        if progress:
            service.begun.drop(self)
        if progress or is_begun:
            service.idle.touch(self)
        if is_begun:
            service.begun.begin(self)
        if self._reader.fault is not None:
            self._refuse(self._reader.fault)
        elif self._phase is _Phase.FINISHING:
            self._phase = _Phase.CLOSING

    def _answer(self, request: Request) -> bool:
        """Answer one request: whether another may follow."""
        self.requests += 1
        service = self._service
        answer = service.repeated.get(request)
        if answer is None:
            response = service.respond(self, request)
            persistent = request.is_plain and not response.reply.closes
            head = service.site.head(response.reply, persistent)
            answer = Answer(response, head, persistent, asked_of(request, response.reply))
            service.repeated.put(request, answer)
        put(self._outbox, answer.head, answer.response)
        service.answered(self, answer.asked)
        if not answer.persistent:
            self._phase, self.why = _Phase.CLOSING, "Connection: close"
            self._lingers = request.has_content or self._reader.begun
        return answer.persistent

    def _refuse(self, fault: RequestRefused) -> None:
        """Answer what is no request, and hear no more."""
        response = Response(self._service.site.refuse(fault))
        put(self._outbox, self._service.site.head(response.reply, persistent=False), response)
        self._service.answered(self, asked_of(None, response.reply))
        self._phase, self.why = _Phase.CLOSING, f"{fault.status}, {fault}"
        self._lingers = True

    def _part(self) -> None:
        """All is sent: send our end of the stream, and where the peer may be sending still, wait for its end.

        Closing at once while bytes of the peer are unread would reset the connection, and the peer could lose the
        answer that tells it what was wrong.
        """
        self._service.begun.touch(self)
        can_half_close = IHalfCloseableDescriptor.providedBy(self.transport)
        if self._lingers and not self._at_end and can_half_close and not ISSLTransport.providedBy(self.transport):
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    # ---- sending

    def _push(self) -> bool:
        """Send what can be sent: whether that was all. If not, the peer has to take some within its time."""
        if self._outbox.push():
            return True
        if self._outbox.is_waiting:
            self._unsent = unsent(self.transport)
            self._service.sending.touch(self)
        return False

    def _moved(self) -> None:
        self._service.sending.touch(self)

    def _drained(self) -> None:
        """All is sent: go on."""
        self._service.sending.drop(self)
        self._service.idle.touch(self)
        if not self._queued:
            self._go_on()

    def _broke(self, error: Exception) -> None:
        """A file cannot be sent to its end: the connection is cut off, which tells the client of it.

        Not closed: what the kernel still has may be of the changed file.
        """
        self.why = str(error) if isinstance(error, FileChanged) else f"the file cannot be sent: {error}"
        self._phase = _Phase.CLOSING
        self._service.sending.drop(self)
        self.transport.abortConnection()

    def _read_on(self, reading: bool) -> None:
        if reading != self._reading and not self._at_end:
            self._reading = reading
            if reading:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()
