"""The store in a SQLite file, when all goes well."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from attrs import evolve
from twisted.trial.unittest import TestCase

from netlab.proxy.services import StoreService
from netlab.proxy.stores import sqlite_file
from netlab.proxy.stores.memory import Bounds, MemoryStore
from netlab.proxy.stores.sqlite import SqliteLimits, SqliteStore
from netlab.proxy.stores.sqlite_table import STEP, SqliteBounds, Table, Work
from netlab.proxy.stores.tiers import Tiers
from tests.parts import temporary_folder
from tests.proxy.stores.cases import BEGIN, TurnedReactor, entry, refused, until
from tests.proxy.stores.conformance import Conformance


class SqliteTestCase(TestCase):
    """A folder for the file, and a clock."""

    def setUp(self) -> None:
        """No file yet."""
        self.reactor = TurnedReactor()
        self.path = temporary_folder(self) / "answers.sqlite"

    async def opened(self, limits: SqliteLimits | None = None) -> SqliteStore:
        """A store that is started, and stopped at the end."""
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks, limits)
        await store.start()
        self.addCleanup(store.stop)
        return store

    def count(self) -> int:
        """How many rows another connection sees, which must be what the totals say at the same moment."""
        connection = sqlite3.connect(self.path)
        try:
            connection.execute("BEGIN")
            rows, size = connection.execute("SELECT count(*), ifnull(sum(size), 0) FROM entries").fetchone()
            self.assertEqual(connection.execute("SELECT * FROM totals").fetchall(), [(rows, size)])
        finally:
            connection.close()
        return rows


class SqliteConformanceTests(Conformance, SqliteTestCase):
    """The suite, in a file."""

    def setUp(self) -> None:
        """A folder for the file, and a clock."""
        SqliteTestCase.setUp(self)

    async def store(self) -> Any:
        """A new file."""
        return await self.opened()


class SqliteTests(SqliteTestCase):
    """What only this store does."""

    async def test_survives_a_restart(self) -> None:
        """The next run finds what was stored, and has it from another."""
        store = await self.opened()
        await store.put(b"key", entry(stored_at=5.0), 60.0)
        await store.stop()
        self.assertEqual(sorted(path.name for path in self.path.parent.iterdir()), ["answers.sqlite"])
        again = await self.opened()
        self.assertEqual(await again.get(b"key"), entry(stored_at=None))

    async def test_one_transaction_for_many(self) -> None:
        """What is stored in one turn is committed together: one that looks in between sees nothing or all of it."""
        store = await self.opened()
        watching = sqlite3.connect(self.path)
        self.addCleanup(watching.close)
        seen: list[int] = []

        def look(_: object) -> None:
            seen.append(watching.execute("SELECT count(*) FROM entries").fetchone()[0])

        for storing in [store.put(b"%d" % number, entry(), 60.0).addCallback(look) for number in range(100)]:
            await storing
        self.assertEqual(set(seen), {100})

    async def test_expires(self) -> None:
        """An entry is there until its time is over by the wall clock, and not longer."""
        store = await self.opened()
        await store.put(b"key", entry(), 60.0)
        self.reactor.ahead = BEGIN + 59.9
        self.assertIsNotNone(await store.get(b"key"))
        self.reactor.ahead = BEGIN + 60.1
        self.assertIsNone(await store.get(b"key"))
        self.assertEqual(await store.keys(10), [])

    async def test_expired_rows_go(self) -> None:
        """Expired rows are deleted in the background, a few at a time, and the others stay."""
        store = await self.opened()
        for storing in [store.put(b"%d" % number, entry(), 60.0) for number in range(STEP + 10)]:
            await storing
        await store.put(b"stays", entry(), 1e9)
        self.reactor.ahead += 100
        self.reactor.advance(0.5)
        await until(lambda: self.count() == 11)
        await store.get(b"stays")  # comes behind that piece of work
        self.reactor.advance(0.5)
        await until(lambda: self.count() == 1)
        self.assertIsNotNone(await store.get(b"stays"))

    async def test_bounded_by_number(self) -> None:
        """What was stored first goes first; storing again makes an entry the last."""
        store = await self.opened(SqliteLimits(SqliteBounds(max_entries=10)))
        for number in [*range(10), 0, 10, 11]:
            await store.put(b"%d" % number, entry(), 60.0)
        kept = [number for number in range(12) if await store.get(b"%d" % number)]
        self.assertEqual(kept, [0, *range(3, 12)])
        self.assertEqual((store.facts()["evicted"], self.count()), (2, 10))

    async def test_bounded_by_bytes(self) -> None:
        """The bytes of all entries stay within the bound, and what never fits is not kept."""
        store = await self.opened(SqliteLimits(SqliteBounds(max_bytes=10_000)))
        for number in range(50):
            await store.put(b"%d" % number, entry("x" * 900), 60.0)
        self.assertEqual(self.count(), 10)
        await store.put(b"long", entry("x" * 20_000), 60.0)
        self.assertEqual(self.count(), 0)

    async def test_bound_that_shrank(self) -> None:
        """A smaller bound in the next run is kept from the first put on, without one long piece of work."""
        store = await self.opened()
        for storing in [store.put(b"%d" % number, entry(), 60.0) for number in range(STEP + 100)]:
            await storing
        await store.stop()
        again = await self.opened(SqliteLimits(SqliteBounds(max_entries=5)))
        await again.put(b"one", entry(), 60.0)
        self.assertEqual(self.count(), 101)
        await again.put(b"two", entry(), 60.0)
        self.assertEqual(self.count(), 5)

    async def test_two_proxies(self) -> None:
        """Two stores may have one file: what one stored the other has, and both keep the totals right."""
        one, two = await self.opened(), await self.opened()
        await one.put(b"one", entry("one", stored_at=1.0), 60.0)
        await two.put(b"two", entry("two", stored_at=1.0), 60.0)
        self.assertEqual(await two.get(b"one"), entry("one"))
        self.assertEqual(await one.get(b"two"), entry("two"))
        self.assertEqual(await one.clear(), 2)
        self.assertEqual(self.count(), 0)

    async def test_cleared_at_once(self) -> None:
        """However many answers there are, clearing is one transaction; a proxy with the same file counts on."""
        one, two = await self.opened(), await self.opened()
        for storing in [one.put(b"%d" % number, entry(), 60.0) for number in range(3 * STEP)]:
            await storing
        transactions: list[int] = []
        perform = Table.perform

        def counted(table: Table, batch: Sequence[Work]) -> list[Any]:
            transactions.append(len(batch))
            return perform(table, batch)

        self.patch(Table, "perform", counted)
        self.assertEqual(await one.clear(), 3 * STEP)
        self.assertEqual(transactions, [1])
        await two.put(b"new", entry(), 60.0)
        self.assertIs(await two.remove(b"new"), True)
        await one.put(b"newer", entry(), 60.0)
        self.assertEqual(self.count(), 1)

    async def test_inspected(self) -> None:
        """A file that was looked at before the start is read through once, and again the next time."""
        await (await self.opened()).stop()
        checks: list[object] = []
        check = sqlite_file._check
        self.patch(sqlite_file, "_check", lambda place: checks.append(place) or check(place))
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        self.addCleanup(store.stop)
        service = StoreService(Tiers(MemoryStore(Bounds()), store, self.reactor.clocks, self.reactor))
        service.privilegedStartService()
        service.startService()
        await until(lambda: store.state() == "working")
        self.assertEqual(len(checks), 1)
        await self.opened()
        self.assertEqual(len(checks), 2)

    async def test_bounded_waiting(self) -> None:
        """More than may wait for the disk is turned away and counted; what waits is stored."""
        store = await self.opened(SqliteLimits(waiting=20_000))
        storing = [store.put(b"%d" % number, entry("x" * 900), 60.0) for number in range(100)]
        failed = [each for each in storing if each.called]
        for each in failed:
            self.assertEqual(await refused(self, each), "too much waits for the disk")
        for each in storing:
            await each
        self.assertEqual(store.facts()["dropped"], len(failed))
        self.assertEqual(self.count(), 100 - len(failed))
        self.assertEqual(store.state(), "working")
        await store.put(b"later", entry(), 60.0)

    async def test_finishes_before_it_stops(self) -> None:
        """What was begun is stored; nothing can be begun afterwards."""
        store = await self.opened()
        storing = [store.put(b"%d" % number, entry(), 60.0) for number in range(1_000)]
        stopping = store.stop()
        self.assertEqual(await refused(self, store.get(b"1")), "stopped")
        await stopping
        self.assertTrue(all(each.called for each in storing))
        self.assertEqual(self.count(), 1_000)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    async def test_not_started(self) -> None:
        """A store that is not started says so, and can be stopped."""
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        self.assertEqual(await refused(self, store.put(b"key", entry(), 1.0)), "not started")
        await store.stop()
        self.assertFalse(self.path.exists())

    async def test_odd_names(self) -> None:
        """A path is a path, whatever URLs mean by its characters; and an empty file is a new one."""
        self.path = self.path.with_name("50% off?mode=memory#é.db")
        self.path.touch()
        store = await self.opened()
        await store.put(b"key", entry(), 60.0)
        await store.stop()
        self.assertEqual([path.name for path in self.path.parent.iterdir()], [self.path.name])
        self.assertGreater(self.path.stat().st_size, 4_096)

    async def test_rows_of_others(self) -> None:
        """A row that this program did not write is a miss, and is counted."""
        store = await self.opened()
        for key in (b"cut", b"text", b"nothing", b"other"):
            await store.put(key, evolve(entry()), 60.0)
        with sqlite3.connect(self.path) as foreign:
            rows = [row[0] for row in foreign.execute("SELECT id FROM entries ORDER BY id")]
            packed = foreign.execute("SELECT packed FROM entries WHERE id = ?", rows[:1]).fetchone()[0]
            for row, value in zip(rows, [packed[:-1], "text", b"", packed], strict=True):
                foreign.execute("UPDATE entries SET packed = ? WHERE id = ?", (value, row))
        foreign.close()
        for key in (b"cut", b"text", b"nothing", b"other"):
            self.assertIsNone(await store.get(key))
        self.assertEqual(store.facts()["malformed"], 4)
        self.assertEqual(await store.keys(10), [])
