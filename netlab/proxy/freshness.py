"""How old a stored answer is, and how long it may still serve (protocols.md §1 Proxy rules; RFC 9111 §4.2)."""

import math

from attrs import frozen

from netlab.calc.header import FOREVER
from netlab.proxy.entry import Entry


@frozen
class Clocks:
    """Now, on two clocks: ``wall`` in unix seconds, which may jump; ``monotonic`` in seconds, which cannot."""

    wall: float
    monotonic: float


@frozen
class Limits:
    """What the proxy's owner makes of the max-age that servers give, in seconds; `FOREVER` is no limit."""

    min_ttl: int = 0
    max_ttl: int = FOREVER

    def clamp(self, max_age: int) -> int:
        """The max-age that counts for an answer whose server gave ``max_age``; 0 is not a time but a ban, and stays."""
        if max_age > self.max_ttl:
            max_age = self.max_ttl
        return self.min_ttl if 0 < max_age < self.min_ttl else max_age


@frozen
class Freshness:
    """The sum that decides whether a stored answer may serve; all in seconds, `math.inf` for no limit.

    ``server_limit`` and ``client_limit`` are the two max-ages, ``age`` is subtracted from each.
    """

    age: float
    server_limit: float
    client_limit: float

    @property
    def server_remaining(self) -> float:
        """How long the server still lets it serve; 0 or less is stale."""
        return self.server_limit - self.age

    @property
    def client_remaining(self) -> float:
        """How long this client would still accept it; 0 or less is too old for it."""
        return self.client_limit - self.age

    @property
    def serves(self) -> bool:
        """Whether both sides let it serve."""
        return self.server_remaining > 0 and self.client_remaining > 0


def age_of(entry: Entry, now: Clocks) -> float:
    """Seconds since the answer was made.

    The wall clock says it by the answer's time stamp; but an answer is never younger than the time it has been here,
    which the monotonic clock says, and never younger than nothing.
    """
    resident = 0.0 if entry.stored_at is None else now.monotonic - entry.stored_at
    return max(0.0, now.wall - entry.timestamp, resident)


def freshness(entry: Entry, client_max_age: int, now: Clocks, limits: Limits) -> Freshness:
    """Do the sum for a stored answer and a request that accepts answers up to ``client_max_age`` seconds old."""
    return Freshness(age_of(entry, now), _seconds(limits.clamp(entry.max_age)), _seconds(client_max_age))


def serves(entry: Entry, client_max_age: int, wall: float, monotonic: float, limits: Limits) -> bool:
    """Whether `freshness` would say that it serves, without a sum that can be shown: for the many who never ask."""
    limit = min(limits.clamp(entry.max_age), client_max_age)
    resident = 0.0 if entry.stored_at is None else monotonic - entry.stored_at
    return limit == FOREVER or (limit > 0 and wall - entry.timestamp < limit and resident < limit)


def _seconds(max_age: int) -> float:
    return math.inf if max_age == FOREVER else float(max_age)
