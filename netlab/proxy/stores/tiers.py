"""The memory in front, and a store behind it that survives this process or is shared with others, if there is one."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks
from netlab.proxy.singleflight import SingleFlight
from netlab.proxy.stores.base import Store, StoreBusy, StoreError
from netlab.proxy.stores.memory import MemoryStore
from netlab.proxy.stores.packing import digest_of
from netlab.proxy.stores.permits import Permit, Permits
from netlab.proxy.stores.promotion import newer

#: Keys in memory that are looked through in one turn of the reactor.
_A_TURN = 500


class Tiers:
    """Answers in memory and, if there is a ``second`` tier, in that as well.

    Getting and putting never fail: what the second tier cannot do is a miss, is counted, and is logged when it begins
    and when it ends. ``patience`` is how many seconds a look into it may take; what comes later is of use to the next
    who asks.
    """

    log = Logger(namespace="netlab.proxy")

    def __init__(
        self,
        memory: MemoryStore,
        second: Store | None,
        clocks: Callable[[], Clocks],
        clock: IReactorTime,
        patience: float = 0.5,
    ) -> None:
        self.memory = memory
        self.second = second
        self._clocks = clocks
        self._clock = clock
        self._patience = patience
        self._looks: SingleFlight[bytes, Entry | None] = SingleFlight()
        self._purges = 0
        self._permits = Permits()
        #: What is off at the moment: reading, storing.
        self._off: set[str] = set()
        #: What became of the work of the second tier: ``hits``, ``misses``, ``late``, ``reading failed``,
        #: ``storing failed``.
        self.counts: Counter[str] = Counter()

    def start(self) -> Deferred[None]:
        """Get ready; fails with `StoreRefused` when the second tier can never be, and with nothing else."""
        return succeed(None) if self.second is None else self.second.start().addCallback(self._started)

    def get(self, key: bytes) -> Entry | Deferred[Entry | None] | None:
        """The entry for ``key``: at once if it is in memory or there is no second tier to look into.

        What is in memory may be stale while another proxy has stored a fresh one in the second tier: see `get_newer`.
        """
        entry = self.memory.get(key)
        if entry is not None or self.second is None:
            return entry
        return self._look(key)

    def get_newer(self, key: bytes) -> Entry | Deferred[Entry | None] | None:
        """The newest entry for ``key`` in either tier, for when what `get` gave does not serve."""
        return self.memory.get(key) if self.second is None else self._look(key)

    def permit(self, key: bytes) -> Permit:
        """The right to store what is now being asked for, which `remove` and `clear` end."""
        return self._permits.give(key)

    def put(self, key: bytes, entry: Entry, keep: float) -> bool:
        """Store an entry, in the second tier in the background; of use for ``keep`` seconds at most.

        Gives whether it is in memory, or on its way to a second tier that has not turned it away.
        """
        here = self.memory.put(key, entry)
        if self.second is None:
            return here
        storing = self.second.put(key, entry, keep)
        storing.addCallbacks(partial(self._well, "storing"), partial(self._failed, "storing"))
        return here or getattr(storing, "result", None) is not False

    def remove(self, key: bytes) -> Deferred[bool]:
        """Remove the entry for ``key`` from both; fails with a `StoreError` when it may still be in the second."""
        self._purges += 1
        self._permits.end(key)
        here = self.memory.remove(key)
        if self.second is None:
            return succeed(here)
        return self.second.remove(key).addCallback(lambda there: here or there)

    def clear(self) -> Deferred[int]:
        """Remove all from both; how many answers there were. Fails with a `StoreError` as `remove` does."""
        self._purges += 1
        self._permits.end()
        here = self.memory.clear()
        if self.second is None:
            return succeed(here)
        return self.second.clear().addCallback(lambda there: max(here, there))

    def keys(self, limit: int) -> Deferred[list[bytes]]:
        """Some keys, ``limit`` at most, those in memory first; what the second tier cannot say is left out."""
        here = [key for key, _ in islice(self.memory, limit)]
        if self.second is None or len(here) >= limit:
            return succeed(here)
        more = self.second.keys(limit).addErrback(self._no_keys)
        return more.addCallback(lambda there: list(dict.fromkeys([*here, *there]))[:limit])

    def find(self, name: str, limit: int) -> Deferred[list[bytes]]:
        """The keys whose SHA-256 in hexadecimal begins with ``name``, ``limit`` at most.

        They are stored in either tier, or somebody holds a permit for them.

        :raises StoreError: none is here, and the second tier cannot be asked.
        """
        return Deferred.fromCoroutine(self._find(name, limit))

    def state(self) -> str:
        """``working``, or what is wrong with the second tier."""
        return "working" if self.second is None else self.second.state()

    def facts(self) -> dict[str, Any]:
        """What to tell a person: about the memory, and about the second tier, if there is one."""
        memory, second = self.memory, self.second
        facts = {"state": self.state(), "entries": len(memory), "bytes": memory.size, "evicted": memory.evicted}
        if second is None:
            return facts
        counts = {**self.counts, **second.facts()}
        return {**facts, "second": second.url, **{f"second {name}": count for name, count in counts.items()}}

    def stop(self) -> Deferred[None]:
        """Let go of the second tier, when it has finished what was begun."""
        return succeed(None) if self.second is None else self.second.stop()

    def _look(self, key: bytes) -> Entry | Deferred[Entry | None] | None:
        looking, _ = self._looks.join(key, partial(self._load, key))
        if looking.called:
            at_once: list[Entry | None] = []
            looking.addCallback(at_once.append)
            return at_once[0]
        return looking.addTimeout(self._patience, self._clock, lambda *_: self._late(key))

    def _load(self, key: bytes) -> Deferred[Entry | None]:
        assert self.second is not None
        loading = self.second.get(key)
        return loading.addCallbacks(partial(self._found, key, self._purges), partial(self._not_found, key))

    def _found(self, key: bytes, purges: int, found: Entry | None) -> Entry | None:
        """Go on with the newer answer; one that was removed while it was on its way stays removed."""
        self._well("reading")
        self.counts["misses" if found is None else "hits"] += 1
        held = self.memory.get(key)
        if purges != self._purges:
            return held
        entry = newer(held, found, self._clocks())
        if entry is not None and entry is not held:
            self.memory.put(key, entry)
        return entry

    def _not_found(self, key: bytes, failure: Failure) -> Entry | None:
        self._failed("reading", failure)
        return self.memory.get(key)

    def _late(self, key: bytes) -> Entry | None:
        self.counts["late"] += 1
        return self.memory.get(key)

    async def _find(self, name: str, limit: int) -> list[bytes]:
        """Look through the memory a little in each turn: keys can be many, and long."""
        keys = [*(key for key, _ in self.memory), *self._permits.keys()]
        found: dict[bytes, None] = {}
        for start in range(0, len(keys), _A_TURN):
            some = keys[start : start + _A_TURN]
            found |= dict.fromkeys(key for key in some if digest_of(key).hex().startswith(name))
            await deferLater(self._clock, 0)
        if self.second is not None and len(found) < limit:
            try:
                found |= dict.fromkeys(await self.second.find(name, limit))
            except StoreError:
                if not found:
                    raise
        return list(found)[:limit]

    def _no_keys(self, failure: Failure) -> list[bytes]:
        failure.trap(StoreError)
        return []

    def _started(self, _: None) -> None:
        state = self.state()
        if state != "working":
            self._off |= {"reading", "storing"}
            self.log.warn("{url} is of no use yet, serving goes on without it: {state}", url=self._url, state=state)

    def _well(self, what: str, _: object = None) -> bool:
        if what in self._off:
            self._off.discard(what)
            self.log.info("{url} works again: {what} is on", url=self._url, what=what)
        return True

    def _failed(self, what: str, failure: Failure) -> bool:
        """Count it; log it if it is the first of a row."""
        self.counts[f"{what} failed"] += 1
        if not failure.check(StoreError):
            self.log.failure("A store failed", failure)
        elif what not in self._off and not failure.check(StoreBusy):
            self._off.add(what)
            reason = failure.getErrorMessage()
            text = "{url} does not work, {what} is off and serving goes on without: {reason}"
            self.log.warn(text, url=self._url, what=what, reason=reason)
        return False

    @property
    def _url(self) -> str:
        return "memory:" if self.second is None else self.second.url
