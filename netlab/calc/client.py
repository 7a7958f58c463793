"""The calculator's client, for programs: ask over one connection, or have a list answered over as many as it takes.

`connect` gives a `Connection`; its `Connection.calculate` can be called again before the answer is there, and answers
come in the order of the calls. `calculate_all` and `calculate_stream` also get along with servers that answer one
request a connection.
"""

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Unpack, cast

from twisted.internet.defer import Deferred, ensureDeferred, fail
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from netlab.calc.batch import Batch, Outcome, Watcher
from netlab.calc.conversation import WINDOW, Conversation
from netlab.calc.errors import (
    AnswerTimeout,
    BodyError,
    ConnectionClosed,
)
from netlab.calc.question import Question, Response, Wishes, ask
from netlab.calc.sources import Listed, Mapped, Source
from netlab.common.addresses import address_text
from netlab.common.connecting import connect_to
from netlab.common.errors import NetlabError

#: Seconds to wait for a connection, and for an answer while one is owed.
TIMEOUT = 10.0

#: Seconds after which a batch takes the second of two requests sent together for dropped. Too short a time
#: only costs speed: it asks again, one request at a time.
_PATIENCE = 1.0


def connect(
    endpoint: IStreamClientEndpoint, reactor: IReactorTime, *, timeout: float = TIMEOUT, window: int = WINDOW
) -> "Deferred[Connection]":
    """Connect to a calculator server; the Deferred fails with `ConnectFailed`.

    :param timeout: seconds until the connection is there, and later the `Connection`'s for answers.
    :param window: how many questions may be sent and unanswered at once; 1 for one after another.
    """
    return _connect(endpoint, reactor, timeout, window, timeout)


def _connect(
    endpoint: IStreamClientEndpoint, clock: IReactorTime, timeout: float, window: int, patience: float
) -> "Deferred[Connection]":
    factory = Factory.forProtocol(partial(Connection, clock, timeout, window, patience))
    return cast("Deferred[Connection]", connect_to(endpoint, factory, clock, timeout))


def calculate_all(
    endpoint: IStreamClientEndpoint,
    texts: Iterable[str],
    reactor: IReactorTime,
    *,
    timeout: float = TIMEOUT,
    window: int = WINDOW,
    watcher: Watcher | None = None,
    **wishes: Unpack[Wishes],
) -> Deferred[list[Outcome]]:
    """Ask for the value of every one of ``texts``, in order, over one connection if the server allows it.

    The Deferred fails when the connection does and another would not help. A text that is no expression, or
    whose answer cannot be read, has its error in the list, in its place. ``texts`` is read as answers come, and
    nobody is connected to before the first that is an expression.

    :param watcher: is told what happens, as it happens.
    """
    outcomes: list[Outcome] = []
    asking = calculate_stream(
        endpoint, Listed(texts), reactor, watcher, timeout=timeout, window=window, keep=outcomes.append, **wishes
    )
    return asking.addCallback(lambda _: outcomes)


def calculate_stream(
    endpoint: IStreamClientEndpoint,
    texts: Source[str],
    reactor: IReactorTime,
    watcher: Watcher | None = None,
    *,
    timeout: float = TIMEOUT,
    window: int = WINDOW,
    keep: Callable[[Outcome], object] | None = None,
    **wishes: Unpack[Wishes],
) -> Deferred[None]:
    """Ask like `calculate_all` for texts that come bit by bit, maybe without end.

    Each is asked as soon as the questions under way allow. While ``texts`` waits the connection stays open; should
    the server close it, there is another for the next text.

    :param keep: is given every outcome, in order; none is kept here.
    """

    def line(window: int) -> Deferred[Connection]:
        return _connect(endpoint, reactor, timeout, window, min(timeout, _PATIENCE))

    questions = Mapped(partial(_question, wishes=wishes), texts)
    return ensureDeferred(Batch(questions, line, window, watcher or Watcher(), keep or (lambda _: None)).run())


def _question(text: str, wishes: Wishes) -> Question | NetlabError:
    try:
        return ask(text, random_state, **wishes)
    except NetlabError as error:
        return error


