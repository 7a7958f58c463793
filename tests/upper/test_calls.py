"""System calls as values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.upper.calls import SEND_SIZE, Send


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
