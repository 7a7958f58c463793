"""The store in a real Redis, when all goes well."""

from typing import Any

from twisted.trial.unittest import TestCase

from netlab.proxy.stores.packing import digest_of
from netlab.proxy.stores.redis import PREFIX, RedisStore
from netlab.proxy.stores.redis_calls import RedisLimits
from netlab.proxy.stores.redis_link import RedisAddress
from tests.proxy.stores.cases import TurnedReactor, entry, refused, until
from tests.proxy.stores.conformance import Conformance
from tests.proxy.stores.redis_server import RedisServer


class RedisTestCase(TestCase):
    """A Redis of the test's own, and a clock."""

    #: What redis-server is given.
    options: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Nothing is in it."""
        self.reactor = TurnedReactor()
        self.server = RedisServer(self, *self.options)

    async def opened(self, limits: RedisLimits | None = None, **address: Any) -> RedisStore:
        """A store that is started, and stopped at the end."""
        place = RedisAddress(port=self.server.port, **address)
        store = RedisStore(place, self.reactor, limits, lambda: 0.0)
        self.addCleanup(store.stop)
        await store.start()
        return store


class RedisConformanceTests(Conformance, RedisTestCase):
    """The suite, in Redis."""

    def setUp(self) -> None:
        """A server."""
        RedisTestCase.setUp(self)

    async def store(self) -> Any:
        """The empty database."""
        return await self.opened()


class RedisTests(RedisTestCase):
    """What only this store does."""

    async def test_where(self) -> None:
        """An entry is under the prefix with the version, then the SHA-256 of its key."""
        store = await self.opened()
        await store.put(b"key", entry(), 60.0)
        name = b"netlab:1:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
        self.assertEqual(self.server.ask("EXISTS", name), b":1")
        self.assertEqual(self.server.ask("DBSIZE"), b":1")

    async def test_expires(self) -> None:
        """Redis forgets an entry by the entry's own limit, and one without a limit not at all."""
        store = await self.opened()
        for key, keep in ((b"long", 60.0), (b"endless", float("inf")), (b"short", 0.001)):
            await store.put(key, entry(), keep)
        left = int(self.server.ask("PTTL", name_of(b"long"))[1:])
        self.assertGreater(left, 0)
        self.assertLessEqual(left, 60_000)
        self.assertEqual(self.server.ask("PTTL", name_of(b"endless")), b":-1")
        await until(lambda: self.server.ask("EXISTS", name_of(b"short")) == b":0")
        self.assertIsNone(await store.get(b"short"))

    async def test_replaced_limit(self) -> None:
        """The limit that counts is the last entry's: one without takes the other's away."""
        store = await self.opened()
        await store.put(b"key", entry(), 60.0)
        await store.put(b"key", entry(), float("inf"))
        self.assertEqual(self.server.ask("PTTL", name_of(b"key")), b":-1")

    async def test_shared(self) -> None:
        """What one proxy stored another finds, which cannot know for how long it has been there."""
        one, two = await self.opened(), await self.opened()
        await one.put(b"key", entry(stored_at=5.0), 60.0)
        self.assertEqual(await two.get(b"key"), entry(stored_at=None))
        self.assertEqual(await one.get(b"key"), entry(stored_at=5.0))
        self.assertIs(await two.remove(b"key"), True)
        self.assertIsNone(await one.get(b"key"))

    async def test_database(self) -> None:
        """Each number is a database of its own."""
        one, two = await self.opened(), await self.opened(database=7)
        await two.put(b"key", entry(), 60.0)
        self.assertIsNone(await one.get(b"key"))
        self.assertEqual(self.server.ask("INFO", "keyspace").split(b":keys=")[0].strip()[-3:], b"db7")

    async def test_leaves_others_alone(self) -> None:
        """Clearing removes what is ours and nothing else, however alike the names; listing does not show it."""
        store = await self.opened()
        others = [b"other", b"netlab:", b"netlab:2:key", b"xnetlab:1:", b"NETLAB:1:", b"netlab?1:"]
        for name in others:
            self.server.ask("SET", name, "1")
        await store.put(b"key", entry(), 60.0)
        self.assertEqual(await store.keys(100), [b"key"])
        self.assertEqual(await store.clear(), 1)
        self.assertEqual(self.server.ask("DBSIZE"), b":%d" % len(others))

    async def test_values_of_others(self) -> None:
        """What this program did not write is a miss, is counted, is in no list, and goes when it is stored over."""
        store = await self.opened()
        await store.put(b"key", entry(), 60.0)
        packed = self.server.ask("GET", name_of(b"key"))
        self.server.ask("SET", name_of(b"cut"), packed[:-1])
        self.server.ask("SET", name_of(b"copied"), packed)
        self.server.ask("SET", name_of(b"huge"), b"x" * 1_000_000)
        self.server.ask("LPUSH", name_of(b"list"), "1")
        self.server.ask("SET", PREFIX + b"no digest", packed)
        for key in (b"cut", b"copied", b"huge", b"list"):
            self.assertIsNone(await store.get(key))
        self.assertEqual(store.facts()["malformed"], 4)
        self.assertEqual(await store.keys(100), [b"key"])
        self.assertEqual(store.state(), "working")
        await store.put(b"list", entry("new"), 60.0)
        self.assertEqual((await store.get(b"list")).packet, entry("new").packet)

    async def test_many_at_once(self) -> None:
        """Calls share one connection, and each gets its own answer."""
        store = await self.opened()
        for storing in [store.put(b"%d" % number, entry(str(number)), 60.0) for number in range(200)]:
            await storing
        looking = [(number, store.get(b"%d" % number)) for number in range(200)]
        for number, found in looking:
            self.assertEqual((await found).packet, entry(str(number)).packet)
        clients = self.server.ask("INFO", "clients")
        self.assertIn(b"connected_clients:2", clients)

    async def test_an_idle_connection_is_closed(self) -> None:
        """That Redis closes idle connections costs no call an error."""
        store = await self.opened()
        await store.put(b"key", entry(), 60.0)
        self.server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await until(lambda: b"connected_clients:1" in self.server.ask("INFO", "clients"))
        await until(lambda: store._calls._link._usable is None)
        self.assertIsNotNone(await store.get(b"key"))

    async def test_stops(self) -> None:
        """What was begun is finished, the connection is closed, and no timer is left."""
        store = await self.opened()
        storing = [store.put(b"%d" % number, entry(), 60.0) for number in range(50)]
        await store.stop()
        for each in storing:
            await each
        self.assertEqual(self.server.ask("DBSIZE"), b":50")
        await until(lambda: b"connected_clients:1" in self.server.ask("INFO", "clients"))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(await refused(self, store.get(b"1")), "stopped")
        self.assertEqual(store.state(), "stopped")


class PasswordTests(RedisTestCase):
    """A Redis that wants to know who asks."""

    options = ("--requirepass", "op en/se@same")

    async def test_the_right_one(self) -> None:
        """With the password it works, in another database too."""
        store = await self.opened(password="op en/se@same", database=3)
        await store.put(b"key", entry(), 60.0)
        self.assertIsNotNone(await store.get(b"key"))
        self.assertNotIn("same", store.url)

    async def test_a_wrong_one(self) -> None:
        """With a wrong one, or none, it starts and says what is wrong, without the password."""
        for password, reason in (("wr0ng", "WRONGPASS"), (None, "NOAUTH")):
            store = await self.opened(password=password)
            self.assertIn(reason, store.state())
            self.assertNotIn("wr0ng", store.state())
            self.assertIn(reason, await refused(self, store.get(b"key")))

    async def test_a_database_that_is_not_there(self) -> None:
        """The number of a database that Redis does not have is told."""
        store = await self.opened(password="op en/se@same", database=99)
        self.assertIn("DB index is out of range", store.state())


def name_of(key: bytes) -> bytes:
    """What a key's entry is filed under."""
    return PREFIX + digest_of(key).hex().encode()
