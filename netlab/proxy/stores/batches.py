"""Work for a `Table`, in one thread: what comes while it is busy, or in one turn, becomes one transaction."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from attrs import define
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from netlab.proxy.stores.base import StoreBusy, StoreError
from netlab.proxy.stores.sqlite_table import Table, Work
from netlab.proxy.stores.worker import Worker

T = TypeVar("T")

#: What a waiting piece of work weighs besides the key and the packet in it.
_OVERHEAD = 1_000

#: Pieces of work that are one transaction at most: a get that comes behind them waits no longer than that.
_MOST = 256


@define(eq=False)
class _Job:
    work: Work
    weight: int
    done: "Deferred[Any]"


class Batches:
    """Hands work to the thread, one batch at a time, in order; at most ``limit`` bytes of it may wait."""

    def __init__(self, call: Callable[[Callable[[], object]], object], limit: int) -> None:
        self._call = call
        self._limit = limit
        self._worker = Worker(call, "netlab-sqlite")
        self._waiting: deque[_Job] = deque()
        self._weight = 0
        #: The thread has something to do; while there is no table, that is to open it.
        self._busy = False
        self._closed: Deferred[None] | None = None
        #: What the work is done with, once it is open.
        self.table: Table | None = None

    def open(self, make: Callable[[], Table]) -> Deferred[None]:
        """Open the table in the thread; work may be submitted at once, and is done when it is open.

        Fails with what ``make`` raises, and so does the work; then this may be called again.
        """
        self._busy = True
        return self._worker.do(make).addCallbacks(self._opened, self._not_opened).addBoth(self._free)

    def has_room(self, size: int) -> bool:
        """Whether work with so many bytes in it may wait, too."""
        return self._weight + size + _OVERHEAD <= self._limit

    def submit(self, work: Work, size: int = 0) -> Deferred[Any]:
        """The result of ``work``, or a `StoreError`. A read that is cancelled while it waits is not done."""
        if self._closed is not None or (self.table is None and not self._busy):
            return fail(StoreError("it is not open"))
        if not self.has_room(size):
            return fail(StoreBusy("too much waits for the disk"))
        job = _Job(work, size + _OVERHEAD, Deferred())
        self._weight += job.weight
        self._waiting.append(job)
        if len(self._waiting) == 1 and not self._busy:
            self._call(self._go_on)  # in the next turn: what else comes in this one is the same transaction
        return job.done

    def close(self) -> Deferred[None]:
        """Do what waits, close the table, end the thread."""
        closed = self._closed = Deferred()
        self._go_on()
        return closed

    def _opened(self, table: Table) -> None:
        self.table = table

    def _not_opened(self, failure: Failure) -> Failure:
        self._busy = False
        batch = list(self._waiting)
        self._waiting.clear()
        self._settle(failure, batch, batch)
        return failure

    def _free(self, result: T) -> T:
        self._busy = False
        self._go_on()
        return result

    def _go_on(self) -> None:
        if self._busy:
            return
        table = self.table
        batch = [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]
        if batch and table is not None:
            self._busy = True
            wanted = [job for job in batch if job.work.writes or not job.done.called]
            done = self._worker.do(partial(table.perform, [job.work for job in wanted]))
            done.addBoth(self._deliver, batch, wanted)
        elif self._closed is not None:
            self._busy = True
            self._worker.do(_nothing if table is None else table.close).addBoth(self._end)

    def _deliver(self, results: list[Any] | Failure, batch: list[_Job], wanted: list[_Job]) -> None:
        self._settle(results, batch, wanted)
        self._free(None)

    def _settle(self, results: list[Any] | Failure, batch: list[_Job], wanted: list[_Job]) -> None:
        """Hand the results to who waits for them; one failure is everybody's."""
        self._weight -= sum(job.weight for job in batch)
        if isinstance(results, Failure):
            results = [results.value] * len(wanted)
        for job, result in zip(wanted, results, strict=True):
            if isinstance(result, Exception):
                job.done.errback(Failure(StoreError(str(result))))
            else:
                job.done.callback(result)

    def _end(self, _: object) -> None:
        self.table = None
        self._worker.stop()
        if self._closed is not None:
            self._closed.callback(None)


def _nothing() -> None:
    """There is no table to close."""
