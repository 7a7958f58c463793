"""HTTP/1.1 in streams of all shapes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.app.http import HttpExchange
from netlab.trace.app.http_head import MAX_HEAD
from tests.trace.app.talking import CLIENT, SERVER, Line, found, only, talk

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"


def answer(body: bytes, head: bytes = b"HTTP/1.1 200 OK", fields: bytes = b"") -> bytes:
    """A response with a length."""
    return head + b"\r\n" + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def exchanges(line: Line) -> tuple[HttpExchange, ...]:
    """What an HTTP conversation holds."""
    application = only(line, ports={40_001: "http"})
    assert application.protocol == "http"
    found: tuple[HttpExchange, ...] = application.facts.exchanges
    return found


def statuses(line: Line) -> list[tuple[str | None, int | None]]:
    """Methods and statuses."""
    return [
        (one.request.method if one.request else None, one.response.status if one.response else None)
        for one in exchanges(line)
    ]


def response_of(line: Line, number: int = 0) -> Any:
    """A response."""
    return exchanges(line)[number].response


class PairTests(SynchronousTestCase):
    """Requests with their responses."""

    def test_pipelined(self) -> None:
        """Requests that come together are answered in order, and said to be pipelined."""
        line = talk((CLIENT, GET + GET), (SERVER, answer(b"1") + answer(b"22")), port=80)
        first, second = exchanges(line)
        self.assertEqual((first.pipelined, second.pipelined), (False, True))
        self.assertEqual(second.response.body.length if second.response else 0, 2)

    def test_no_bodies(self) -> None:
        """HEAD, 204 and 304 have no body, whatever their length fields say."""
        heads = (b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified")
        answers = answer(b"12345")[:-5] + b"".join(answer(b"12345", head)[:-5] for head in heads) + answer(b"1")
        line = talk((CLIENT, HEAD + GET * 3), (SERVER, answers), port=80)
        self.assertEqual(statuses(line), [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 200)])
        self.assertEqual(response_of(line).body.framing, "none")

    def test_response_first(self) -> None:
        """A response that stands before its request in the file waits for it: only the request says HEAD."""
        line = Line(80).open().say(SERVER, answer(b"12345")[:-5] + answer(b"1")).say(CLIENT, HEAD + GET).close()
        self.assertEqual(statuses(line), [("HEAD", 200), ("GET", 200)])

    def test_interim(self) -> None:
        """100 Continue belongs to the same exchange as the final response."""
        post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        line = talk(
            (CLIENT, post), (SERVER, b"HTTP/1.1 100 Continue\r\n\r\n"), (CLIENT, b"hi"), (SERVER, answer(b"1")), port=80
        )
        (exchange,) = exchanges(line)
        self.assertEqual([one.status for one in exchange.interim], [100])
        self.assertEqual(exchange.request.body.sha256 if exchange.request else "", sha256(b"hi").hexdigest())

    def test_unanswered(self) -> None:
        """A request without a response, and the start of one, are told."""
        self.assertEqual(statuses(talk((CLIENT, GET), port=80)), [("GET", None)])
        application = only(talk((CLIENT, GET), (SERVER, b"HTTP/1.1 200 OK\r\nCont"), port=80))
        self.assertEqual([fault.kind for fault in application.faults], ["unfinished"])


class BodyTests(SynchronousTestCase):
    """Where bodies end."""

    def test_chunked(self) -> None:
        """Chunks, extensions and trailers; the hash is of what the program gets."""
        body = b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: t\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n"
        line = talk((CLIENT, GET + GET), (SERVER, head + body + answer(b"1")), port=80)
        got = response_of(line).body
        self.assertEqual((got.framing, got.length, got.type, got.complete), ("chunked", 11, "text/plain", True))
        self.assertEqual(got.sha256, sha256(b"hello world").hexdigest())
        self.assertEqual(statuses(line)[1], ("GET", 200))

    def test_until_close(self) -> None:
        """Without a length the close ends a body, but only a close that came."""
        line = talk((CLIENT, GET), (SERVER, b"HTTP/1.0 200 OK\r\n\r\nall there is"), port=80)
        self.assertEqual((response_of(line).body.framing, response_of(line).body.complete), ("close", True))
        cut = Line(80).open().say(CLIENT, GET).say(SERVER, b"HTTP/1.0 200 OK\r\n\r\nall there is")
        self.assertFalse(response_of(cut).body.complete)

    def test_gap(self) -> None:
        """Bytes missing inside a body of known length are counted, and the next response is read."""
        whole = answer(bytes(1000))
        line = Line(80).open().say(CLIENT, GET + GET).say(SERVER, whole[:500])
        line.segment(SERVER, 0x18, whole[700:] + answer(b"1"), skip=200).close()
        self.assertEqual((response_of(line).body.missing, response_of(line).body.length), (200, 1000))
        self.assertEqual(statuses(line), [("GET", 200), ("GET", 200)])

    def test_bad(self) -> None:
        """What contradicts itself is a fault of its own kind, and nothing is made of it."""
        for kind, text in {
            "bad_length": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "bad_chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n",
            "bad_head": b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
            "head_too_long": b"HTTP/1.1 200 OK\r\n" + b"x" * (MAX_HEAD + 10),
        }.items():
            application = only(talk((CLIENT, GET), (SERVER, text[:60_000]), (SERVER, text[60_000:] or b"?"), port=80))
            self.assertEqual(application.faults[0].kind, kind)


class LinkTests(SynchronousTestCase):
    """What one connection has to do with another."""

    def redirect(self, location: bytes, *others: Line) -> Any:
        """Where the redirect of a first connection is said to have gone."""
        moved = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
        first = talk((CLIENT, GET), (SERVER, moved), port=80)
        return found(first, *others).applications[0].facts.exchanges[0].redirect

    def later(self, request: bytes, port: int = 80, server: str = "10.0.0.2") -> Line:
        """A connection that begins after the first."""
        line = Line(port, 40_005, server=server).wait(100_000_000)
        return line.open().say(CLIENT, request).say(SERVER, answer(b"1")).close()

    def test_followed(self) -> None:
        """A path, a full address, another server and port: each is found."""
        there = self.later(b"GET /b?c HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(self.redirect(b"/b?c#d", there).conversation, 1)
        self.assertEqual(self.redirect(b"http://X/b?c", there).conversation, 1)
        other = self.later(b"GET / HTTP/1.1\r\nHost: y:81\r\n\r\n", 81, "10.0.0.3")
        self.assertEqual(self.redirect(b"http://y:81", other).conversation, 1)

    def test_not_followed(self) -> None:
        """Another path, or an address that is none, is not followed; the location is still said."""
        redirect = self.redirect(b"/else", self.later(GET))
        self.assertEqual((redirect.location, redirect.conversation), ("/else", None))
        self.assertIsNone(self.redirect(b"http://[bad").conversation)

    def test_unused(self) -> None:
        """An empty connection is a spare one only beside a server of HTTP, and after a handshake."""
        used = talk((CLIENT, GET), (SERVER, answer(b"1")), port=80)
        spare = Line(80, 40_001).open().close(SERVER)
        other = Line(81, 40_002).open().close()
        applications = found(used, spare, other).applications
        self.assertEqual(applications[1].facts.beside, 0)
        self.assertEqual(applications[1].facts.closed_by, SERVER)
        self.assertIsNone(applications[2].facts)
