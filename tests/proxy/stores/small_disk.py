"""A process that has a small disk at the folder it is given, fills it, and says how a SQLite store takes it."""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from netlab.proxy.stores.base import StoreError
from netlab.proxy.stores.sqlite import SqliteStore
from tests.proxy.stores.cases import TurnedReactor, entry, until

#: Seconds that pauses of the store are shorter than.
_LONG = 100.0


class Disk:
    """A folder on a disk of its own, which can be made full."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no byte."""
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while file.write(bytes(4_096)):
                pass

    def empty(self) -> None:
        """Give the room back."""
        self._filler.unlink()


async def try_out(folder: Path) -> None:
    """Begin on a full disk, fill it again later, and restart."""
    turned, disk = TurnedReactor(), Disk(folder)
    path = folder / "answers.sqlite"

    def new_store() -> SqliteStore:
        return SqliteStore(str(path), turned, turned.clocks)

    async def comes_back(is_back: Callable[[], bool]) -> None:
        turned.advance(_LONG)
        await until(is_back)

    disk.fill()
    store = new_store()
    await store.start()
    print("begins on a full disk:", "cannot be opened" if "cannot be used: " in store.state() else store.state())
    disk.empty()
    await comes_back(lambda: store.state() == "working")
    print("with room:", store.state())
    await store.put(b"first", entry("first"), 1e9)
    disk.fill()
    with suppress(StoreError):
        for number in range(1_000):
            await store.put(b"%d" % number, entry("x" * 900), 1e9)
    print("the disk is full:", store.state().partition(";")[0])
    print("what was stored is served:", (await store.get(b"first")) is not None)
    disk.empty()
    turned.advance(_LONG)
    await store.put(b"second", entry("second"), 1e9)
    print("with room again:", store.state())
    print("stored:", (await store.get(b"second")) is not None)
    await store.stop()
    store = new_store()
    await store.start()
    print("after a restart:", *[(await store.get(key)) is not None for key in (b"first", b"second")])
    await store.stop()


if __name__ == "__main__":
    react(lambda _: Deferred.fromCoroutine(try_out(Path(sys.argv[1]))), _reactor=reactor)
