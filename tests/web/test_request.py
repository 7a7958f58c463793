"""Requests out of bytes: in any pieces the same, within limits, and nothing but requests and our own refusals."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.web.limits import Limits
from netlab.web.request import Heads, Request, RequestReader

GET = b"GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n"
LIMITS = Limits()


def read(reader: RequestReader, *pieces: bytes) -> list[Request]:
    """All requests in ``pieces``."""
    found = []
    for piece in pieces:
        reader.feed(piece)
        while (request := reader.next()) is not None:
            found.append(request)
    return found


class RequestReaderTests(SynchronousTestCase):
    """The reader by itself."""

    def test_one(self) -> None:
        """A request's parts, its repeated fields joined."""
        (request,) = read(RequestReader(LIMITS), GET)
        fields = {b"host": b"a", b"x": b"1, 2"}
        expected = Request(b"GET /a HTTP/1.1", b"GET", b"/a", 1, fields, persistent=True, has_content=False)
        self.assertEqual(request, expected)

    def test_known_heads(self) -> None:
        """A head that one reader has read is the same request for all, whatever came before it on the stream."""
        heads = Heads()
        (first,) = read(RequestReader(LIMITS, heads), GET)
        other = b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        found = read(RequestReader(LIMITS, heads), b"\r\n" + other + GET + GET[:9], GET[9:] + other + GET)
        self.assertEqual([request.target for request in found], [b"/b", b"/a", b"/a", b"/b", b"/a"])
        self.assertIs(found[1], first)
        self.assertIs(found[3], found[0])
        # The one that came in two pieces was read, and is the one that is known now.
        self.assertEqual(found[2], first)
        self.assertIs(found[4], found[2])

    def test_heads_that_are_not_known(self) -> None:
        """What ends its connection, or brings content, is read every time; so is what is long. All is bounded."""
        heads = Heads()
        for more in (b"Connection: close\r\n", b"Content-Length: 3\r\n", b"X: %b\r\n" % (b"x" * 3_000)):
            head = b"GET / HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n"
            read(RequestReader(LIMITS, heads), head)
            self.assertIsNone(heads.get(head), more)
        for number in range(2_000):
            read(RequestReader(LIMITS, heads), b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        self.assertLess(len(heads), 1_500)
        self.assertIsNotNone(heads.get(b"GET /1999 HTTP/1.1\r\nHost: a\r\n\r\n"))

    def test_a_version_to_come(self) -> None:
        """Versions that are none of ours are told apart from what is malformed."""
        for version, status in ((b"1.2", 505), (b"2.0", 505), (b"0.9", 505), (b"1.x", 400)):
            reader = RequestReader(LIMITS)
            self.assertEqual(read(reader, b"GET / HTTP/%b\r\nHost: a\r\n\r\n" % version), [])
            assert reader.fault is not None
            self.assertEqual(reader.fault.status, status, version)

    def test_persistence(self) -> None:
        """Whether the client wants to go on, and whether it sends content."""
        for more, persistent, content in (
            (b"Connection: close\r\n", False, False),
            (b"Connection: x, Close\r\n", False, False),
            (b"Content-Length: 3\r\n", True, True),
            (b"Content-Length: 0\r\n", True, False),
            (b"Transfer-Encoding: chunked\r\n", True, True),
            (b"Connection: upgrade\r\nUpgrade: h2c\r\n", True, False),
        ):
            (request,) = read(RequestReader(LIMITS), b"GET / HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n")
            self.assertEqual((request.persistent, request.has_content), (persistent, content), more)

    @given(st.lists(st.integers(0, 200), max_size=12))
    def test_splits(self, places: list[int]) -> None:
        """However TCP cuts the stream, the requests are the same."""
        stream = b"\r\n" + GET + b"\r\n\r\n" + GET + b"HEAD / HTTP/1.0\r\n\r\n"
        cuts = [0, *sorted(place % len(stream) for place in places), len(stream)]
        pieces = [stream[start:stop] for start, stop in pairwise(cuts)]
        reader = RequestReader(LIMITS)
        self.assertEqual(read(reader, *pieces), read(RequestReader(LIMITS), stream))
        self.assertFalse(reader.begun)

    @given(st.lists(st.binary(max_size=300), max_size=20))
    @example([b"GET / HTTP/1.1\r\n", b"Host: a\r\n\n"])
    def test_junk(self, pieces: list[bytes]) -> None:
        """Whatever comes is a request or a refusal, and what is kept is bounded."""
        reader = RequestReader(LIMITS)
        read(reader, *pieces)
        self.assertLessEqual(reader.waiting, LIMITS.max_head)
        if reader.fault is not None:
            self.assertIn(reader.fault.status, (400, 414, 431, 501, 505))

    @given(st.integers(0, len(GET) - 1), st.binary(min_size=1, max_size=3))
    def test_damaged(self, place: int, bytes_: bytes) -> None:
        """A request with other bytes in it is another request, a refusal, or not finished; nothing is raised."""
        reader = RequestReader(LIMITS)
        for request in read(reader, GET[:place] + bytes_ + GET[place + len(bytes_) :] + GET):
            self.assertIsInstance(request, Request)

    def test_bounded_while_unfinished(self) -> None:
        """A head that never ends is refused at its limit, a byte at a time too."""
        reader = RequestReader(Limits(max_head=500))
        reader.feed(b"GET / HTTP/1.1\r\n")
        fed = 0
        while reader.fault is None:
            reader.feed(b"X: y\r\n")
            reader.next()
            fed += 6
            self.assertLess(fed, 520)
        self.assertEqual(reader.fault.status, 431)

    def test_after_a_fault(self) -> None:
        """Nothing more is read of a stream that is no stream of requests."""
        reader = RequestReader(LIMITS)
        self.assertEqual(read(reader, b"junk\r\n", GET, GET), [])
        self.assertEqual(reader.waiting, 0)

    def test_unknown_methods_in_pieces(self) -> None:
        """A method is not judged before it is there."""
        reader = RequestReader(LIMITS)
        self.assertEqual(read(reader, b"B", b"RE", b"W"), [])
        self.assertIsNone(reader.fault)
        read(reader, b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert reader.fault is not None
        self.assertEqual(reader.fault.status, 501)
