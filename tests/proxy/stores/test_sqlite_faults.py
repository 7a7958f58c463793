"""The store in a SQLite file, when the file is not ours, the process is killed, or the disk is full or hangs."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred

from netlab.proxy.stores.base import StoreRefused
from netlab.proxy.stores.sqlite import SqliteLimits, SqliteStore
from netlab.proxy.stores.sqlite_file import open_file
from netlab.proxy.stores.sqlite_table import SqliteBounds, Table, Work
from tests.parts import missing, require_program, temporary_folder
from tests.proxy.stores.cases import entry, refused, until
from tests.proxy.stores.test_sqlite import SqliteTestCase

#: How long a process of a test may take.
PATIENCE = 60.0

PROJECT = Path(__file__).parents[3]


class RefusalTests(SqliteTestCase):
    """A file that is not to be touched is refused in one line, and nothing about it changes."""

    async def refusal(self) -> str:
        """Why the file is refused; nothing in its folder is another than before."""
        before = self.folder()
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        reason = str(await self.assertFailure(store.start(), StoreRefused))
        self.assertEqual(store.state(), reason)
        self.assertIn(reason, await refused(self, store.get(b"key")))
        await store.stop()
        self.assertEqual(self.folder(), before)
        self.assertEqual(len(reason.splitlines()), 1)
        self.assertTrue(reason.startswith(str(self.path)), reason)
        return reason.removeprefix(f"{self.path} ")

    def folder(self) -> dict[str, tuple[bytes, int]]:
        """Every file's bytes and the time when it was changed."""
        files = [path for path in self.path.parent.iterdir() if path.is_file()]
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    async def filled(self, rows: int = 100) -> None:
        """A file of ours with something in it."""
        store = await self.opened()
        for storing in [store.put(b"%d" % number, entry("x" * 900), 1e9) for number in range(rows)]:
            await storing
        await store.stop()

    async def test_not_sqlite(self) -> None:
        """A text, a picture, zeros: no SQLite file."""
        for content in (b"hello\n", b"\x89PNG\r\n\x1a\n" + bytes(500), bytes(4_096), b"SQLite format 2\0" + bytes(500)):
            self.path.write_bytes(content)
            self.assertEqual(await self.refusal(), "is no SQLite file")

    async def test_another_programs(self) -> None:
        """Another program's database, with our table names or not."""
        for schema in ("CREATE TABLE t (x)", "CREATE TABLE entries (id, digest, expires, size, packed)"):
            self.path.unlink(missing_ok=True)
            foreign = sqlite3.connect(self.path)
            foreign.execute(schema)
            foreign.commit()
            foreign.close()
            self.assertEqual(await self.refusal(), "is a SQLite file of another program")

    async def test_another_version(self) -> None:
        """A schema that this program does not know, newer or impossible."""
        for version, reason in ((2, "was made by a newer netlab"), (0, "is damaged: its schema has version 0")):
            await self.filled(1)
            self.pragma(f"user_version = {version}")
            self.assertIn(reason, await self.refusal())
            self.path.unlink()

    async def test_cut(self) -> None:
        """A file that ends too soon, wherever."""
        await self.filled()
        whole = self.path.read_bytes()
        for length in (16, 50, 99, 100, 512, 4_096, 10_000, len(whole) - 4_096, len(whole) - 1):
            self.path.write_bytes(whole[:length])
            self.assertIn("is damaged: ", await self.refusal(), length)

    async def test_overwritten(self) -> None:
        """A file with a page of something else in it."""
        await self.filled()
        whole = self.path.read_bytes()
        for page in (1, 2, len(whole) // 4_096 // 2, len(whole) // 4_096 - 1):
            self.path.write_bytes(whole[: page * 4_096] + b"\xa5" * 4_096 + whole[(page + 1) * 4_096 :])
            self.assertIn("is damaged: ", await self.refusal(), page)

    async def test_overwritten_with_a_log(self) -> None:
        """What a killed proxy left beside a damaged file stays as it is, too, and nothing comes to it."""
        await self.filled()
        store = await self.opened()
        await store.put(b"new", entry(), 1e9)
        log = self.path.with_name(self.path.name + "-wal").read_bytes()
        whole = self.path.read_bytes()
        await store.stop()
        self.path = temporary_folder(self) / "killed.sqlite"
        self.path.with_name("killed.sqlite-wal").write_bytes(log)
        page = len(whole) // 4_096 // 2
        self.path.write_bytes(whole[: page * 4_096] + b"\xa5" * 4_096 + whole[(page + 1) * 4_096 :])
        self.assertIn("is damaged: ", await self.refusal())
        self.assertEqual(len(self.folder()), 2)
        self.path.write_bytes(whole)
        again = await self.opened()
        self.assertIsNotNone(await again.get(b"new"))

    async def test_without_our_tables(self) -> None:
        """A sound database with our number and without our tables."""
        await self.filled(1)
        connection = sqlite3.connect(self.path)
        connection.execute("ALTER TABLE totals RENAME TO others")
        connection.commit()
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()
        self.assertIn("no such table: totals", await self.refusal())

    async def test_no_file_at_all(self) -> None:
        """A folder, a pipe, a folder that is not there."""
        folder = self.path
        folder.mkdir()
        self.assertEqual(await self.refusal(), "is no file")
        self.path = folder / "pipe"
        os.mkfifo(self.path)
        self.assertEqual(await self.refusal(), "is no file")
        self.path.unlink()
        self.path = folder / "a" / "b.sqlite"
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        self.assertIn("No such file or directory", await refused(self, store.start()))

    async def test_link(self) -> None:
        """A link is followed: the file stays where it is, and so does the link."""
        await self.filled(3)
        link = self.path.with_name("link")
        link.symlink_to(self.path.name)
        self.path = link
        store = await self.opened()
        self.assertIsNotNone(await store.get(b"1"))
        self.assertTrue(link.is_symlink())

    def pragma(self, text: str) -> None:
        """Change the file's header, and leave nothing beside it."""
        connection = sqlite3.connect(self.path)
        connection.execute(f"PRAGMA {text}")
        connection.close()


class OpenedTwiceTests(SqliteTestCase):
    """Two proxies begin with the same file that is not there yet."""

    async def test_both_have_the_same(self) -> None:
        """However they meet, they end with one file and not each with its own."""
        stores = [SqliteStore(str(self.path), self.reactor, self.reactor.clocks) for _ in range(8)]
        for store in stores:
            self.addCleanup(store.stop)
        for starting in [store.start() for store in stores]:
            await starting
        for number, store in enumerate(stores):
            await store.put(b"%d" % number, entry(), 60.0)
        self.assertEqual(self.count(), 8)
        hidden = [path.name for path in self.path.parent.iterdir() if path.name.startswith(".")]
        self.assertEqual(hidden, [])


class KilledTests(SqliteTestCase):
    """kill -9 in the middle of writes, as often as it takes to hit every moment."""

    async def test_what_was_stored_is_there(self) -> None:
        """All that a store said was stored is found by the next run, byte for byte, and storing goes on."""
        told = 0
        for _ in range(5):
            told = self.killed_after(told, told + 400)
            store = await self.opened()
            for number in range(told):
                found = await store.get(b"%d" % number)
                self.assertEqual(found.packet, entry(str(number) * 50).packet, number)
            await store.put(b"again", entry(), 60.0)
            self.assertEqual(store.facts()["malformed"], 0)
            await store.stop()
            self.count()

    def killed_after(self, first: int, last: int) -> int:
        """Have a process store one after another; kill it when it has said so of ``last``; of how many it did say."""
        command = [sys.executable, "-m", "tests.proxy.stores.endless_writer", str(self.path), str(first)]
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
            told = first
            for line in process.stdout:
                told = int(line) + 1
                if told == last:
                    process.send_signal(signal.SIGKILL)
            self.assertEqual(process.wait(PATIENCE), -signal.SIGKILL)
        self.assertTrue(self.path.with_name(self.path.name + "-wal").exists())
        return told


class FullTests(SqliteTestCase):
    """There is no room."""

    async def test_no_room_for_pages(self) -> None:
        """Storing goes off, says why and is not tried for a while; reading goes on; storing comes back by itself."""
        store = await self.opened()
        await store.put(b"first", entry(), 1e9)
        pages = await self.limit_pages(store, 0)
        self.assertEqual(await refused(self, self.fill(store)), "database or disk is full")
        self.assertEqual(store.state(), "storing is off: database or disk is full; it is tried again in 5.0 s")
        self.assertTrue(store.put(b"key", entry(), 60.0).addErrback(lambda _: None).called)
        self.assertIsNotNone(await store.get(b"first"))
        self.assertIs(await store.remove(b"first"), True)
        await self.limit_pages(store, pages)
        self.reactor.advance(5.0)
        await store.put(b"key", entry(), 60.0)
        self.assertIsNotNone(await store.get(b"key"))
        self.assertEqual(store.state(), "working")

    async def test_tried_less_and_less(self) -> None:
        """As long as there is no room, the pauses grow, to a minute at most."""
        store = await self.opened()
        await self.limit_pages(store, 0)
        await refused(self, self.fill(store))
        for pause in (5, 10, 20, 40, 60, 60):
            self.assertIn(f"in {pause}.0 s", store.state())
            self.reactor.advance(pause)
            await refused(self, self.fill(store))

    def fill(self, store: SqliteStore) -> Deferred[None]:
        """Store more than there is room for."""
        return store.put(b"large", entry("x" * 60_000), 1e9)

    async def limit_pages(self, store: SqliteStore, pages: int) -> int:
        """Let the file have so many pages, or no more than it has, and say how many it could have had."""

        def limit() -> int:
            connection = store._batches.table._connection
            before: int = connection.execute("PRAGMA max_page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages or 1}")
            return before

        return await store._batches._worker.do(limit)


class SmallDiskTests(SqliteTestCase):
    """A real file system without room."""

    def test_full_disk(self) -> None:
        """On a full disk it starts, serves and says what is off; with room again it stores, without a restart."""
        unshare = require_program("unshare")
        command = [unshare, "--user", "--map-root-user", "--mount", "sh", "-ec"]
        script = 'mount -t tmpfs -o size=512k none "$1"; shift; exec "$@"'
        folder = temporary_folder(self)
        if subprocess.run([*command, script, "sh", folder, "true"], capture_output=True, check=False).returncode:
            missing("a namespace with a small disk of its own cannot be made here")
        program = [sys.executable, "-m", "tests.proxy.stores.small_disk", str(folder)]
        done = subprocess.run(
            [*command, script, "sh", folder, *program],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            done.stdout.splitlines(),
            [
                "begins on a full disk: cannot be opened",
                "with room: working",
                "the disk is full: storing is off: database or disk is full",
                "what was stored is served: True",
                "with room again: working",
                "stored: True",
                "after a restart: True True",
            ],
        )


class HangingTests(SqliteTestCase):
    """The disk does not answer."""

    async def hang(self, store: SqliteStore) -> Callable[[], None]:
        """From now on the thread does nothing, until what is given back is called."""
        begun, over = threading.Event(), threading.Event()
        self.addCleanup(over.set)

        def wait() -> None:
            begun.set()
            over.wait()

        store._batches._worker.do(wait)
        await until(begun.is_set)
        return over.set

    async def test_look_ups_end_in_time(self) -> None:
        """Looking up and storing fail at the time-out and then at once, and come back with the disk."""
        store = await self.opened(SqliteLimits(timeout=1.0))
        await store.put(b"key", entry(), 1e9)
        go_on = await self.hang(store)
        looking, storing = store.get(b"key"), store.put(b"new", entry(), 1e9)
        self.reactor.advance(1.0)
        for late in (looking, storing):
            self.assertEqual(await refused(self, late), "it took longer than 1 s")
        for at_once in (store.get(b"key"), store.put(b"new", entry(), 1e9)):
            self.assertTrue(at_once.called)
            self.assertIn("it took longer than 1 s", await refused(self, at_once))
        self.assertTrue(store.state().startswith("reading is off"), store.state())
        go_on()
        self.reactor.advance(5.0)
        self.assertIsNotNone(await store.get(b"key"))
        await store.put(b"other", entry(), 1e9)
        self.assertEqual(store.state(), "working")

    async def test_clearing_may_take_long(self) -> None:
        """Clearing a large file is not given up when a look-up would be."""
        store = await self.opened(SqliteLimits(timeout=1.0))
        await store.put(b"key", entry(), 1e9)
        go_on = await self.hang(store)
        clearing = store.clear()
        self.reactor.advance(100.0)
        self.assertFalse(clearing.called)
        go_on()
        self.assertEqual(await clearing, 1)

    async def test_stops_in_time(self) -> None:
        """Stopping waits for five time-outs and no longer."""
        store = await self.opened()
        await self.hang(store)
        stopping = store.stop()
        self.reactor.advance(4.9)
        self.assertFalse(stopping.called)
        self.reactor.advance(0.2)
        await stopping

    async def test_opening_takes_long(self) -> None:
        """A start that takes too long goes on without the store, which is there as soon as it is open."""
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        self.addCleanup(store.stop)
        go_on = await self.hang(store)
        starting = store.start()
        storing = store.put(b"key", entry(), 1e9)
        self.reactor.advance(120.0)
        await starting
        self.assertEqual(store.state(), "it is still being opened")
        self.assertEqual(await refused(self, storing), "it took longer than 1 s")
        go_on()
        await until(lambda: store.state() == "working")
        self.assertIsNotNone(await store.get(b"key"))

    async def test_asked_while_it_opens(self) -> None:
        """What is asked for right after the start waits until the file is open: no first answer is lost."""
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        self.addCleanup(store.stop)
        starting, storing, looking = store.start(), store.put(b"key", entry(), 1e9), store.get(b"key")
        await storing
        self.assertIsNotNone(await looking)
        await starting

    async def test_asked_while_it_is_refused(self) -> None:
        """What waits for a file that is refused fails with the reason."""
        self.path.write_bytes(b"x")
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        self.addCleanup(store.stop)
        starting, looking = store.start(), store.get(b"key")
        self.assertIn("is no SQLite file", await refused(self, looking))
        self.assertIn("is no SQLite file", await refused(self, starting))

    async def test_stopped_while_it_opens(self) -> None:
        """The file is opened and closed again, and nothing is left beside it."""
        store = SqliteStore(str(self.path), self.reactor, self.reactor.clocks)
        go_on = await self.hang(store)
        starting = store.start()
        stopping = store.stop()
        go_on()
        await stopping
        await starting
        self.assertEqual(store.state(), "stopped")
        self.assertEqual([path.name for path in self.path.parent.iterdir()], [self.path.name])

    async def test_locked(self) -> None:
        """A file that another process is writing to is tried again; the store starts without."""
        await (await self.opened()).stop()
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        store = await self.opened()
        self.assertIn("database is locked", store.state())
        other.execute("ROLLBACK")
        self.reactor.advance(5.0)
        await until(lambda: store.state() == "working")
        await store.put(b"key", entry(), 60.0)


class TableTests(SqliteTestCase):
    """What the thread does, without the thread."""

    def test_one_failure_fails_the_batch(self) -> None:
        """When one write fails nothing of its batch is stored, and each write says so; reads have their results."""
        table = Table(str(self.path), SqliteBounds(), bytes(8))
        self.addCleanup(table.close)

        def fail(_: Table) -> None:
            raise sqlite3.OperationalError("no")

        put = Work(lambda table: table.put(b"key", entry(), 1e12), True)
        get = Work(lambda table: table.get(b"key", 0.0), False)
        first, found, second, after, third = table.perform([put, get, Work(fail, True), get, put])
        self.assertEqual([str(each) for each in (first, second, third)], ["no", "no", "no"])
        self.assertEqual((found, after), (entry(), None))
        self.assertEqual(table.perform([get, put, get])[2], entry())

    def test_open_file_says_which(self) -> None:
        """The line that a person reads names the file."""
        self.path.write_bytes(b"x")
        with self.assertRaises(StoreRefused) as caught:
            open_file(str(self.path))
        self.assertEqual(str(caught.exception), f"{self.path} is no SQLite file")
