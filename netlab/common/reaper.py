"""One timer for all deadlines of a kind, however many peers have one."""

from collections.abc import Callable
from typing import Generic

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from netlab.common.deadlines import Deadlines, K


class Reaper(Generic[K]):
    """Calls ``late(key)`` for every key that was not touched for ``period`` seconds.

    It owns at most one delayed call, which `stop` ends; with nothing to watch there is none.
    """

    def __init__(self, clock: IReactorTime, period: float, late: Callable[[K], object]) -> None:
        self._clock = clock
        self._late = late
        self._deadlines: Deadlines[K] = Deadlines(period)
        self._timer: IDelayedCall | None = None

    @property
    def period(self) -> float:
        """Seconds from the last touch to the deadline."""
        return self._deadlines.period

    def touch(self, key: K) -> None:
        """Give ``key`` a whole period from now."""
        self._deadlines.touch(key, self._clock.seconds())
        if self._timer is None:
            self._timer = self._clock.callLater(self._deadlines.period, self._look)

    def begin(self, key: K) -> None:
        """Give ``key`` a period from now unless its deadline is set already."""
        if key not in self._deadlines:
            self.touch(key)

    def drop(self, key: K) -> None:
        """Stop watching ``key``."""
        self._deadlines.drop(key)

    def stop(self) -> None:
        """End the timer; nothing is watched until the next touch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = self._clock.seconds()
        for key in self._deadlines.expired(now):
            self._late(key)
        following = self._deadlines.next()
        if following is not None and self._timer is None:
            self._timer = self._clock.callLater(max(0.0, following - now), self._look)
