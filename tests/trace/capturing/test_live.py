"""Explaining while capturing: order, the bound on what waits, and every way it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Thread

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.capturing import live
from netlab.trace.capturing.live import Live

PATIENCE = 30.0


class LiveTests(SynchronousTestCase):
    """What is written is read in a thread."""

    def setUp(self) -> None:
        """Nothing has ended."""
        self.ended: list[Exception | None] = []
        self.seen: list[bytes] = []

    def started(self, explain: Callable[[Iterator[bytes]], None]) -> Live:
        one = Live(explain, self.ended.append)
        one.start()
        return one

    def test_order(self) -> None:
        """Everything is read, in its order, and the end is known when that is done."""
        one = self.started(self.seen.extend)
        for number in range(1_000):
            one.write(b"%d," % number)
        one.close()
        one.wait()
        self.assertEqual(b"".join(self.seen), b"".join(b"%d," % number for number in range(1_000)))
        self.assertEqual(self.ended, [None])

    def test_bound(self) -> None:
        """Who writes more than may wait is held until something has been read."""
        self.patch(live, "MAX_WAITING", 10)
        goes_on, wrote = Event(), Event()

        def explain(pieces: Iterator[bytes]) -> None:
            goes_on.wait(PATIENCE)
            self.seen.extend(pieces)

        def write() -> None:
            one.write(b"more")
            wrote.set()

        one = self.started(explain)
        one.write(bytes(20))
        writing = Thread(target=write)
        writing.start()
        self.assertFalse(wrote.wait(0.05))
        goes_on.set()
        self.assertTrue(wrote.wait(PATIENCE))
        writing.join()
        one.close()
        one.wait()
        self.assertEqual(b"".join(self.seen), bytes(20) + b"more")

    def test_fault(self) -> None:
        """What goes wrong is told, and who writes is never held by it."""
        self.patch(live, "MAX_WAITING", 10)

        def explain(pieces: Iterator[bytes]) -> None:
            raise OSError(next(pieces))

        one = self.started(explain)
        for _ in range(100):
            one.write(bytes(20))
        one.wait()
        (error,) = self.ended
        self.assertIsInstance(error, OSError)
