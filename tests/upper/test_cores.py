"""Servers and clients as system calls, without a kernel: what they ask for, and in which order."""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.upper.answering import answering
from netlab.upper.calls import SEND_SIZE, Await, Call, Calls, EndSending, Receive, ResetAtClose, Send, Wait
from netlab.upper.ending import Ending, How, count_text
from netlab.upper.playing import SCRIPTS, Close, Script, Until, playing
from netlab.upper.variants import VARIANTS, Variant

R = TypeVar("R")


def run(calls: Calls[R], arriving: list[bytes]) -> tuple[list[Call], R]:
    """What is asked for when each `Receive` is given the next of ``arriving``, and the end of the stream after it."""
    coming = iter(arriving)
    asked: list[Call] = []
    data = None
    while True:
        try:
            call = calls.send(data)  # type: ignore[arg-type]
        except StopIteration as stopped:
            return asked, stopped.value
        asked.append(call)
        data = next(coming, b"") if isinstance(call, Receive) else b""


class VariantTests(SynchronousTestCase):
    """The table as data."""

    def test_table(self) -> None:
        """The five servers are those of protocols.md §2."""
        self.assertEqual(
            [(v.name, v.receive_size, v.repeat, v.delay, v.messages) for v in VARIANTS.values()],
            [
                ("session", 100, 1, 0.0, 2),
                ("v1", 1024, 1, 0.0, None),
                ("v2", 5, 1, 0.0, None),
                ("v3", 1024, 1000, 0.0, None),
                ("v4", 1024, 1, 5.0, None),
            ],
        )

    def test_words(self) -> None:
        """Each says what it does."""
        self.assertEqual(str(VARIANTS["v3"]), "v3: recv(1024), upper case × 1,000, send; until the client closes")
        self.assertEqual(
            str(evolve(VARIANTS["v4"], messages=3)), "v4: wait 5 s, recv(1024), upper case, send; 3 times, then close"
        )

    def test_limits(self) -> None:
        """What cannot be is no variant."""
        for wrong in ({"receive_size": 0}, {"repeat": 0}, {"delay": -1.0}, {"delay": float("nan")}, {"messages": 0}):
            self.assertRaises(ValueError, evolve, VARIANTS["v1"], **wrong)


class SendTests(SynchronousTestCase):
    """A repeated piece, cut into what the kernel is given."""

    @given(st.binary(min_size=1, max_size=3_000), st.integers(1, 400), st.data())
    def test_windows(self, piece: bytes, times: int, data: st.DataObject) -> None:
        """Whatever the kernel takes each time, it gets every byte in order, and never more than the limit at once."""
        send = Send(piece, times)
        whole = piece * times
        self.assertEqual(send.length, len(whole))
        sent = b""
        while len(sent) < len(whole):
            window = send.window(len(sent))
            self.assertTrue(0 < len(window) <= SEND_SIZE)
            sent += window[: data.draw(st.integers(max(1, len(window) // 2), len(window)))]
        self.assertEqual(sent, whole)

    def test_huge(self) -> None:
        """A window of an answer that would fill the memory costs a window."""
        send = Send(b"abc", 1 << 50)
        self.assertEqual(send.window(3 * (1 << 50) - 4), b"cabc")
        self.assertEqual(len(send.window(1 << 40)), SEND_SIZE)


class AnsweringTests(SynchronousTestCase):
    """The servers."""

    def test_session(self) -> None:
        """Two messages; then it closes without looking for more."""
        asked, how = run(answering(VARIANTS["session"]), [b"one", b"two", b"three"])
        receive = Receive(100)
        self.assertEqual(asked, [receive, Send(b"ONE"), receive, Send(b"TWO")])
        self.assertIs(how, How.CLOSED)

    def test_delay(self) -> None:
        """The delay comes before every receive, the empty one too."""
        asked, how = run(answering(VARIANTS["v4"]), [b"a", b"b"])
        wait, receive = Wait(5.0), Receive(1024)
        self.assertEqual(asked, [wait, receive, Send(b"A"), wait, receive, Send(b"B"), wait, receive])
        self.assertIs(how, How.CLOSED_BY_PEER)

    def test_repeat(self) -> None:
        """Each message is answered many times over."""
        self.assertEqual(run(answering(VARIANTS["v3"]), [b"x"])[0][1], Send(b"X", 1000))

    def test_ascii_only(self) -> None:
        """Bytes that are no ASCII letters pass as they are."""
        every = bytes(range(256))
        asked, _ = run(answering(VARIANTS["v1"]), [every])
        self.assertEqual(asked[1], Send(every[:97] + every[65:91] + every[123:]))

    @given(st.lists(st.binary(min_size=1), max_size=20), st.integers(1, 9) | st.none())
    def test_order(self, messages: list[bytes], most: int | None) -> None:
        """Every message has its answer before the next is asked for, and there are as many as there may be."""
        asked, how = run(answering(Variant("any", 10, messages=most)), messages)
        answers = [call.piece for call in asked if isinstance(call, Send)]
        self.assertEqual(answers, [message.upper() for message in messages][:most])
        self.assertTrue(all(isinstance(call, Receive | Send) for call in asked))
        self.assertEqual([isinstance(call, Send) for call in asked[: 2 * len(answers)]], [False, True] * len(answers))
        self.assertIs(how, How.CLOSED if most and len(messages) >= most else How.CLOSED_BY_PEER)


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

    def test_early_end(self) -> None:
        """A stream that ends early ends the reading; nothing more is sent, and nothing is waited for."""
        for close in (Close.POLITE, Close.UNREAD, Close.HALF):
            asked, how = run(playing(Script(b"a", second=b"b", reads=3, close=close)), [b"A"])
            self.assertEqual(asked, [Send(b"a"), Receive(1024), Receive(1024)])
            self.assertIs(how, How.CLOSED_BY_PEER)


class EndingTests(SynchronousTestCase):
    """Endings in words."""

    def test_words(self) -> None:
        """Each kind has its sentence."""
        for ending, words, resets in (
            (Ending(How.RESET, 5, 20), "reset by peer after 5 bytes", False),
            (Ending(How.CLOSED_BY_PEER, 1, 1), "closed by the peer after 1 byte", False),
            (Ending(How.CLOSED, 20, 13, 952), "closed here after 20 bytes with 952 unread, which sends a RST", True),
            (Ending(How.ABORTED, 0, 1), "aborted here after 0 bytes, which sends a RST", True),
            (Ending(How.CLOSED, 3, 3, reason="the daemon stops"), "closed here after 3 bytes: the daemon stops", False),
            (Ending(How.LOST, 3, 3, reason="No route to host"), "lost after 3 bytes: No route to host", False),
        ):  # fmt: skip
            self.assertEqual((str(ending), ending.resets), (words, resets))
        self.assertEqual(count_text(1_000), "1,000 bytes")
