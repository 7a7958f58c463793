"""The memory does what every store does."""

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import TestCase

from netlab.proxy.entry import Entry
from netlab.proxy.stores.memory import Bounds, MemoryStore
from netlab.proxy.stores.packing import digest_of
from tests.proxy.stores.conformance import Conformance


class Deferring:
    """A `MemoryStore` in the manner of the others."""

    def __init__(self) -> None:
        self.memory = MemoryStore(Bounds())

    def get(self, key: bytes) -> Deferred[Entry | None]:
        return succeed(self.memory.get(key))

    def put(self, key: bytes, entry: Entry, keep: float) -> Deferred[None]:
        return succeed(self.memory.put(key, entry))

    def remove(self, key: bytes) -> Deferred[bool]:
        return succeed(self.memory.remove(key))

    def clear(self) -> Deferred[int]:
        return succeed(self.memory.clear())

    def keys(self, limit: int) -> Deferred[list[bytes]]:
        return succeed([key for key, _ in self.memory][:limit])

    def find(self, name: str, limit: int) -> Deferred[list[bytes]]:
        return succeed([key for key, _ in self.memory if digest_of(key).hex().startswith(name)][:limit])

    def state(self) -> str:
        return "working"

    def stop(self) -> Deferred[None]:
        return succeed(None)


class MemoryTests(Conformance, TestCase):
    """The suite, in memory."""

    async def store(self) -> Any:
        """Nothing to start."""
        return Deferring()
