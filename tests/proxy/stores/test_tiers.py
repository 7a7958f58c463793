"""The memory in front and a store behind it: what is found where, how old it is, and what a fault costs."""

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks, age_of
from netlab.proxy.stores.base import StoreBusy, StoreError, StoreRefused
from netlab.proxy.stores.memory import Bounds, MemoryStore
from netlab.proxy.stores.packing import digest_of
from netlab.proxy.stores.tiers import Tiers
from tests.proxy.stores.cases import BEGIN, entry
from tests.proxy.stores.redis_server import free_port
from tests.proxy.stores.test_redis import RedisTestCase


class Scripted:
    """A store whose every Deferred the test fires: ``asked`` has what was asked for and the Deferred, in order."""

    url = "scripted:"

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deferred[Any]]] = []
        self.condition = "working"

    def __getattr__(self, name: str) -> Any:
        def ask(*_: object) -> Deferred[Any]:
            self.asked.append((name, Deferred()))
            return self.asked[-1][1]

        return ask

    def state(self) -> str:
        return self.condition

    def facts(self) -> dict[str, int]:
        return {"malformed": 3}


class TiersTestCase(SynchronousTestCase):
    """Two tiers, and clocks that the test turns: ``reactor`` the one that cannot jump, ``wall`` the other."""

    def setUp(self) -> None:
        """Nothing is stored."""
        self.reactor = Clock()
        self.reactor.advance(1_000.0)
        self.wall = float(BEGIN)
        self.second = Scripted()
        self.memory = MemoryStore(Bounds())
        self.tiers = Tiers(self.memory, self.second, self.clocks, self.reactor)
        self.events: list[str] = []
        self.tiers.log = Logger(observer=lambda event: self.events.append(formatEvent(event)))

    def clocks(self) -> Clocks:
        """Now."""
        return Clocks(self.wall, self.reactor.seconds())

    def answer(self, outcome: object, name: str = "get") -> None:
        """Answer the oldest question that is open, which is ``name``."""
        asked, deferred = self.second.asked.pop(0)
        self.assertEqual(asked, name)
        if isinstance(outcome, Exception):
            deferred.errback(outcome)
        else:
            deferred.callback(outcome)


