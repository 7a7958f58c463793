"""One thread for work that blocks, so that the reactor never does."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


class Worker:
    """Does what it is given, one thing after another.

    Its thread is a daemon: a disk that hangs does not keep the process from ending. ``call`` is the reactor's
    `callFromThread`.
    """

    def __init__(self, call: Callable[[Callable[[], object]], object], name: str) -> None:
        self._call = call
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def do(self, work: Callable[[], T]) -> Deferred[T]:
        """Do ``work`` in the thread; its result, or what it raised. A cancelled one is done all the same."""
        done: Deferred[T] = Deferred()

        def in_thread() -> None:
            outcome: T | Failure
            try:
                outcome = work()
            except Exception:
                outcome = Failure()
            self._call(lambda: done.callback(outcome))

        self._queue.put(in_thread)
        if self._thread is None:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return done

    def stop(self) -> None:
        """End the thread when it has done what it was given."""
        self._queue.put(None)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
