"""Many who want the same at the same time, and one who fetches it for all."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[K, T]):
    """At most one flight for each key.

    Who joins gets a Deferred of its own, which fires in the turn in which the flight ends, with its result or its
    failure. Cancelling one of them leaves the flight to the others, and to its own end.
    """

    def __init__(self) -> None:
        self._flights: dict[K, dict[Deferred[T], None]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: K) -> bool:
        return key in self._flights

    def join(self, key: K, fetch: Callable[[], Deferred[T]]) -> tuple[Deferred[T], bool]:
        """Wait for the flight for ``key``, which begins with ``fetch()`` if there is none.

        The second value is whether it began: whether the caller is the one for whom it is made.
        """
        waiters = self._flights.get(key)
        begins = waiters is None
        if waiters is None:
            waiters = self._flights[key] = {}
        waiter: Deferred[T] = Deferred(waiters.pop)
        waiters[waiter] = None
        if begins:
            fetch().addBoth(self._land, key)
        return waiter, begins

    def _land(self, outcome: T | Failure, key: K) -> None:
        for waiter in list(self._flights.pop(key)):
            if waiter.called:  # cancelled by one of those before it
                continue
            if isinstance(outcome, Failure):
                waiter.errback(outcome)
            else:
                waiter.callback(outcome)
