"""Who is watched, and whose deadline has come: times go in, decisions come out (protocols.md §4)."""

from typing import Generic

from attrs import define, frozen

from netlab.common.deadlines import Deadlines, K

#: Seconds that someone gets whose bytes have arrived but were not read before the deadline. The turn of the reactor
#: that comes next reads them; it has begun by then, unless this process itself is kept from running.
REPRIEVE = 0.02


@frozen
class Life:
    """What is known of one client. Times are seconds of the clock that the caller uses.

    ``started`` is when it asked to be watched, `None` as long as it has not. ``last`` is the last sign of life: a
    message, or the connection itself before there was any. ``signs`` counts what came after the start.
    """

    connected: float
    started: float | None
    last: float
    signs: int


@frozen
class Expired(Generic[K]):
    """A deadline has come: ``life`` ended for us at ``deadline``.

    ``reprieved`` says that it was put off once already for bytes that had not been read.
    """

    key: K
    life: Life
    deadline: float
    reprieved: bool


@define
class _Life:
    connected: float
    last: float
    started: float | None = None
    signs: int = 0
    deadline: float = 0.0
    reprieved: bool = False

    def shown(self) -> Life:
        return Life(self.connected, self.started, self.last, self.signs)


class Liveness(Generic[K]):
    """The deadlines of all clients, each ``timeout`` seconds after its own last sign of life.

    Who has connected and not asked to be watched has a deadline as well: nobody may hold a connection for nothing.
    The clock must not run backwards; it is never read here.
    """

    def __init__(self, timeout: float) -> None:
        self._deadlines: Deadlines[K] = Deadlines(timeout)
        self._reprieves: Deadlines[K] = Deadlines(REPRIEVE)
        self._lives: dict[K, _Life] = {}

    @property
    def timeout(self) -> float:
        """Seconds from a sign of life to the deadline."""
        return self._deadlines.period

    def __contains__(self, key: K) -> bool:
        return key in self._lives

    def life(self, key: K) -> Life:
        """What is known of a client that is here."""
        return self._lives[key].shown()

    def connect(self, key: K, now: float) -> None:
        """A client is there."""
        self._lives[key] = _Life(now, now)
        self.excuse(key, now)

    def hear(self, key: K, messages: int, now: float) -> None:
        """``messages`` messages came, one or more. Whatever the first one is, it asks to be watched."""
        life = self._lives[key]
        if life.started is None:
            life.started = now
            messages -= 1
        life.signs += messages
        life.last = now
        self.excuse(key, now)

    def excuse(self, key: K, now: float) -> None:
        """Give a client who is here a whole time-out from now, though it said nothing."""
        life = self._lives[key]
        life.deadline = now + self.timeout
        life.reprieved = False
        self._reprieves.drop(key)
        self._deadlines.touch(key, now)

    def everyone(self) -> list[K]:
        """All clients who are here."""
        return [*self._lives]

    def drop(self, key: K) -> None:
        """A client is gone, if it was here."""
        self._lives.pop(key, None)
        self._deadlines.drop(key)
        self._reprieves.drop(key)

    def next(self) -> float | None:
        """When to call `expired` next; `None` when nobody is here."""
        times = [time for time in (self._deadlines.next(), self._reprieves.next()) if time is not None]
        return min(times, default=None)

    def expired(self, now: float) -> list[Expired[K]]:
        """Whose deadline has come, earliest first. They are forgotten, unless `reprieve` takes one back at once."""
        late = [self._expire(key) for key in (*self._reprieves.expired(now), *self._deadlines.expired(now))]
        return sorted(late, key=lambda expired: expired.deadline)

    def reprieve(self, expired: Expired[K], now: float) -> None:
        """Put off what was just found expired, once: its bytes are here, and must be read first."""
        life = expired.life
        self._lives[expired.key] = _Life(life.connected, life.last, life.started, life.signs, expired.deadline, True)
        self._reprieves.touch(expired.key, now)

    def _expire(self, key: K) -> Expired[K]:
        life = self._lives.pop(key)
        return Expired(key, life.shown(), life.deadline, life.reprieved)
