"""Answers in a SQLite file, which survives restarts and kill -9 (https://www.sqlite.org/wal.html)."""

from collections.abc import Callable
from functools import partial
from os import urandom
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from netlab.proxy.backoff import Backoff
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks
from netlab.proxy.stores.base import StoreError
from netlab.proxy.stores.batches import Batches
from netlab.proxy.stores.breaker import Breaker
from netlab.proxy.stores.deadline import within
from netlab.proxy.stores.packing import RUN_LENGTH
from netlab.proxy.stores.sqlite_table import STEP, SqliteBounds, Table, Work

#: Seconds that may go by before a large file is read through, or cleared.
_PATIENCE = 120.0

#: Seconds between two looks for expired rows, and between two pieces of the same one.
_SWEEP = 60.0
_SWEEP_STEP = 0.25

#: A disk that is full is tried again after five seconds, then less and less often.
_RETRY = Backoff(first=5.0, longest=60.0, jitter=0.0)


@frozen
class SqliteLimits:
    """What a `SqliteStore` may take.

    ``bounds`` are the file's; ``timeout`` is in seconds, for one operation; ``waiting`` is how many bytes of work may
    wait for the disk before more is turned away.
    """

    bounds: SqliteBounds = field(factory=SqliteBounds)
    timeout: float = 1.0
    waiting: int = 16 << 20


class SqliteStore:
    """A store in the file ``path``; when it is full, what was stored first goes first.

    A thread of its own does all the work with the file. A put that is not stored fails. Once one has failed (the disk
    is full, or slow) storing is off: they all fail at once until it is tried again, while reads go on. A put that
    took too long may be stored later all the same.
    """

    def __init__(
        self, path: str, reactor: Any, clocks: Callable[[], Clocks], limits: SqliteLimits | None = None
    ) -> None:
        self.url = f"sqlite:{path}"
        self._path = path
        self._reactor = reactor
        self._clocks = clocks
        self._limits = limits or SqliteLimits()
        self._batches = Batches(reactor.callFromThread, self._limits.waiting)
        self._storing = Breaker(_RETRY, lambda: 0.0)
        self._problem: str | None = "not started"
        self._sweep: IDelayedCall | None = None
        #: Puts that were turned away because too much waited for the disk.
        self.dropped = 0

    def start(self) -> Deferred[None]:
        """Open the file, or make it; fails with `StoreRefused` when it is damaged or not ours, and changes nothing."""
        self._problem = "opening"
        make = partial(Table, self._path, self._limits.bounds, urandom(RUN_LENGTH))
        return self._within(self._batches.open(make), _PATIENCE).addCallbacks(self._opened, self._not_opened)

    def get(self, key: bytes) -> Deferred[Entry | None]:
        """The entry for ``key`` unless it has expired."""
        now = self._clocks().wall
        return self._do(Work(lambda table: table.get(key, now), False))

    def put(self, key: bytes, entry: Entry, keep: float) -> Deferred[None]:
        """Store an entry; once this fires it is committed, and kill -9 does not undo it."""
        size = len(key) + len(entry.packet)
        if not self._batches.has_room(size):
            self.dropped += 1
            return fail(StoreError("too much waits for the disk"))
        if self._problem is None and not self._storing.allows(self._reactor.seconds()):
            return fail(StoreError(self.state()))
        expires = self._clocks().wall + keep
        work = Work(lambda table: table.put(key, entry, expires), True)
        return self._do(work, size).addCallbacks(self._stored, self._not_stored)

    def remove(self, key: bytes) -> Deferred[bool]:
        """Remove the entry for ``key``; this is tried while storing is off, too."""
        return self._do(Work(lambda table: table.remove(key), True))

    def clear(self) -> Deferred[int]:
        """Remove what there is now, a little at a time; how much."""
        return self._within(Deferred.fromCoroutine(self._clear()), _PATIENCE)

    def keys(self, limit: int) -> Deferred[list[bytes]]:
        """The newest keys."""
        now = self._clocks().wall
        return self._do(Work(lambda table: table.keys(limit, now), False))

    def state(self) -> str:
        """``working``, or what is wrong."""
        if self._problem is not None:
            return self._problem
        if self._storing.problem is None:
            return "working"
        return f"storing is off: {self._storing.state(self._reactor.seconds())}"

    def stop(self) -> Deferred[None]:
        """Finish what waits, and close the file; a disk that hangs is waited for no longer than five time-outs."""
        if self._problem in {"not started", "stopped"}:
            return succeed(None)
        self._problem = "stopped"
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        return self._within(self._batches.close(), 5 * self._limits.timeout).addErrback(lambda _: None)

    @property
    def malformed(self) -> int:
        """Rows that were found not to be what this program wrote."""
        return 0 if self._batches.table is None else self._batches.table.malformed

    @property
    def evicted(self) -> int:
        """Rows that had to go for others."""
        return 0 if self._batches.table is None else self._batches.table.evicted

    def _do(self, work: Work, size: int = 0) -> Deferred[Any]:
        if self._problem is not None:
            return fail(StoreError(self._problem))
        return self._within(self._batches.submit(work, size), self._limits.timeout)

    def _within(self, deferred: Deferred[Any], seconds: float) -> Deferred[Any]:
        return within(seconds, self._reactor, deferred)

    def _opened(self, _: object) -> None:
        if self._problem == "opening":
            self._problem = None
            self._sweep_in(_SWEEP_STEP)

    def _not_opened(self, failure: Failure) -> Failure:
        self._problem = failure.getErrorMessage()
        return failure

    def _stored(self, _: object) -> None:
        self._storing.succeeded()

    def _not_stored(self, failure: Failure) -> Failure:
        if self._problem is None:
            self._storing.failed(failure.getErrorMessage(), self._reactor.seconds())
        return failure

    async def _clear(self) -> int:
        newest = await self._do(Work(Table.newest, False))
        total = 0
        while True:
            count: int = await self._do(Work(lambda table: table.clear(newest), True))
            total += count
            if count < STEP:
                return total

    def _sweep_in(self, seconds: float) -> None:
        self._sweep = self._reactor.callLater(seconds, self._look_for_expired)

    def _look_for_expired(self) -> None:
        self._sweep = None
        now = self._clocks().wall
        self._do(Work(lambda table: table.expire(now), True)).addBoth(self._looked)

    def _looked(self, count: int | Failure) -> None:
        if self._problem is None:
            self._sweep_in(_SWEEP_STEP if count == STEP else _SWEEP)
