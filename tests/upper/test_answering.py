"""What the servers ask of the kernel, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.upper.answering import answering
from netlab.upper.calls import Receive, Send, Wait
from netlab.upper.ending import How
from netlab.upper.variants import VARIANTS, Variant
from tests.upper.scripted import run


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
