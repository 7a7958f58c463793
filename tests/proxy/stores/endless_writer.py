"""A process that stores one answer after another in a SQLite file, and says so of each, until it is killed."""

import sys
import time

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from netlab.proxy.freshness import Clocks
from netlab.proxy.stores.sqlite import SqliteStore
from tests.proxy.stores.cases import entry

#: Answers that are under way together.
_TOGETHER = 7


async def write(path: str, number: int) -> None:
    """Store from ``number`` on."""
    store = SqliteStore(path, reactor, lambda: Clocks(time.time(), time.monotonic()))
    await store.start()
    while True:
        batch = range(number, number + _TOGETHER)
        storing = [store.put(b"%d" % each, entry(str(each) * 50), 1e9) for each in batch]
        for each, stored in zip(batch, storing, strict=True):
            await stored
            print(each, flush=True)
        number += _TOGETHER


if __name__ == "__main__":
    react(lambda _: Deferred.fromCoroutine(write(sys.argv[1], int(sys.argv[2]))))
