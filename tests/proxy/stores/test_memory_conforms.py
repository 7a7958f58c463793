"""The memory does what every store does."""

from typing import Any

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import TestCase

from netlab.proxy.entry import Entry
from netlab.proxy.stores.memory import Bounds, MemoryStore
from netlab.proxy.stores.tiers import Tiers
from tests.proxy.stores.conformance import Conformance


class MemoryAlone(Tiers):
    """The tiers of ``memory:``, which answer at once, in the manner of a store that takes its time."""

    def get(self, key: bytes) -> Deferred[Entry | None]:
        return succeed(super().get(key))

    def put(self, key: bytes, entry: Entry, keep: float) -> Deferred[None]:
        super().put(key, entry, keep)
        return succeed(None)


class MemoryTests(Conformance, TestCase):
    """The suite, in memory."""

    async def store(self) -> Any:
        """Nothing is behind it."""
        store = MemoryAlone(MemoryStore(Bounds()), None, self.reactor.clocks, real_reactor)
        await store.start()
        return store
