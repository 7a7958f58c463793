"""The client on string transports and a clock: order, one write a turn, time-outs, cancelling, every bad end."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, DeferredQueue, fail
from twisted.internet.error import (
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    DNSLookupError,
    TCPTimedOutError,
)
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netlab.calc.client import Connection, calculate_all, calculate_stream, connect
from netlab.calc.codecs.choice import Codec
from netlab.calc.conversation import WINDOW
from netlab.calc.errors import (
    AnswerTimeout,
    BodyError,
    ConnectionClosed,
    LengthTooShort,
    SyntaxRefused,
    UnexpectedAnswer,
)
from netlab.calc.header import encode_packet
from netlab.calc.messages import Success
from netlab.calc.question import Response
from netlab.common.errors import ConnectFailed, ConnectRefused
from tests.calc.test_conversation import answer

PEER = IPv4Address("TCP", "192.0.2.1", 9999)


class Transport(StringTransport):
    """A transport that remembers writes one by one, and tells its protocol of its end when it is let to."""

    def __init__(self, protocol: IProtocol) -> None:
        super().__init__(peerAddress=PEER)
        self.protocol = protocol
        self.writes: list[bytes] = []
        self.aborted = False
        protocol.makeConnection(self)

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def abortConnection(self) -> None:
        self.aborted = True
        self.protocol.connectionLost(Failure(ConnectionLost()))


@implementer(IStreamClientEndpoint)
class Endpoint:
    """An endpoint whose connections are `Transport`s, or whose ``outcome`` is given."""

    def __init__(self, outcome: Deferred[IProtocol] | None = None) -> None:
        self.outcome = outcome
        self.transports: list[Transport] = []

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        if self.outcome is not None:
            return self.outcome
        protocol = factory.buildProtocol(PEER)
        assert protocol is not None
        self.transports.append(Transport(protocol))
        connected: Deferred[IProtocol] = Deferred()
        connected.callback(protocol)
        return connected


class ConnectionTests(SynchronousTestCase):
    """One connection, its server played by the test."""

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.clock.advance(1000.5)
        endpoint = Endpoint()
        self.connection: Connection = self.successResultOf(connect(endpoint, self.clock, timeout=10))
        (self.transport,) = endpoint.transports

    def tearDown(self) -> None:
        """Nothing is left to happen."""
        if not self.transport.aborted:
            self.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def ask(self, *texts: str, **wishes: Any) -> list[Deferred[Response]]:
        """Ask in one turn, and let the turn end."""
        asked = [self.connection.calculate(text, **wishes) for text in texts]
        self.clock.advance(0)
        return asked

    def lose(self, reason: Exception | None = None) -> None:
        """Have the server end the connection."""
        self.connection.connectionLost(Failure(reason or ConnectionDone()))

    def result(self, asked: Deferred[Response]) -> object:
        """The result that a question got."""
        found = self.successResultOf(asked).answer
        assert isinstance(found, Success)
        return found.result

    def test_answer(self) -> None:
        """A question is a packet with the clock's time, and the answer a response."""
        (asked,) = self.ask("1 + 2")
        self.assertEqual(self.transport.writes[0][:12].hex(), "000003e801061c00ffff0000")
        self.connection.dataReceived(answer(3))
        self.assertEqual(self.result(asked), 3)
        self.assertEqual(self.connection.peer, "192.0.2.1:9999")

    def test_json(self) -> None:
        """The wishes get into the packet."""
        (asked,) = self.ask("1 + 2", codec=Codec.JSON, steps=False, cache=False)
        self.assertEqual(self.transport.writes[0][4:].hex(), "0023040000000000" + b'{"expression": "1 + 2"}'.hex())
        self.connection.dataReceived(answer(3))
        self.assertEqual(self.result(asked), 3)

    def test_order_and_writes(self) -> None:
        """Answers go to questions in order, and what may leave in one turn leaves in one write."""
        asked = self.ask(*"123456")
        self.assertEqual(len(self.transport.writes), 1)
        self.connection.dataReceived(answer(1) + answer(2)[:20])
        self.assertEqual(self.result(asked[0]), 1)
        self.assertNoResult(asked[1])
        self.connection.dataReceived(answer(2)[20:])
        self.assertEqual(len(self.transport.writes), 2)
        self.connection.dataReceived(b"".join(map(answer, (3, 4, 5, 6))))
        self.assertEqual([self.result(one) for one in asked[1:]], [2, 3, 4, 5, 6])
        self.assertTrue(self.connection.pipelines)

    def test_window(self) -> None:
        """However many are asked, no more than the window are under way."""
        asked = self.ask(*map(str, range(200)))
        self.connection.dataReceived(answer(0) + answer(1))
        single = len(self.transport.writes[0]) // 2
        self.assertAlmostEqual(len(self.transport.writes[1]) / single, WINDOW, delta=1)
        for number in range(2, 200):
            self.connection.dataReceived(answer(number))
        self.assertEqual([self.result(one) for one in asked], [*range(200)])

    def test_ask_in_callback(self) -> None:
        """A question that an answer gave rise to is asked like any other."""
        (first,) = self.ask("1")
        second = first.addCallback(lambda _: self.connection.calculate("2"))
        self.connection.dataReceived(answer(1))
        self.clock.advance(0)
        self.connection.dataReceived(answer(2))
        self.assertEqual(self.result(second), 2)

    def test_syntax(self) -> None:
        """What is no expression fails at once, and nothing is written."""
        (asked,) = self.ask("2 +")
        self.failureResultOf(asked, SyntaxRefused)
        self.assertEqual(self.transport.writes, [])

    def test_silence(self) -> None:
        """A server that owes an answer for too long loses the connection and every question."""
        asked = self.ask("1", "2", "3")
        self.clock.advance(9)
        self.assertNoResult(asked[0])
        self.clock.advance(1)
        for one in asked:
            error = self.failureResultOf(one, AnswerTimeout).value
        self.assertEqual(str(error), "no answer came for 10 s")
        self.assertTrue(self.transport.aborted)
        self.failureResultOf(self.connection.calculate("4"), AnswerTimeout)

    def test_each_answer_gives_time(self) -> None:
        """As long as answers come, many may take longer than one; bytes of an answer are none."""
        asked = self.ask("1", "2", "3")
        for number in (1, 2):
            self.clock.advance(9)
            self.connection.dataReceived(answer(number))
        for byte in answer(3)[:9]:
            self.clock.advance(1)
            self.connection.dataReceived(bytes([byte]))
        self.assertNoResult(asked[2])
        self.clock.advance(1)
        self.failureResultOf(asked[2], AnswerTimeout)

    def test_nothing_owed(self) -> None:
        """A connection on which nothing is asked may be silent for ever."""
        asked = self.ask("1")
        self.connection.dataReceived(answer(1))
        self.assertEqual(self.result(asked[0]), 1)
        self.clock.advance(1000)
        asked = self.ask("2")
        self.connection.dataReceived(answer(2))
        self.assertEqual(self.result(asked[0]), 2)

    def test_cancel(self) -> None:
        """A cancelled question is not sent, or its answer is dropped; the others keep their order."""
        asked = self.ask("1", "2", "3")
        asked[0].cancel()
        asked[2].cancel()
        for one in (asked[0], asked[2]):
            self.failureResultOf(one, CancelledError)
        self.connection.dataReceived(answer(1) + answer(2))
        self.assertEqual(self.result(asked[1]), 2)
        self.assertEqual(len(self.transport.writes), 1)

    def test_limit_on_one(self) -> None:
        """`addTimeout` limits one question and leaves the connection to the others."""
        asked = self.ask("1", "2")
        asked[0].addTimeout(1, self.clock)
        self.clock.advance(1)
        self.failureResultOf(asked[0])
        self.connection.dataReceived(answer(1) + answer(2))
        self.assertEqual(self.result(asked[1]), 2)

    def test_garbage(self) -> None:
        """What is no packet ends the connection, with the reason for every question."""
        asked = self.ask("1", "2")
        self.connection.dataReceived(b"HTTP/1.1 400 Bad Request\r\n")
        for one in asked:
            self.failureResultOf(one)
        self.assertTrue(self.transport.aborted)

    def test_garbage_after_an_answer(self) -> None:
        """The answers before it count."""
        asked = self.ask("1", "2")
        self.connection.dataReceived(answer(1) + bytes(12))
        self.assertEqual(self.result(asked[0]), 1)
        self.failureResultOf(asked[1], LengthTooShort)

    def test_answer_to_nothing(self) -> None:
        """A server that answers what nobody asked is not to be trusted with the next question."""
        self.connection.dataReceived(answer(1))
        self.assertTrue(self.transport.aborted)
        self.failureResultOf(self.connection.calculate("1"), UnexpectedAnswer)

    def test_unreadable_body(self) -> None:
        """One bad body fails one question."""
        asked = self.ask("1", "2")
        self.connection.dataReceived(encode_packet(b"?", timestamp=0, status=200) + answer(2))
        self.failureResultOf(asked[0], BodyError)
        self.assertEqual(self.result(asked[1]), 2)

    def test_closed_early(self) -> None:
        """When the server closes, what is open fails, and so does what is asked later."""
        asked = self.ask("1", "2")
        self.connection.dataReceived(answer(1))
        self.lose()
        self.assertEqual(self.result(asked[0]), 1)
        self.failureResultOf(asked[1], ConnectionClosed)
        self.failureResultOf(self.connection.calculate("3"), ConnectionClosed)

    def test_lost(self) -> None:
        """A connection that ends says how, and whether an answer had begun."""
        broken = "; it may be stopping, or have all the connections it allows"
        for begun, reason, words in (
            (b"", ConnectionDone(), "the server closed the connection before it answered"),
            (answer(1)[:5], ConnectionDone(), "the server closed the connection 5 bytes into an answer"),
            (b"", ConnectionLost("lost"), f"the server broke the connection off before it answered{broken}"),
            (answer(1)[:9], ConnectionLost(), f"the server broke the connection off 9 bytes into an answer{broken}"),
            (b"", TCPTimedOutError(), "the connection was lost before it answered: TCP connection timed out"),
        ):
            self.setUp()
            (asked,) = self.ask("1")
            self.connection.dataReceived(begun)
            self.lose(reason)
            self.assertEqual(str(self.failureResultOf(asked, ConnectionClosed).value), words)

    def test_close(self) -> None:
        """Closing fails what is open and fires when the connection is gone, for everyone who asked for it."""
        asked = self.ask("1")
        closed = [self.connection.close(), self.connection.close()]
        self.failureResultOf(asked[0], ConnectionClosed)
        self.assertTrue(self.transport.disconnecting)
        self.connection.dataReceived(answer(1))
        self.assertNoResult(closed[0])
        self.lose()
        for one in [*closed, self.connection.close()]:
            self.assertIsNone(self.successResultOf(one))

    def test_close_before_sending(self) -> None:
        """What was asked in the turn that closes is not sent."""
        asked = self.connection.calculate("1")
        self.connection.close()
        self.clock.advance(0)
        self.failureResultOf(asked, ConnectionClosed)
        self.assertEqual(self.transport.writes, [])

    def test_close_that_hangs(self) -> None:
        """A server that does not let go is cut off."""
        closed = self.connection.close()
        self.clock.advance(10)
        self.assertIsNone(self.successResultOf(closed))
        self.assertTrue(self.transport.aborted)


