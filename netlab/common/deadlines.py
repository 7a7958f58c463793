"""Deadlines that all lie the same time after the last sign of life, for thousands of peers at once."""

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Deadlines(Generic[K]):
    """Keys in the order of their deadlines, ``period`` seconds after each was touched last.

    Because the period is one for all, the order of touches is the order of deadlines: nothing is sorted or scanned.
    Times are seconds of any clock that does not run backwards.
    """

    __slots__ = ("_deadlines", "period")

    def __init__(self, period: float) -> None:
        self.period = period
        self._deadlines: dict[K, float] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._deadlines

    def touch(self, key: K, now: float) -> None:
        """Set the deadline of ``key`` to ``now`` and a period."""
        self._deadlines.pop(key, None)
        self._deadlines[key] = now + self.period

    def drop(self, key: K) -> None:
        """Forget ``key``, if it is here."""
        self._deadlines.pop(key, None)

    def next(self) -> float | None:
        """The earliest deadline; `None` when there is none."""
        return next(iter(self._deadlines.values()), None)

    def expired(self, now: float) -> list[K]:
        """Take out every key whose deadline has come, earliest first."""
        keys = []
        for key, deadline in self._deadlines.items():
            if deadline > now:
                break
            keys.append(key)
        for key in keys:
            del self._deadlines[key]
        return keys
