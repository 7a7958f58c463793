"""What every store of answers can do, whatever keeps them."""

from typing import Protocol

from twisted.internet.defer import Deferred

from netlab.common.errors import NetlabError
from netlab.proxy.entry import Entry


class StoreError(NetlabError):
    """A store cannot do its work; serving goes on without it."""


class StoreRefused(StoreError):
    """A store cannot be used at all: it is damaged, of another program, or its URL is none. Nothing was changed."""


class StoreBusy(StoreError):
    """As much waits for the store as may, and this was turned away; nothing is wrong but that it is slow."""


class Store(Protocol):
    """Entries by key.

    Every Deferred fires in bounded time, with a result or with a `StoreError`; no other error comes out of a store.
    ``keep`` is how many seconds an entry may be of use at most, `math.inf` for no limit; the store may forget it
    afterwards, or before. What `get` gives has ``stored_at`` `None` when another run or process stored it.
    """

    #: The URL it was made from.
    url: str

    def start(self) -> Deferred[None]:
        """Get ready; fails with `StoreRefused` when it can never be, and with nothing else.

        What is only wrong for now (no server, no room) is no failure: `state` tells it, and the store comes back.
        """

    def get(self, key: bytes) -> Deferred[Entry | None]:
        """The entry for ``key``, or `None`."""

    def put(self, key: bytes, entry: Entry, keep: float) -> Deferred[None]:
        """Store an entry in the place of any other for ``key``."""

    def remove(self, key: bytes) -> Deferred[bool]:
        """Remove the entry for ``key``; whether there was one."""

    def clear(self) -> Deferred[int]:
        """Remove all entries; how many there were."""

    def keys(self, limit: int) -> Deferred[list[bytes]]:
        """Some keys, ``limit`` at most, in no order that means anything."""

    def find(self, name: str, limit: int) -> Deferred[list[bytes]]:
        """The keys whose SHA-256 in hexadecimal begins with ``name``, ``limit`` at most."""

    def state(self) -> str:
        """How it is, in a few words for a person: ``working``, or what is wrong."""

    def facts(self) -> dict[str, int]:
        """What was counted since it started: ``malformed``, ``dropped`` and the like."""

    def stop(self) -> Deferred[None]:
        """Finish what was begun and let go of everything."""
