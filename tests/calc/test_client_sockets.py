"""The client over real sockets: our server, servers as deployed, hostile ones."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.trial.unittest import TestCase

from netlab.calc.batch import Outcome, Watcher
from netlab.calc.client import calculate_all, connect
from netlab.calc.codecs.choice import Codec
from netlab.calc.errors import PickleRefused, SyntaxRefused
from netlab.calc.header import encode_packet
from netlab.calc.messages import Failure, Success
from netlab.calc.question import Question, Response
from netlab.common.errors import ConnectRefused
from tests.calc.peers import Behaviour, Server, closing, dropping, ours, raw

reactor: Any = global_reactor

Test = Generator[Deferred[Any], Any, None]


class Witness(Watcher):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def connected(self, peer: str) -> None:
        self.told.append(("connected", peer))

    def sending(self, number: int, question: Question) -> None:
        self.told.append(("sending", number, question.text))

    def answered(self, number: int, outcome: Outcome) -> None:
        self.told.append(("answered", number))

    def closed(self, peer: str) -> None:
        self.told.append(("closed", peer))


class SocketTests(TestCase):
    """`connect` and `calculate_all` meet servers."""

    def serve(self, behaviour: Behaviour) -> Server:
        """A server for the length of this test."""
        server = Server(behaviour)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def endpoint(self, server: Server) -> TCP4ClientEndpoint:
        return TCP4ClientEndpoint(reactor, "127.0.0.1", server.port)

    def all(self, server: Server, texts: list[str], **options: Any) -> Deferred[list[Outcome]]:
        return calculate_all(self.endpoint(server), texts, reactor, **options)

    def results(self, outcomes: list[Outcome]) -> list[object]:
        """Results, kinds of failures and classes of errors."""
        found: list[object] = []
        for outcome in outcomes:
            answer = outcome.answer if isinstance(outcome, Response) else outcome
            match answer:
                case Success(result):
                    found.append(result)
                case Failure(kind):
                    found.append(kind)
                case error:
                    found.append(type(error))
        return found

    @inlineCallbacks
    def test_ours(self) -> Test:
        """Hundreds of questions in both codecs are pipelined over one connection and answered in order."""
        server = self.serve(ours)
        texts = [f"{number} * {number} + 0.5" for number in range(500)]
        for codec in Codec:
            outcomes = yield self.all(server, texts, codec=codec)
            self.assertEqual(self.results(outcomes), [number * number + 0.5 for number in range(500)])
        self.assertEqual(server.connections, 2)

    @inlineCallbacks
    def test_connection(self) -> Test:
        """Steps come as they are asked for, errors as answers, and a closed connection says so."""
        server = self.serve(ours)
        connection = yield connect(self.endpoint(server), reactor)
        asked = [connection.calculate(text) for text in ("max(2, 3) + 3", "1 / 0", "rand(1, 2)", "2 ** 100")]
        first = yield asked[0]
        self.assertEqual(first.answer, Success(6, ("max(2, 3) + 3", "3 + 3", "6")))
        self.assertEqual((first.request_length, first.response_length), (376, 60))
        self.assertEqual((yield asked[1]).answer, Failure("ZeroDivisionError", ("division by zero",)))
        self.assertTrue(1 <= (yield asked[2]).answer.result <= 2)
        self.assertEqual((yield asked[3]).answer.result, 2**100)
        self.assertEqual(connection.peer, f"127.0.0.1:{server.port}")
        yield connection.close()

    @inlineCallbacks
    def test_deployed_that_closes(self) -> Test:
        """A server that answers once a connection is connected to for each question, and asked by two only once."""
        server = self.serve(closing)
        outcomes = yield self.all(server, ["1 + 1", "2 ** 10", "1 / 0", "-pi", "max(1, 2)", "sqrt(16)"])
        self.assertEqual(self.results(outcomes), [2, 1024, "ZeroDivisionError", -3.141592653589793, 2, 4.0])
        self.assertEqual(server.connections, 6)

    @inlineCallbacks
    def test_deployed_that_drops(self) -> Test:
        """A server that drops all but the first of what came together still gives everybody their own answer."""
        server = self.serve(dropping)
        outcomes = yield self.all(server, ["1 + 1", "2 + 2", "3 + 3", "rand(5, 5)"])
        self.assertEqual(self.results(outcomes), [2, 4, 6, 5.0])
        self.assertEqual(server.connections, 2)

    @inlineCallbacks
    def test_story(self) -> Test:
        """The watcher is told everything in order; a bad text has its place, and is not sent."""
        server = self.serve(ours)
        witness = Witness()
        outcomes = yield self.all(server, ["1", "2 +", "3"], watcher=witness)
        self.assertEqual(self.results(outcomes), [1, SyntaxRefused, 3])
        peer = f"127.0.0.1:{server.port}"
        sent = [("sending", 0, "1"), ("sending", 2, "3")]
        answered = [("answered", 0), ("answered", 1), ("answered", 2)]
        self.assertEqual(witness.told, [("connected", peer), *sent, *answered, ("closed", peer)])

    @inlineCallbacks
    def test_only_bad_texts(self) -> Test:
        """Nobody is connected to for what is no expression."""
        server = self.serve(ours)
        outcomes = yield self.all(server, ["2 +", ")"])
        self.assertEqual(self.results(outcomes), [SyntaxRefused, SyntaxRefused])
        self.assertEqual(server.connections, 0)

    @inlineCallbacks
    def test_hostile_pickle(self) -> Test:
        """A server's pickle is read as strictly as a client's: nothing that it names is called."""
        body = b"\x80\x04cbuiltins\nprint\n(S'owned'\ntR."
        server = self.serve(raw(encode_packet(body, timestamp=0, status=200)))
        outcomes = yield self.all(server, ["1"])
        self.assertEqual(self.results(outcomes), [PickleRefused])

    @inlineCallbacks
    def test_refused(self) -> Test:
        """Where nothing listens, the one error says so."""
        server = Server(ours)
        server.__exit__()
        yield self.assertFailure(self.all(server, ["1"]), ConnectRefused)
