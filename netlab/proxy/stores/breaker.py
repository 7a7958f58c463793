"""When to leave something that fails alone, and when to try it again."""

from collections.abc import Callable

from netlab.proxy.backoff import Backoff


class Breaker:
    """Lets calls through while they succeed; after a failure, none until a pause is over, and then one to try.

    Pauses grow with each failure in a row, as ``backoff`` has them, ``chance()`` from 0 to 1 deciding the jitter.
    Who was let through by `allows` must say how it went, with `succeeded`, `failed` or `abandoned`. Times are in
    seconds of any one clock that does not jump.
    """

    __slots__ = ("_backoff", "_chance", "_failures", "_trying", "_until", "problem")

    def __init__(self, backoff: Backoff, chance: Callable[[], float]) -> None:
        self._backoff = backoff
        self._chance = chance
        self._failures = 0
        self._until = 0.0
        self._trying = False
        #: What is wrong, in a few words; `None` while nothing is.
        self.problem: str | None = None

    def allows(self, now: float) -> bool:
        """Whether a call may be made; after a pause, the first who asks is the one who tries."""
        if self.problem is None:
            return True
        if self._trying or now < self._until:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """A call went well: nothing is wrong any more."""
        self._failures = 0
        self._trying = False
        self.problem = None

    def failed(self, problem: str, now: float) -> None:
        """A call failed: pause. Those that were let through together fail together, and are one failure: the first."""
        if self.problem is None or self._trying or now >= self._until:
            self._failures += 1
            self._until = now + self._backoff.after(self._failures, self._chance())
            self.problem = problem
        self._trying = False

    def abandoned(self) -> None:
        """A call was given up before it was known how it goes: if it was to try, the next one does."""
        self._trying = False

    def state(self, now: float) -> str:
        """``working``, or what is wrong and when it is tried again."""
        if self.problem is None:
            return "working"
        left = self._until - now
        when = f"in {left:.1f} s" if left >= 0.05 else "with the next request"
        return f"{self.problem}; it is tried again {when}"
