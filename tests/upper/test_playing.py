"""What the clients ask of the kernel, and in which order."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.upper.calls import AcknowledgeLate, Await, EndSending, Receive, ResetAtClose, Send, Wait
from netlab.upper.ending import How
from netlab.upper.playing import SCRIPTS, Close, Script, Until, playing
from tests.upper.scripted import run


class PlayingTests(SynchronousTestCase):
    """The clients."""

    def test_table(self) -> None:
        """The presets send and read as the clients of protocols.md §2."""
        rows = {
            name: (len(s.message), s.times, len(s.second or b""), s.reads, s.read_size, s.close)
            for name, s in SCRIPTS.items()
        }
        self.assertEqual(
            rows,
            {
                "session": (35, 1, 20, Until.END, 1024, Close.POLITE),
                "v1": (13, 1, 0, 1, 1024, Close.POLITE),
                "v2": (20, 1, 0, 1, 1024, Close.POLITE),
                "v3": (13, 1, 0, 2, 1024, Close.UNREAD),
                "v4": (130, 4, 0, 1, 1024, Close.POLITE),
            },
        )

    def test_session(self) -> None:
        """The second message waits for the whole first answer; then everything is read."""
        script = Script(b"abcd", second=b"ef", reads=Until.END, read_size=7)
        asked, how = run(playing(script), [b"AB", b"CD", b"EF"])
        read = Receive(7)
        self.assertEqual(asked, [Send(b"abcd"), read, read, Send(b"ef"), read, read])
        self.assertIs(how, How.CLOSED_BY_PEER)

    def test_reads(self) -> None:
        """A number of reads is kept to; without one, as much is read as was sent."""
        for reads, count in ((0, 0), (1, 1), (2, 2), (Until.ENOUGH, 3), (Until.END, 5)):
            asked, how = run(playing(Script(b"ab", times=3, reads=reads)), [b"A", b"BAB", b"AB", b"..."])
            self.assertEqual(asked, [Send(b"ab")] * 3 + [Receive(1024)] * count)
            self.assertIs(how, How.CLOSED_BY_PEER if reads is Until.END else How.CLOSED)

    def test_closes(self) -> None:
        """Each way to close has its calls before the close."""
        read = Receive(1024)
        for close, calls, how in (
            (Close.POLITE, [], How.CLOSED),
            (Close.UNREAD, [Await()], How.CLOSED),
            (Close.ABORT, [ResetAtClose()], How.ABORTED),
            (Close.HALF, [EndSending(), read, read], How.CLOSED_BY_PEER),
        ):
            asked, ended = run(playing(Script(b"a", close=close)), [b"A", b"more"])
            self.assertEqual((asked[2:], ended), (calls, how))

    def test_late_and_slow(self) -> None:
        """Late acknowledgments are asked for before anything is sent, and the wait comes just before the close."""
        script = Script(b"a", close=Close.ABORT, wait=0.5, late_acks=True)
        asked, _ = run(playing(script), [b"A"])
        self.assertEqual(asked, [AcknowledgeLate(), Send(b"a"), Receive(1024), Wait(0.5), ResetAtClose()])

    def test_early_end(self) -> None:
        """A stream that ends early ends the reading; nothing more is sent, and nothing is waited for."""
        for close in (Close.POLITE, Close.UNREAD, Close.HALF):
            asked, how = run(playing(Script(b"a", second=b"b", reads=3, close=close)), [b"A"])
            self.assertEqual(asked, [Send(b"a"), Receive(1024), Receive(1024)])
            self.assertIs(how, How.CLOSED_BY_PEER)
