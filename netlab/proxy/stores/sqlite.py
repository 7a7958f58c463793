"""Answers in a SQLite file, which survives restarts and kill -9 (https://www.sqlite.org/wal.html)."""

from collections.abc import Callable
from functools import partial
from os import urandom
from typing import Any, TypeVar

from attrs import field, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from netlab.proxy.backoff import Backoff
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks
from netlab.proxy.stores.base import StoreBusy, StoreError, StoreRefused
from netlab.proxy.stores.batches import Batches
from netlab.proxy.stores.breaker import Breaker
from netlab.proxy.stores.deadline import within
from netlab.proxy.stores.packing import RUN_LENGTH, digests_from
from netlab.proxy.stores.sqlite_file import open_file
from netlab.proxy.stores.sqlite_table import PAGE, STEP, SqliteBounds, Table, Work

T = TypeVar("T")

#: Seconds that may go by before a large file is read through, or cleared.
_PATIENCE = 120.0

#: The state in which work is taken that waits until the file is open.
_OPENING = "it is still being opened"
_AT_WORK = (None, _OPENING)

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
    is full, or slow) storing is off: they all fail at once until it is tried again, while reads go on; and so with
    reading. A put that took too long may be stored later all the same.
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
        self._reading = Breaker(_RETRY, lambda: 0.0)
        self._problem: str | None = "not started"
        self._later: IDelayedCall | None = None
        self._dropped = 0
        self._inspected = False

    def inspect(self) -> None:
        """Find out now, blocking, what `start` would find out; it does not read the file through again then.

        :raises StoreError: as `start` fails; a `StoreRefused` for good, another for now.
        """
        open_file(self._path).close()
        self._inspected = True

    def start(self) -> Deferred[None]:
        """Open the file, or make it; fails with `StoreRefused` when it is damaged or not ours, and changes nothing.

        When it cannot be opened for now (no room, locked, slow) it is tried again, and this does not fail.
        """
        started: Deferred[None] = Deferred()
        self._problem = _OPENING
        self._open().addBoth(_tell, started)
        return started.addTimeout(_PATIENCE, self._reactor, lambda *_: None)

    def get(self, key: bytes) -> Deferred[Entry | None]:
        """The entry for ``key`` unless it has expired."""
        now = self._clocks().wall
        return self._guarded(self._reading, Work(lambda table: table.get(key, now), False))

    def put(self, key: bytes, entry: Entry, keep: float) -> Deferred[None]:
        """Store an entry; once this fires it is committed, and kill -9 does not undo it."""
        expires = self._clocks().wall + keep
        work = Work(lambda table: table.put(key, entry, expires), True)
        return self._guarded(self._storing, work, len(key) + len(entry.packet))

    def remove(self, key: bytes) -> Deferred[bool]:
        """Remove the entry for ``key``; this is tried while storing is off, too."""
        return self._do(Work(lambda table: table.remove(key), True))

    def clear(self) -> Deferred[int]:
        """Remove all, in one piece of work: of a large file others wait a second or two, for what is gone anyway."""
        return self._do(Work(Table.clear, True), seconds=_PATIENCE)

    def keys(self, limit: int) -> Deferred[list[bytes]]:
        """Some keys."""
        return self.find("", limit)

    def find(self, name: str, limit: int) -> Deferred[list[bytes]]:
        """The keys whose digest begins so, a few rows at a time."""
        return self._within(Deferred.fromCoroutine(self._find(name, limit)), _PATIENCE)

    def state(self) -> str:
        """``working``, or what is wrong."""
        if self._problem is not None:
            return self._problem
        for what, breaker in (("reading", self._reading), ("storing", self._storing)):
            if breaker.problem is not None:
                return f"{what} is off: {breaker.state(self._reactor.seconds())}"
        return "working"

    def facts(self) -> dict[str, int]:
        """Rows that were not what this program writes, rows that had to go for others, work that was turned away."""
        table = self._batches.table
        malformed, evicted = (0, 0) if table is None else (table.malformed, table.evicted)
        return {"malformed": malformed, "evicted": evicted, "dropped": self._dropped}

    def stop(self) -> Deferred[None]:
        """Finish what waits, and close the file; a disk that hangs is waited for no longer than five time-outs."""
        if self._problem in {"not started", "stopped"}:
            return succeed(None)
        self._problem = "stopped"
        if self._later is not None:
            self._later.cancel()
            self._later = None
        return self._within(self._batches.close(), 5 * self._limits.timeout).addErrback(lambda _: None)

    def _open(self) -> Deferred[None]:
        self._later = None
        make = partial(Table, self._path, self._limits.bounds, urandom(RUN_LENGTH), check=not self._inspected)
        self._inspected = False
        return self._batches.open(make).addCallbacks(self._opened, self._not_opened)

    def _opened(self, _: object) -> None:
        if self._problem != "stopped":
            self._problem = None
            self._reading.succeeded()
            self._storing.succeeded()
            self._sweep_in(_SWEEP_STEP)

    def _not_opened(self, failure: Failure) -> Failure | None:
        if self._problem == "stopped":
            return None
        self._problem = failure.getErrorMessage()
        if failure.check(StoreRefused):
            return failure
        self._problem += f"; it is tried again every {_RETRY.first:g} s"
        self._later = self._reactor.callLater(_RETRY.first, self._open)
        return None

    def _guarded(self, breaker: Breaker, work: Work, size: int = 0) -> Deferred[Any]:
        """Do it unless ``breaker`` says that it would fail, and tell that how it went."""
        if self._problem in _AT_WORK and not breaker.allows(self._reactor.seconds()):
            return fail(StoreError(breaker.state(self._reactor.seconds())))
        return self._do(work, size).addCallbacks(self._well, self._not_well, (breaker,), errbackArgs=(breaker,))

    def _well(self, result: T, breaker: Breaker) -> T:
        breaker.succeeded()
        return result

    def _not_well(self, failure: Failure, breaker: Breaker) -> Failure:
        if failure.check(StoreBusy):
            self._dropped += 1
            breaker.abandoned()
        elif self._problem in _AT_WORK:
            breaker.failed(failure.getErrorMessage(), self._reactor.seconds())
        return failure

    def _do(self, work: Work, size: int = 0, seconds: float | None = None) -> Deferred[Any]:
        if self._problem not in _AT_WORK:
            return fail(StoreError(self._problem))
        return self._within(self._batches.submit(work, size), seconds or self._limits.timeout)

    def _within(self, deferred: Deferred[Any], seconds: float) -> Deferred[Any]:
        return within(seconds, self._reactor, deferred)

    async def _find(self, name: str, limit: int) -> list[bytes]:
        now = self._clocks().wall
        found: list[bytes] = []
        first, last = digests_from(name)
        while len(found) < limit:
            page = await self._do(Work(partial(Table.keys, first=first, last=last, now=now), False))
            found += [key for _, key in page if key is not None]
            if len(page) < PAGE:
                break
            first = page[-1][0] + b"\0"  # the next one in the order of bytes
        return found[:limit]

    def _sweep_in(self, seconds: float) -> None:
        self._later = self._reactor.callLater(seconds, self._look_for_expired)

    def _look_for_expired(self) -> None:
        self._later = None
        now = self._clocks().wall
        self._do(Work(lambda table: table.expire(now), True)).addBoth(self._looked)

    def _looked(self, count: int | Failure) -> None:
        if self._problem is None:
            self._sweep_in(_SWEEP_STEP if count == STEP else _SWEEP)


def _tell(outcome: Failure | None, started: Deferred[None]) -> None:
    """Say how starting went, unless it took so long that it was said before."""
    if started.called:
        return
    if isinstance(outcome, Failure):
        started.errback(outcome)
    else:
        started.callback(None)