class Connection(Protocol):
    """A connection to a calculator server, as `connect` gives it.

    Every Deferred of a question fails with a `NetlabError` when there is no answer: `BodyError` if that answer alone
    cannot be read; `AnswerTimeout`, `ConnectionClosed`, a `FramingError` or a `MessageError` if the connection is of
    no use any more, and then for all questions that are open.

    While any answer is owed, one has to come every ``timeout`` seconds, or the connection is aborted. For a limit on
    one question, use its Deferred's ``addTimeout``. A cancelled question is not sent any more; if it was sent, its
    answer is dropped when it comes, and the others keep their order.
    """

    def __init__(self, clock: IReactorTime, timeout: float, window: int, patience: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._patience = patience
        self._conversation = Conversation(window)
        self._open: dict[int, Deferred[Response]] = {}
        self._flush: IDelayedCall | None = None
        self._limit: IDelayedCall | None = None
        #: Why nothing can be asked any more.
        self._ended: NetlabError | None = None
        self._gone = False
        self._closing: list[Deferred[None]] = []
        #: Who answers: ``127.0.0.1:9999``, or the path of a UNIX socket.
        self.peer = ""

    @property
    def pipelines(self) -> bool:
        """Whether the server has shown that it answers every one of several requests that come together."""
        return self._conversation.pipelines

    def calculate(self, text: str, **wishes: Unpack[Wishes]) -> Deferred[Response]:
        """Ask for the value of ``text``; an error that the server reports is a `Response` too.

        The Deferred also fails as `netlab.calc.question.ask` does, before anything is sent.
        """
        question = _question(text, wishes)
        return self.ask(question) if isinstance(question, Question) else fail(question)

    def ask(self, question: Question) -> Deferred[Response]:
        """Ask a question that was made before. All that is asked in one turn of the reactor leaves in one write."""
        if self._ended is not None:
            return fail(self._ended)
        ticket = self._conversation.ask(question)
        answer: Deferred[Response] = Deferred(lambda _: self._withdraw(ticket))
        self._open[ticket] = answer
        if self._flush is None:
            self._flush = self._clock.callLater(0, self._send)
        return answer

    def close(self) -> Deferred[None]:
        """Close the connection; fires when it is gone. Open questions fail."""
        closed: Deferred[None] = Deferred()
        if self._gone:
            closed.callback(None)
            return closed
        self._closing.append(closed)
        if self._ended is None:
            self._end(ConnectionClosed("the connection was closed on this side"))
            self._limit = self._clock.callLater(self._timeout, self._abort)
            self._tcp.loseConnection()
        return closed

    # ---- what Twisted calls

    def connectionMade(self) -> None:
        """The connection is there."""
        self.peer = address_text(self._tcp.getPeer())

    def dataReceived(self, data: bytes) -> None:
        """Give out the answers that are complete, and send what may follow them."""
        answered = self._conversation.feed(data)
        for ticket, outcome in answered:
            answer = self._open.pop(ticket, None)
            if answer is not None:
                answer.callback(Failure(outcome) if isinstance(outcome, BodyError) else outcome)
        if self._conversation.fault is not None and self._ended is None:
            self._end(self._conversation.fault)
            self._abort()
        elif answered and self._ended is None:
            self._stop_limit()
            self._send()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail what is open and tell those who wait for the end."""
        self._gone = True
        self._end(ConnectionClosed(_how_it_ended(reason, self._conversation.begun)))
        self._stop_limit()
        closing, self._closing = self._closing, []
        for closed in closing:
            closed.callback(None)

    # ---- inside

    @property
    def _tcp(self) -> ITCPTransport:
        """The transport; TLS and UNIX transports have what is used of this interface as well."""
        return cast(ITCPTransport, self.transport)

    def _withdraw(self, ticket: int) -> None:
        self._conversation.withdraw(ticket)
        self._open.pop(ticket, None)

    def _send(self) -> None:
        self._stop_flush()
        data = self._conversation.send(self._clock.seconds())
        if data:
            self._tcp.write(data)
        if self._limit is None and self._conversation.under_way:
            seconds = self._patience if self._conversation.in_doubt else self._timeout
            self._limit = self._clock.callLater(seconds, self._silent, seconds)

    def _silent(self, seconds: float) -> None:
        self._limit = None
        self._end(AnswerTimeout(f"no answer came for {seconds:g} s"))
        self._abort()

    def _abort(self) -> None:
        self._stop_limit()
        self._tcp.abortConnection()

    def _end(self, why: NetlabError) -> None:
        """From here on nothing can be asked; what is open fails, for the first reason that was given."""
        if self._ended is None:
            self._ended = why
        self._stop_flush()
        self._stop_limit()
        questions, self._open = self._open, {}
        for answer in questions.values():
            answer.errback(self._ended)

    def _stop_flush(self) -> None:
        if self._flush is not None and self._flush.active():
            self._flush.cancel()
        self._flush = None

    def _stop_limit(self) -> None:
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._limit = None


def _how_it_ended(reason: Failure, begun: int) -> str:
    """How a server ended a connection on which answers were owed, ``begun`` bytes of one being there."""
    when = f"{begun} bytes into an answer" if begun else "before it answered"
    if reason.check(ConnectionDone):
        return f"the server closed the connection {when}"
    if reason.check(ConnectionLost):
        return f"the server broke the connection off {when}; it may be stopping, or have all the connections it allows"
    return f"the connection was lost {when}: {reason.getErrorMessage().rstrip('.')}"


def random_state() -> tuple[object, ...]:
    """A fresh random source's state, which ``rand`` carries to the server in a pickle."""
    return random.Random().getstate()
