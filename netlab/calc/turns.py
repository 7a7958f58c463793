"""The time that answering may take of each turn of the reactor, shared by all connections."""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: Seconds of one turn after which answering goes on in the next, so that timers and other sockets get theirs.
SLICE = 0.001

#: Seconds too short to count: a lone ordinary request is never worth a timer.
_UNCOUNTED = 0.0005


class Turns:
    """Hands out turns.

    Whoever has answered for a while says so with `spent`. When the turn is used up, `over` is true, and who still has
    requests waits with `wait`, to be called in a later turn, in order of arrival.
    """

    def __init__(self, clock: IReactorTime, measure: Callable[[], float]) -> None:
        #: Seconds on a clock fine enough for microseconds.
        self.measure = measure
        self._clock = clock
        self._used = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._next: IDelayedCall | None = None

    @property
    def over(self) -> bool:
        """Whether the time of this turn is used up."""
        return self._used >= SLICE

    def spent(self, seconds: float) -> None:
        """Count time that answering took."""
        if seconds > _UNCOUNTED:
            self._used += seconds
            self._schedule()

    def wait(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` once, in a later turn."""
        self._waiting.append(go_on)
        self._schedule()

    def stop(self) -> None:
        """Call nobody any more."""
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _schedule(self) -> None:
        if self._next is None:
            self._next = self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        self._next = None
        self._used = 0.0
        began = self.measure()
        for _ in range(len(self._waiting)):
            if self.measure() - began > SLICE:
                break
            self._waiting.popleft()()
        if self._waiting:
            self._schedule()
