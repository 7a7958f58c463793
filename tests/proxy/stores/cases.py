"""What the tests of the stores share: entries, clocks that are turned by hand, turns of the real reactor."""

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase
from zope.interface import directlyProvides, providedBy

from netlab.calc.header import encode_packet
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks
from netlab.proxy.stores.base import StoreError

T = TypeVar("T")

#: When the tests begin, in unix seconds.
BEGIN = 1_700_000_000

#: What a turn of the real reactor waits for threads and sockets, at most: it is not what a test goes by.
_TURN = 0.001


class TurnedReactor(Clock):
    """The real reactor for sockets and threads, with a clock that only the test turns."""

    def __init__(self) -> None:
        super().__init__()
        directlyProvides(self, providedBy(real_reactor))
        #: What the wall clock is ahead of the other.
        self.ahead = float(BEGIN)

    def __getattr__(self, name: str) -> Any:
        return getattr(real_reactor, name)

    def clocks(self) -> Clocks:
        """Now."""
        return Clocks(self.seconds() + self.ahead, self.seconds())


def entry(text: str = "body", timestamp: int = BEGIN, max_age: int = 60, stored_at: float | None = None) -> Entry:
    """An answer whose body is ``text``."""
    packet = encode_packet(text.encode(), timestamp=timestamp, status=200, cache=True, max_age=max_age)
    return Entry.of(packet, stored_at)


async def until(condition: Callable[[], object]) -> None:
    """Turn the real reactor until ``condition`` holds; trial ends a test in which it never does."""
    while not condition():
        await deferLater(real_reactor, _TURN)


async def refused(test: TestCase, deferred: Deferred[Any]) -> str:
    """What the `StoreError` says that ``deferred`` must fail with."""
    return str(await test.assertFailure(deferred, StoreError))
