"""Glue: what is captured, explained while it is captured, in a thread of its own."""

from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Thread

#: Bytes that may wait to be explained; who writes more waits, and packets stay where they come from.
MAX_WAITING = 16 << 20


class Live:
    """Gives the bytes of a capture, in order and as they come, to ``explain``, which runs in a thread.

    Start it, `write` in any thread but the reactor's, `close` when there is no more, and `wait`. ``ended(error)`` is
    called in the thread when ``explain`` has returned, with what it raised or `None`; what is written after that is
    lost.
    """

    def __init__(self, explain: Callable[[Iterator[bytes]], None], ended: Callable[[Exception | None], object]) -> None:
        self._explain = explain
        self._ended = ended
        self._changed = Condition()
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._complete = False
        self._over = False
        # If the program ends before us, it does not wait: nobody reads any more.
        self._thread = Thread(target=self._run, name="explaining", daemon=True)

    def start(self) -> None:
        """Begin to explain."""
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Explain ``data`` too, of any length; wait while more than `MAX_WAITING` bytes are ahead of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._size < MAX_WAITING)
            if not self._over:
                self._waiting.append(data)
                self._size += len(data)
                self._changed.notify_all()

    def close(self) -> None:
        """That was all."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until everything has been explained."""
        self._thread.join()

    def _run(self) -> None:
        error: Exception | None = None
        try:
            self._explain(self._pieces())
        except Exception as raised:
            error = raised
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._ended(error)

    def _pieces(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._complete)
                if not self._waiting:
                    return
                piece = b"".join(self._waiting)
                self._waiting.clear()
                self._size = 0
                self._changed.notify_all()
            yield piece
