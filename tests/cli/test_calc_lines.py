"""Lines of files and streams: marks, ends, bounds, and a source that waits and is waited for."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.calc_input import Text, expressions
from netlab.cli.calc_lines import MAX_LINE, LineReader, LineStream
from netlab.cli.terminal import Failed
from tests.calc.cases import peak_memory, tries


class ReaderTests(SynchronousTestCase):
    """Bytes become lines."""

    def lines(self, *parts: bytes) -> list[str]:
        """The lines of some bytes and the end."""
        reader = LineReader()
        return [line for part in (*parts, b"") for line in reader.feed(part)]

    def test_ends(self) -> None:
        """Any line end is one, and the last line needs none."""
        self.assertEqual(self.lines(b"a\nb\r\nc\rd"), ["a", "b", "c", "d"])
        self.assertEqual(self.lines(b"a\r", b"\nb\n"), ["a", "b"])
        self.assertEqual(self.lines(), [])

    def test_mark(self) -> None:
        """The mark that some editors put before UTF-8 is no part of line 1."""
        self.assertEqual(self.lines(b"\xef\xbb", b"\xbf1 + 1\n2"), ["1 + 1", "2"])

    def test_no_utf_8(self) -> None:
        """What is no UTF-8 is replaced; the other lines are not concerned."""
        self.assertEqual(self.lines(b"\xff\n2"), ["\ufffd", "2"])

    @given(st.binary(min_size=1, max_size=80), st.binary(min_size=1, max_size=80))
    @tries(200)
    def test_any_split(self, first: bytes, second: bytes) -> None:
        """However the bytes come, the lines are the same."""
        self.assertEqual(self.lines(first, second), self.lines(first + second))

    def test_endless_line(self) -> None:
        """A line without end is cut, and the next one is whole."""
        reader = LineReader()

        def feed() -> None:
            for _ in range(1_000):
                self.assertEqual(reader.feed(b"1" * 65_536), [])

        self.assertLess(peak_memory(feed), 2**20)
        self.assertEqual([len(line) for line in reader.feed(b"\n12\n")], [MAX_LINE, 2])


class StreamTests(SynchronousTestCase):
    """A pipe, read when there is something in it."""

    def setUp(self) -> None:
        """Have a pipe."""
        self.reactor = MemoryReactor()
        self.out, self.into = os.pipe()
        self.addCleanup(os.close, self.out)
        self.stream = LineStream(self.reactor, self.out, "-", expressions())

    def take(self) -> Deferred[Text | None]:
        """The next expression."""
        return ensureDeferred(self.stream.take())

    def write(self, data: bytes) -> None:
        """Put something into the pipe, which the reactor notices if it is told to look."""
        os.write(self.into, data)
        self.assertIn(self.stream, self.reactor.getReaders())
        self.stream.doRead()

    def test_as_they_come(self) -> None:
        """Nothing is there, then a line; lines without an expression count and are none."""
        self.assertFalse(self.stream.ready)
        taken = self.take()
        self.write(b"1 + 1")
        self.assertNoResult(taken)
        self.write(b"\n# a comment\n\n")
        self.assertEqual(self.successResultOf(taken), Text("1 + 1", 1))
        self.assertFalse(self.stream.ready)
        self.write(b"2\n")
        self.assertTrue(self.stream.ready)
        self.assertEqual(self.successResultOf(self.take()), Text("2", 4))

    def test_end(self) -> None:
        """At the end the last line comes, then nothing, and nobody reads any more."""
        taken = self.take()
        os.write(self.into, b"3")
        os.close(self.into)
        self.stream.doRead()
        self.stream.doRead()
        self.assertEqual(self.successResultOf(taken), Text("3", 1))
        self.assertIsNone(self.successResultOf(self.take()))
        self.assertEqual(self.reactor.getReaders(), [])

    def test_hung_up(self) -> None:
        """A reactor that only says that the other end is gone says the same."""
        taken = self.take()
        self.write(b"3")
        self.stream.connectionLost(None)
        self.assertEqual(self.successResultOf(taken), Text("3", 1))
        self.assertIsNone(self.successResultOf(self.take()))

    def test_flood(self) -> None:
        """While enough lines wait nothing is read; when they are taken, reading goes on."""
        taken = self.take()
        self.write(b"1\n" * 1_000)
        self.assertEqual(self.reactor.getReaders(), [])
        self.assertEqual(self.successResultOf(taken), Text("1", 1))
        for number in range(2, 1_001):
            self.assertEqual(self.successResultOf(self.take()), Text("1", number))
        self.assertEqual(self.reactor.getReaders(), [self.stream])

    def test_unreadable(self) -> None:
        """What cannot be read ends it, with the reason."""
        stream = LineStream(self.reactor, os.open("/", os.O_RDONLY), "-", expressions())
        self.addCleanup(os.close, stream.fileno())
        taken = ensureDeferred(stream.take())
        stream.doRead()
        self.assertEqual(
            str(self.failureResultOf(taken, Failed).value), "netlab calc: stdin cannot be read: Is a directory"
        )