class LookingTests(TiersTestCase):
    """`get` and `get_newer`."""

    def test_in_memory(self) -> None:
        """What is in memory is there at once, and the second tier is not asked."""
        self.memory.put(b"key", entry(stored_at=1.0))
        self.assertEqual(self.tiers.get(b"key"), entry(stored_at=1.0))
        self.assertEqual(self.second.asked, [])

    def test_behind(self) -> None:
        """What is found behind goes to the memory, and is at once there the next time."""
        looking = self.tiers.get(b"key")
        self.answer(entry())
        found = self.successResultOf(looking)
        self.assertEqual(self.tiers.get(b"key"), found)
        self.assertEqual(self.tiers.facts()["second hits"], 1)

    def test_its_age_is_true(self) -> None:
        """An answer of another process counts from the moment it was made, whatever the wall clock does later."""
        self.wall = BEGIN + 40.0
        looking = self.tiers.get(b"key")
        self.answer(entry())
        found = self.successResultOf(looking)
        self.assertEqual(found.stored_at, self.reactor.seconds() - 40.0)
        self.wall = BEGIN - 10_000.0
        self.reactor.advance(5.0)
        self.assertEqual(age_of(found, self.clocks()), 45.0)

    def test_from_the_future(self) -> None:
        """An answer from a machine whose clock is ahead has age 0, and ages from now on."""
        self.wall = BEGIN - 500.0
        looking = self.tiers.get(b"key")
        self.answer(entry())
        found = self.successResultOf(looking)
        self.assertEqual(found.stored_at, self.reactor.seconds())
        self.reactor.advance(7.0)
        self.assertEqual(age_of(found, self.clocks()), 7.0)

    def test_nowhere(self) -> None:
        """Not found is not found."""
        looking = self.tiers.get(b"key")
        self.answer(None)
        self.assertIsNone(self.successResultOf(looking))
        self.assertEqual(self.tiers.facts()["second misses"], 1)

    def test_newer_behind(self) -> None:
        """Another proxy's newer answer takes the place of the one in memory; an older one does not."""
        self.memory.put(b"key", entry("old", BEGIN - 100, stored_at=self.reactor.seconds() - 100))
        looking = self.tiers.get_newer(b"key")
        self.answer(entry("new", BEGIN - 10))
        self.assertEqual(self.successResultOf(looking).packet, entry("new", BEGIN - 10).packet)
        looking = self.tiers.get_newer(b"key")
        self.answer(entry("older", BEGIN - 200))
        self.assertEqual(self.successResultOf(looking).packet, entry("new", BEGIN - 10).packet)

    def test_the_same_behind(self) -> None:
        """The same answer behind does not make the one in memory younger: that one knows how long it has been here."""
        held = entry(stored_at=self.reactor.seconds() - 300.0)
        self.memory.put(b"key", held)
        looking = self.tiers.get_newer(b"key")
        self.answer(entry(stored_at=None))
        self.assertEqual(self.successResultOf(looking), held)

    def test_one_look_for_all(self) -> None:
        """Many who look for one key at the same time look once."""
        looking = [self.tiers.get(b"key") for _ in range(20)]
        self.assertEqual(len(self.second.asked), 1)
        self.answer(entry())
        self.assertEqual(len({id(self.successResultOf(each)) for each in looking}), 1)

    def test_late(self) -> None:
        """Nobody waits longer than the patience; what comes later is of use to the next who asks."""
        looking = self.tiers.get(b"key")
        self.reactor.advance(0.5)
        self.assertIsNone(self.successResultOf(looking))
        self.answer(entry())
        self.assertIsNotNone(self.tiers.get(b"key"))
        self.assertEqual(self.tiers.facts()["second late"], 1)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_at_once(self) -> None:
        """A second tier that has its answer ready costs no Deferred."""
        for outcome, found in ((succeed(None), None), (fail(StoreError("off")), None)):
            self.second.get = lambda _, outcome=outcome: outcome
            self.assertEqual(self.tiers.get(b"key"), found)
        self.second.get = lambda _: succeed(entry())
        self.assertEqual(self.tiers.get(b"key").packet, entry().packet)

    def test_stored_meanwhile(self) -> None:
        """What was stored while it was looked for is newer than what is found."""
        looking = self.tiers.get(b"key")
        self.wall += 10
        self.tiers.put(b"key", entry("new", BEGIN + 10, stored_at=self.reactor.seconds()), 60.0)
        self.answer(entry("old"))
        self.assertEqual(self.successResultOf(looking).packet, entry("new", BEGIN + 10).packet)

    def test_removed_meanwhile(self) -> None:
        """What was removed while it was looked for stays removed."""
        for remove in (lambda: self.tiers.remove(b"key"), self.tiers.clear):
            looking = self.tiers.get(b"key")
            remove()
            self.answer(entry())
            self.assertIsNone(self.successResultOf(looking))
            self.assertIsNone(self.memory.get(b"key"))
            self.second.asked.clear()


