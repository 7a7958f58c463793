"""The client: URLs, requests, responses out of bytes, and fetching over connections that come and go."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netlab.common.errors import ConnectRefused, NetlabError
from netlab.web.client import Fetched, Plan, fetch_all
from netlab.web.errors import BadUrl, NoResponse, ResponseError
from netlab.web.fetching import Received, ResponseReader, Wanted, field_of, wanted

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def read(*pieces: bytes, headed: bool = False, keeps: int | None = 1_000) -> Received | None:
    reader = ResponseReader(headed=headed, keeps=keeps)
    for piece in pieces:
        reader.feed(piece)
    return reader.received


class UrlTests(SynchronousTestCase):
    """What is asked for."""

    def test_urls(self) -> None:
        """Paths and URLs; what no target may have is encoded, and nothing else."""
        for url, target, authority in (
            ("/", "/", ""),
            ("/a b?c=d#e", "/a%20b?c=d", ""),
            ("/%2e%2e/é", "/%2e%2e/%C3%A9", ""),
            ("http://a", "/", "a"),
            ("http://u:p@a:81/b?c", "/b?c", "a:81"),
            ("http://[::1]:81/", "/", "[::1]:81"),
        ):
            found = wanted(url)
            self.assertEqual((found.target, found.authority), (target, authority))
        for url in ("a", "", "ftp://a/", "https://a/", "http://", "http://a:x/", "http://[a/"):
            self.assertRaises(BadUrl, wanted, url)

    def test_requests(self) -> None:
        """A request as bytes: own fields first, none twice."""
        plain = wanted("/a").encode("b:1")
        self.assertEqual(plain, b"GET /a HTTP/1.1\r\nHost: b:1\r\nConnection: keep-alive\r\n\r\n")
        other = wanted("http://c/a", "HEAD", (field_of("host: x"), field_of("X-Y:  z")), persistent=False)
        self.assertEqual(other.encode("b:1"), b"HEAD /a HTTP/1.1\r\nhost: x\r\nX-Y: z\r\nConnection: close\r\n\r\n")
        for text in ("x", "a b: c", ": c", "a: b\r\nc: d", "a: \0"):
            self.assertRaises(BadUrl, field_of, text)


class ResponseReaderTests(SynchronousTestCase):
    """Responses out of bytes."""

    def test_one(self) -> None:
        """A response byte by byte, an interim one before it."""
        stream = b"HTTP/1.1 100 Continue\r\n\r\n" + OK
        received = read(*(stream[place : place + 1] for place in range(len(stream))))
        self.assertEqual(received, Received(200, "OK", (("Content-Length", "5"),), 5, b"hello", True))

    def test_without_body(self) -> None:
        """HEAD, 304 and 204 have none, whatever they say; a body that is not wanted is counted only."""
        received = read(OK[:-5], headed=True)
        assert received is not None
        self.assertEqual((received.size, received.persistent), (0, True))
        received = read(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")
        assert received is not None
        self.assertEqual(received.status, 304)
        received = read(OK, keeps=None)
        assert received is not None
        self.assertEqual((received.size, received.body), (5, None))

    def test_until_the_end(self) -> None:
        """A body without a length ends with the connection; one with a length must not."""
        reader = ResponseReader(headed=False, keeps=100)
        reader.feed(b"HTTP/1.0 200\r\n\r\nhel")
        reader.feed(b"lo")
        reader.end()
        assert reader.received is not None
        self.assertEqual((reader.received.body, reader.received.phrase), (b"hello", "OK"))
        for start in (b"", OK[:10], OK[:-1]):
            reader = ResponseReader(headed=False)
            reader.feed(start)
            self.assertRaises(ResponseError, reader.end)

    def test_bounded(self) -> None:
        """Heads and kept bodies have their limits."""
        self.assertRaises(ResponseError, read, OK, keeps=4)
        self.assertRaises(ResponseError, read, b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 600)
        self.assertRaises(ResponseError, read, b"HTTP/1.1 200 OK\r\nX: ", *[b"y" * 1_000] * 70)

    @given(st.lists(st.binary(max_size=60), max_size=8), st.integers(0, len(OK)))
    def test_junk(self, pieces: list[bytes], place: int) -> None:
        """Whatever comes is a response, part of one, or our own error."""
        reader = ResponseReader(headed=False, keeps=1_000)
        try:
            for piece in (OK[:place], *pieces):
                reader.feed(piece)
            reader.end()
        except ResponseError:
            pass


class Server(Protocol):
    """Answers each request by the next of the factory's answers; `None` closes."""

    def dataReceived(self, data: bytes) -> None:
        answers: list[bytes | None] = self.factory.answers  # type: ignore[union-attr]
        for _ in range(data.count(b"\r\n\r\n")):
            answer = answers.pop(0)
            if answer is None:
                self.transport.loseConnection()  # type: ignore[union-attr]
            else:
                self.transport.write(answer)  # type: ignore[union-attr]


class FetchTests(TestCase):
    """Fetching over real connections, from servers with manners of every kind."""

    @inlineCallbacks
    def fetch(self, *answers: bytes | None, **plan: Any) -> Any:
        from twisted.internet import reactor

        factory = Factory.forProtocol(Server)
        factory.answers = list(answers)  # type: ignore[attr-defined]
        port = yield TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
        self.addCleanup(port.stopListening)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        asked = [Wanted(f"/{number}") for number in range(len(answers))]
        fetched: list[Fetched] = yield fetch_all(endpoint, reactor, asked, Plan("a", **plan))  # type: ignore[arg-type]
        return fetched

    def status(self, it: Fetched) -> int | None:
        return it.outcome.status if isinstance(it.outcome, Received) else None

    @inlineCallbacks
    def test_reuse(self) -> Any:
        """One connection as long as it lasts, then another."""
        last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        fetched = yield self.fetch(OK, last, OK)
        self.assertEqual([(it.connection, it.nth) for it in fetched], [(1, 1), (1, 2), (2, 1)])

    @inlineCallbacks
    def test_trouble(self) -> Any:
        """What goes wrong with one fetch is its outcome, and the others go on."""
        fetched = yield self.fetch(OK, None, b"junk", OK + b"more", OK)
        self.assertEqual([self.status(it) for it in fetched], [200, None, None, 200, 200])
        self.assertIsInstance(fetched[1].outcome, ResponseError)

    @inlineCallbacks
    def test_no_answer(self) -> Any:
        """No response in time is an error, and the connection is given up."""
        fetched = yield self.fetch(OK[:-1], OK, timeout=0.3)
        self.assertIsInstance(fetched[0].outcome, NoResponse)
        self.assertEqual((self.status(fetched[1]), fetched[1].connection), (200, 2))

    @inlineCallbacks
    def test_stay(self) -> Any:
        """At the end a connection is left open as long as was said, or until the server closes it."""
        from twisted.internet import reactor

        began = reactor.seconds()  # type: ignore[attr-defined]
        fetched = yield self.fetch(OK, stay=0.1)
        self.assertEqual(self.status(fetched[0]), 200)
        self.assertGreaterEqual(reactor.seconds() - began, 0.1)  # type: ignore[attr-defined]

    def test_refused(self) -> Deferred[Any]:
        """Where nothing listens, fetching fails."""
        from twisted.internet import reactor

        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", 1)
        fetching = fetch_all(endpoint, reactor, [Wanted("/")], Plan("a", connections=3))  # type: ignore[arg-type]
        self.assertTrue(issubclass(ConnectRefused, NetlabError))
        return self.assertFailure(fetching, ConnectRefused)