class ConnectTests(SynchronousTestCase):
    """Connections that do not come about."""

    def failure(self, error: Exception) -> ConnectFailed:
        """What `connect` makes of Twisted's error."""
        found = self.failureResultOf(connect(Endpoint(fail(error)), Clock()), ConnectFailed).value
        assert isinstance(found, ConnectFailed)
        return found

    def test_refused(self) -> None:
        """That nothing listens is told apart, because something can be done about it."""
        self.assertIsInstance(self.failure(ConnectionRefusedError()), ConnectRefused)

    def test_other_errors(self) -> None:
        """All else is one sentence in our class, an error nobody thought of included."""
        self.assertEqual(str(self.failure(DNSLookupError("no such host."))), "DNS lookup failed: no such host")
        self.assertEqual(str(self.failure(ValueError())), "ValueError")

    def test_timeout(self) -> None:
        """A connection that takes too long is given up."""
        clock = Clock()
        connecting = connect(Endpoint(Deferred()), clock, timeout=3)
        clock.advance(3)
        error = self.failureResultOf(connecting, ConnectFailed).value
        self.assertEqual(str(error), "no connection came about within 3 s")

    def test_cancel(self) -> None:
        """Cancelling is not an error of the network."""
        connecting = connect(Endpoint(Deferred()), Clock())
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)