class FaultTests(TiersTestCase):
    """The second tier fails."""

    def test_looking(self) -> None:
        """A failed look is a miss; the first of a row is logged, and the end of the row."""
        for _ in range(3):
            looking = self.tiers.get(b"key")
            self.answer(StoreError("no answer"))
            self.assertIsNone(self.successResultOf(looking))
        looking = self.tiers.get(b"key")
        self.answer(None)
        self.assertEqual(
            self.events,
            [
                "scripted: does not work, reading is off and serving goes on without: no answer",
                "scripted: works again: reading is on",
            ],
        )
        self.assertEqual(self.tiers.facts()["second reading failed"], 3)

    def test_stale_is_better_than_nothing(self) -> None:
        """What memory holds is given when nothing newer can be had."""
        self.memory.put(b"key", entry(stored_at=0.0))
        looking = self.tiers.get_newer(b"key")
        self.answer(StoreError("no answer"))
        self.assertIs(self.successResultOf(looking), self.memory.get(b"key"))

    def test_storing(self) -> None:
        """A failed put leaves the answer in memory, and is logged once: when it begins and when it ends."""
        for outcome in (StoreError("disk full"), StoreError("disk full"), None, None):
            self.tiers.put(b"key", entry(stored_at=1.0), 60.0)
            self.answer(outcome, "put")
        self.assertIsNotNone(self.tiers.get(b"key"))
        self.assertEqual(
            self.events,
            [
                "scripted: does not work, storing is off and serving goes on without: disk full",
                "scripted: works again: storing is on",
            ],
        )

    def test_stored_or_not(self) -> None:
        """Stored is what memory took, or what a second tier did not turn away at once."""
        self.assertTrue(self.tiers.put(b"key", entry(), 60.0))
        small = Tiers(MemoryStore(Bounds(max_entries=0)), None, self.clocks, self.reactor)
        self.assertFalse(small.put(b"key", entry(), 60.0))
        behind = Tiers(small.memory, self.second, self.clocks, self.reactor)
        self.assertTrue(behind.put(b"key", entry(), 60.0))
        for outcome, stored in ((lambda: fail(StoreBusy("too much waits")), False), (lambda: succeed(None), True)):
            self.second.put = lambda *_, outcome=outcome: outcome()
            self.assertEqual(behind.put(b"key", entry(), 60.0), stored)

    def test_permits(self) -> None:
        """Removing a key ends the right to store it, clearing every right; new ones hold again."""
        one, other = self.tiers.permit(b"one"), self.tiers.permit(b"other")
        self.tiers.remove(b"one")
        self.assertEqual((one.valid, other.valid), (False, True))
        again = self.tiers.permit(b"one")
        self.assertTrue(again.valid)
        self.tiers.clear()
        self.assertEqual((again.valid, other.valid), (False, False))

    def test_busy(self) -> None:
        """What is turned away for want of room in the queue is counted, and does not fill the log."""
        for _ in range(5):
            self.tiers.put(b"key", entry(), 60.0)
            self.answer(StoreBusy("too much waits"), "put")
            self.tiers.put(b"key", entry(), 60.0)
            self.answer(None, "put")
        self.assertEqual(self.events, [])
        self.assertEqual(self.tiers.facts()["second storing failed"], 5)

    def test_a_fault_of_ours(self) -> None:
        """An error that no store should give costs no answer either, and is logged with its traceback."""
        looking = self.tiers.get(b"key")
        self.answer(ZeroDivisionError("ours"))
        self.assertIsNone(self.successResultOf(looking))
        self.assertEqual(self.events, ["A store failed"])

    def test_purging_says_so(self) -> None:
        """Whoever removes is told when the answer may still be there; this proxy's memory is rid of it."""
        self.memory.put(b"key", entry())
        removing = self.tiers.remove(b"key")
        self.answer(StoreError("gone"), "remove")
        self.failureResultOf(removing, StoreError)
        self.assertEqual(len(self.memory), 0)

    def test_keys(self) -> None:
        """What the second tier cannot say is left out of the list."""
        self.memory.put(b"here", entry())
        for listing, name in ((self.tiers.keys(5), "keys"), (self.tiers.find("", 5), "find")):
            self.reactor.advance(0)
            self.answer(StoreError("gone"), name)
            self.assertEqual(self.successResultOf(listing), [b"here"])


class WholeTests(TiersTestCase):
    """The rest of what `Tiers` does."""

    def test_start(self) -> None:
        """Starting is the second tier's, and its refusal comes through."""
        starting = self.tiers.start()
        self.answer(None, "start")
        self.successResultOf(starting)
        self.assertEqual(self.events, [])
        starting = self.tiers.start()
        self.answer(StoreRefused("x is no SQLite file"), "start")
        self.failureResultOf(starting, StoreRefused)

    def test_starts_without(self) -> None:
        """A second tier that is of no use yet is told of once, and again when it works."""
        self.second.condition = "Redis: refused"
        starting = self.tiers.start()
        self.answer(None, "start")
        self.successResultOf(starting)
        self.assertEqual(self.tiers.state(), "Redis: refused")
        self.tiers.get(b"key")
        self.answer(StoreError("Redis: refused"))
        self.tiers.get(b"key")
        self.answer(None)
        self.assertEqual(
            self.events,
            [
                "scripted: is of no use yet, serving goes on without it: Redis: refused",
                "scripted: works again: reading is on",
            ],
        )

    def test_keys_of_both(self) -> None:
        """Keys of both tiers are listed once each, those in memory first, no more than asked for."""
        for key in (b"one", b"two"):
            self.memory.put(key, entry())
        self.assertEqual(self.successResultOf(self.tiers.keys(2)), [b"one", b"two"])
        listing = self.tiers.keys(3)
        self.answer([b"two", b"three", b"four"], "keys")
        self.assertEqual(self.successResultOf(listing), [b"one", b"two", b"three"])

    def test_find_in_turns(self) -> None:
        """A key is found by its name among many, without one long turn of the reactor."""
        for number in range(1_200):
            self.memory.put(b"%d" % number, entry())
        turns: list[object] = []
        later = self.reactor.callLater
        self.patch(self.reactor, "callLater", lambda *call: turns.append(call) or later(*call))
        finding = self.tiers.find(digest_of(b"1100").hex()[:12], 1)
        self.assertNoResult(finding)
        self.reactor.advance(0)
        self.assertEqual(self.successResultOf(finding), [b"1100"])
        self.assertEqual(len(turns), 3)

    def test_counts_of_clearing(self) -> None:
        """Most of what is in memory is behind it, too: the larger of the two counts is told."""
        self.memory.put(b"one", entry())
        clearing = self.tiers.clear()
        self.answer(5, "clear")
        self.assertEqual(self.successResultOf(clearing), 5)

    def test_memory_alone(self) -> None:
        """Without a second tier everything is there at once, and nothing fails."""
        tiers = Tiers(MemoryStore(Bounds()), None, self.clocks, self.reactor)
        self.successResultOf(tiers.start())
        self.assertIsNone(tiers.get(b"key"))
        tiers.put(b"key", entry(), 60.0)
        self.assertEqual(tiers.get_newer(b"key"), entry())
        self.assertEqual(self.successResultOf(tiers.keys(5)), [b"key"])
        self.assertIs(self.successResultOf(tiers.remove(b"key")), True)
        self.assertEqual(self.successResultOf(tiers.clear()), 0)
        self.assertEqual(tiers.facts(), {"state": "working", "entries": 0, "bytes": 0, "evicted": 0})
        self.successResultOf(tiers.stop())

    def test_facts(self) -> None:
        """What is told about the second tier is told under its name."""
        facts = self.tiers.facts()
        self.assertEqual((facts["second"], facts["second malformed"]), ("scripted:", 3))