class CalculateAllTests(SynchronousTestCase):
    """What only a clock can show of `calculate_all`; the rest is in test_client_sockets.py."""

    def setUp(self) -> None:
        """Have somewhere to connect to."""
        self.clock = Clock()
        self.endpoint = Endpoint()

    def answer(self, *numbers: int) -> None:
        """Answer on the newest connection."""
        transport = self.endpoint.transports[-1]
        transport.protocol.dataReceived(b"".join(map(answer, numbers)))
        self.clock.advance(0)

    def end(self) -> None:
        """End the newest connection."""
        transport = self.endpoint.transports[-1]
        transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0)

    def start(self, *texts: str) -> Deferred[Any]:
        """Ask, and let the turn end."""
        asking = calculate_all(self.endpoint, texts, self.clock, timeout=10)
        self.clock.advance(0)
        return asking

    def test_dropped(self) -> None:
        """When the second of two is dropped, that is known after a second, and the rest is asked one at a time."""
        asking = self.start("1", "2", "3")
        self.answer(1)
        self.clock.advance(1)
        self.assertTrue(self.endpoint.transports[0].aborted)
        self.answer(2)
        self.answer(3)
        self.end()
        self.assertEqual([one.answer.result for one in self.successResultOf(asking)], [1, 2, 3])
        self.assertEqual(len(self.endpoint.transports[1].writes), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_silent_from_the_start(self) -> None:
        """A server that never answers is not asked again."""
        asking = self.start("1", "2")
        self.clock.advance(10)
        self.failureResultOf(asking, AnswerTimeout)
        self.assertEqual(len(self.endpoint.transports), 1)

    def test_silent_later(self) -> None:
        """A server that falls silent after it was known to pipeline is not asked again."""
        asking = self.start("1", "2", "3")
        self.answer(1, 2)
        self.clock.advance(10)
        self.failureResultOf(asking, AnswerTimeout)
        self.assertEqual(len(self.endpoint.transports), 1)

    def test_closed_without_progress(self) -> None:
        """A server that closes without an answer is asked once more with one question, and then no more."""
        asking = self.start("1", "2", "3")
        self.end()
        self.assertEqual(len(self.endpoint.transports), 2)
        self.end()
        self.failureResultOf(asking, ConnectionClosed)
        self.assertEqual(len(self.endpoint.transports), 2)

    def test_one_question_is_asked_once(self) -> None:
        """With a single question there is nothing else to try."""
        asking = self.start("1")
        self.end()
        self.failureResultOf(asking, ConnectionClosed)
        self.assertEqual(len(self.endpoint.transports), 1)

    def test_closed_in_full_swing(self) -> None:
        """A pipelining server that closes in between is connected to again, and pipelined to again."""
        asking = self.start(*map(str, range(1, 8)))
        self.answer(1, 2)
        self.answer(3)
        self.end()
        self.answer(4, 5)
        self.answer(6, 7)
        self.end()
        self.assertEqual([one.answer.result for one in self.successResultOf(asking)], [*range(1, 8)])
        self.assertEqual(len(self.endpoint.transports), 2)

    def test_cancel(self) -> None:
        """Cancelling it closes the connection."""
        asking = self.start("1", "2")
        asking.cancel()
        self.assertTrue(self.endpoint.transports[0].disconnecting)
        self.end()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_texts_are_read_as_needed(self) -> None:
        """An endless source of texts costs no endless memory: no more are read than may be under way."""
        taken = []

        def texts() -> Any:
            for number in range(1, 1001):
                taken.append(number)
                yield str(number)

        asking = calculate_all(self.endpoint, texts(), self.clock, window=4)
        self.clock.advance(0)
        self.assertEqual(len(taken), 4)
        self.answer(1, 2)
        self.assertEqual(len(taken), 6)
        asking.cancel()
        self.end()
        self.failureResultOf(asking, CancelledError)


class Slow:
    """A source of texts that come when the test puts them there."""

    def __init__(self) -> None:
        self.texts: DeferredQueue[str | None] = DeferredQueue()

    @property
    def ready(self) -> bool:
        return bool(self.texts.pending)

    async def take(self) -> str | None:
        return await self.texts.get()


class CalculateStreamTests(SynchronousTestCase):
    """Texts that come bit by bit."""

    def setUp(self) -> None:
        """Have a source, and somewhere to connect to."""
        self.clock = Clock()
        self.endpoint = Endpoint()
        self.source = Slow()
        self.outcomes: list[Any] = []
        keep = self.outcomes.append
        self.asking = calculate_stream(self.endpoint, self.source, self.clock, timeout=10, keep=keep)

    def put(self, *texts: str | None) -> None:
        """Have texts come, `None` for the end."""
        for text in texts:
            self.source.texts.put(text)
        self.clock.advance(0)

    def answer(self, *numbers: int) -> None:
        """Answer on the newest connection."""
        self.endpoint.transports[-1].protocol.dataReceived(b"".join(map(answer, numbers)))
        self.clock.advance(0)

    def end(self) -> None:
        """End the newest connection."""
        self.endpoint.transports[-1].protocol.connectionLost(Failure(ConnectionDone()))
        self.clock.advance(0)

    def results(self) -> list[object]:
        """What was answered so far."""
        return [outcome.answer.result for outcome in self.outcomes]

    def test_as_they_come(self) -> None:
        """Nobody is connected to before the first text; each is asked when it is there, and answered at once."""
        self.assertEqual(self.endpoint.transports, [])
        self.put("1")
        self.answer(1)
        self.assertEqual(self.results(), [1])
        self.clock.advance(1000)
        self.put("2", "3", "4")
        self.answer(2)
        self.answer(3, 4)
        self.assertEqual(self.results(), [1, 2, 3, 4])
        self.put(None)
        self.end()
        self.assertIsNone(self.successResultOf(self.asking))
        self.assertEqual(len(self.endpoint.transports), 1)

    def test_closed_while_waiting(self) -> None:
        """A server that closes while no text is there is connected to again for the next."""
        self.put("1")
        self.answer(1)
        self.end()
        self.put("2")
        self.answer(2)
        self.put(None)
        self.end()
        self.assertIsNone(self.successResultOf(self.asking))
        self.assertEqual((self.results(), len(self.endpoint.transports)), ([1, 2], 2))

    def test_source_that_fails(self) -> None:
        """An error of the source is the end, with the connection closed."""
        self.put("1")
        self.answer(1)
        self.source.texts.waiting[0].errback(ZeroDivisionError())
        self.assertTrue(self.endpoint.transports[0].disconnecting)
        self.end()
        self.failureResultOf(self.asking, ZeroDivisionError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