class SharedTests(RedisTestCase):
    """Two proxies, each with a memory of its own, over one Redis."""

    async def two_tiers(self) -> list[Tiers]:
        """Two of them."""
        both = [Tiers(MemoryStore(Bounds()), await self.opened(), self.reactor.clocks, self.reactor) for _ in range(2)]
        for tiers in both:
            tiers.log = Logger(observer=lambda _: None)
        return both

    async def stored(self, tiers: Tiers, key: bytes, what: Entry) -> None:
        """Store it, and wait until Redis has it."""
        tiers.put(key, what, 60.0)
        await tiers.second.get(b"what comes behind it")

    async def test_what_one_stored_the_other_serves(self) -> None:
        """The same bytes, as old as they are; the second time from the other's own memory."""
        one, two = await self.two_tiers()
        await self.stored(one, b"key", entry(stored_at=self.reactor.seconds()))
        self.reactor.advance(30.0)
        found = await two.get(b"key")
        self.assertEqual(found.packet, entry().packet)
        self.assertEqual(age_of(found, self.reactor.clocks()), 30.0)
        self.assertEqual(two.get(b"key"), found)

    async def test_a_newer_one(self) -> None:
        """What one fetched anew the other has, though it holds the old one."""
        one, two = await self.two_tiers()
        for tiers in (one, two):
            await self.stored(tiers, b"key", entry("old", stored_at=self.reactor.seconds()))
        self.reactor.advance(61.0)
        new = entry("new", BEGIN + 61, stored_at=self.reactor.seconds())
        await self.stored(one, b"key", new)
        self.assertEqual((await two.get_newer(b"key")).packet, new.packet)

    async def test_purged(self) -> None:
        """What is purged through one is gone from Redis; the other's memory is its own."""
        one, two = await self.two_tiers()
        await self.stored(one, b"key", entry())
        self.assertIs(await two.remove(b"key"), True)
        self.assertIsNone(await two.get(b"key"))
        self.assertIsNotNone(one.get(b"key"))

    async def test_redis_is_killed_and_comes_back(self) -> None:
        """Meanwhile each goes on from its own memory, at once; afterwards they share again."""
        one, two = await self.two_tiers()
        await self.stored(one, b"key", entry())
        self.server.kill()
        self.assertIsNotNone(one.get(b"key"))
        self.assertIsNone(await two.get(b"key"))
        self.assertIsNone(two.get(b"key"))
        self.assertIn("it closed the connection", two.state())
        two.put(b"other", entry(), 60.0)
        self.assertIsNotNone(two.get(b"other"))
        self.server.restart()
        self.reactor.advance(1.0)
        await self.stored(one, b"key", entry())
        self.assertEqual((await two.get(b"key")).packet, entry().packet)
        self.assertEqual((one.state(), two.state()), ("working", "working"))

    async def test_a_slow_redis_delays_one(self) -> None:
        """Redis stops answering: the one who asks waits a quarter of a second, and nobody after that."""
        one, _ = await self.two_tiers()
        self.server.pause()
        looking = one.get(b"key")
        self.reactor.advance(0.25)
        self.assertIsNone(await looking)
        self.assertIsNone(one.get(b"key"))

    async def test_a_server_that_is_none(self) -> None:
        """Without Redis the two start and serve all the same."""
        self.server.kill()
        self.server.port = free_port()
        one, _ = await self.two_tiers()
        await one.start()
        one.put(b"key", entry(), 60.0)
        self.assertIsNotNone(one.get(b"key"))
