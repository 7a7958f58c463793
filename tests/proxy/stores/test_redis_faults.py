"""The store in Redis, when Redis is slow, gone, full, or no Redis at all: calls end, and it comes back by itself."""

import sys
from unittest import mock

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netlab.proxy.backoff import Backoff
from netlab.proxy.stores.base import StoreBusy, StoreRefused
from netlab.proxy.stores.redis import RedisStore
from netlab.proxy.stores.redis_calls import RedisLimits
from netlab.proxy.stores.redis_link import RedisAddress
from tests.proxy.stores.cases import TurnedReactor, entry, refused, until
from tests.proxy.stores.redis_server import free_port
from tests.proxy.stores.test_redis import RedisTestCase

#: Pauses of one second, then two, so that a test can tell them from time-outs.
LIMITS = RedisLimits(backoff=Backoff(first=1.0, jitter=0.0))

LATE = "Redis: it took longer than 0.25 s"


class SlowTests(RedisTestCase):
    """Redis accepts what is sent, and does not answer."""

    async def test_a_look_up_ends_in_time(self) -> None:
        """It fails at the time-out, and the next ones at once, until a pause is over."""
        store = await self.opened(LIMITS)
        await store.put(b"key", entry(), 60.0)
        self.server.pause()
        looking = store.get(b"key")
        self.reactor.advance(0.24)
        self.assertFalse(looking.called)
        self.reactor.advance(0.02)
        self.assertEqual(await refused(self, looking), LATE)
        self.assertIn(LATE, self.failure_at_once(store.get(b"key")))
        self.assertIn(LATE, self.failure_at_once(store.put(b"key", entry(), 1.0)))
        self.assertEqual(store.state(), f"{LATE}; it is tried again in 1.0 s")

    async def test_comes_back(self) -> None:
        """When Redis goes on, the first call after the pause is the one that tries, and all is well again."""
        store = await self.opened(LIMITS)
        await store.put(b"key", entry(), 60.0)
        self.server.pause()
        looking = store.get(b"key")
        self.reactor.advance(0.25)
        await refused(self, looking)
        self.server.resume()
        self.reactor.advance(1.0)
        trying = store.get(b"key")
        self.assertIn(LATE, self.failure_at_once(store.get(b"key")))
        self.assertEqual((await trying).packet, entry().packet)
        self.assertEqual(store.state(), "working")
        self.assertIsNotNone(await store.get(b"key"))

    async def test_pauses_grow(self) -> None:
        """Each failure in a row makes the pause longer; those that failed together are one."""
        store = await self.opened(LIMITS)
        self.server.pause()
        for pause in (1, 2, 4):
            calls = [store.get(b"%d" % number) for number in range(10)]
            self.reactor.advance(0.25)
            for call in calls:
                await refused(self, call)
            self.assertEqual(store.state(), f"{LATE}; it is tried again in {pause}.0 s")
            self.reactor.advance(pause)

    async def test_late_answers_are_nobodys(self) -> None:
        """What Redis answers after the time-out is not taken for the answer to the next call."""
        store = await self.opened(LIMITS)
        for number in range(10):
            await store.put(b"%d" % number, entry(str(number)), 60.0)
        self.server.pause()
        calls = [store.get(b"%d" % number) for number in range(9)]
        self.reactor.advance(0.25)
        for call in calls:
            await refused(self, call)
        self.reactor.advance(1.0)
        self.server.resume()
        self.assertEqual((await store.get(b"9")).packet, entry("9").packet)

    async def test_bounded_waiting(self) -> None:
        """What waits for a slow Redis is bounded in bytes; the rest is turned away at once and counted."""
        store = await self.opened(RedisLimits(waiting=500_000))
        self.server.pause()
        calls = [store.put(b"%d" % number, entry("x" * 60_000), 60.0) for number in range(100)]
        turned_away = [call for call in calls if call.called]
        self.assertEqual(len(turned_away), 92)
        for call in turned_away:
            self.assertIsInstance(self.failureResultOf(call).value, StoreBusy)
        self.assertEqual(store.facts()["dropped"], 92)
        self.server.resume()
        for call in calls[:8]:
            await call
        self.assertEqual(store.state(), "working")
        await store.put(b"key", entry(), 60.0)

    async def test_connecting_ends_in_time(self) -> None:
        """A paused Redis accepts connections; waiting for it to accept the database counts too, and start goes on."""
        self.server.pause()
        store = RedisStore(RedisAddress(port=self.server.port, database=1), self.reactor, LIMITS)
        self.addCleanup(store.stop)
        starting = store.start()
        self.reactor.advance(0.25)
        await starting
        self.assertIn(LATE, store.state())
        self.server.resume()
        self.reactor.advance(1.0)
        self.assertIsNone(await store.get(b"key"))

    async def test_stops(self) -> None:
        """Stopping does not wait for a slow Redis longer than the time-out."""
        store = await self.opened(LIMITS)
        self.server.pause()
        looking = store.get(b"key")
        stopping = store.stop()
        self.reactor.advance(0.25)
        self.assertEqual(await refused(self, looking), LATE)
        await stopping
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def failure_at_once(self, deferred: Deferred[object]) -> str:
        """What a call says that failed without waiting for anything."""
        return str(self.failureResultOf(deferred).value)


class GoneTests(RedisTestCase):
    """Redis is not there."""

    async def test_killed(self) -> None:
        """A call on the way when Redis is killed fails; when Redis is there again, so is the store."""
        store = await self.opened(LIMITS)
        await store.put(b"key", entry(), 60.0)
        self.server.pause()
        looking = store.get(b"key")
        self.server.kill()
        self.assertEqual(await refused(self, looking), "Redis: it closed the connection")
        self.reactor.advance(1.0)
        self.assertIn("refused", await refused(self, store.put(b"key", entry(), 60.0)))
        self.server.restart()
        self.reactor.advance(2.0)
        self.assertIsNone(await store.get(b"key"))
        await store.put(b"key", entry("new"), 60.0)
        self.assertIsNotNone(await store.get(b"key"))
        self.assertEqual(store.state(), "working")

    async def test_not_there_yet(self) -> None:
        """Without Redis it starts all the same, says so, and works once there is one."""
        self.server.kill()
        store = await self.opened(LIMITS)
        self.assertIn("refused", store.state())
        for call in (store.remove(b"key"), store.clear(), store.keys(1), store.find("a", 1)):
            self.assertIn("refused", await refused(self, call))
        self.server.restart()
        self.reactor.advance(1.0)
        await store.put(b"key", entry(), 60.0)
        self.assertEqual(await store.keys(1), [b"key"])

    async def test_no_such_host(self) -> None:
        """A name that nothing has is no more than an absent Redis."""
        store = RedisStore(RedisAddress("no-such-host.invalid"), self.reactor, LIMITS)
        self.addCleanup(store.stop)
        started: list[None] = []
        store.start().addCallback(started.append)
        await until(lambda: self.reactor.advance(0.01) or started)
        self.assertNotEqual(store.state(), "working")


class FullTests(RedisTestCase):
    """Redis has no more memory, and is not to evict."""

    options = ("--maxmemory-policy", "noeviction")

    async def test_full(self) -> None:
        """Storing is off and is not even tried for a while; reading goes on; and storing comes back by itself."""
        store = await self.opened(LIMITS)
        await store.put(b"key", entry(), 60.0)
        self.server.ask("CONFIG", "SET", "maxmemory", "1")
        self.assertIn("OOM", await refused(self, store.put(b"new", entry(), 60.0)))
        commands = self.commands()
        self.assertIn("OOM", await refused(self, store.put(b"new", entry(), 60.0)))
        self.assertEqual(self.commands(), commands)
        self.assertIsNotNone(await store.get(b"key"))
        self.assertTrue(store.state().startswith("storing is off: Redis: OOM"), store.state())
        self.server.ask("CONFIG", "SET", "maxmemory", "0")
        self.reactor.advance(1.0)
        await store.put(b"new", entry(), 60.0)
        self.assertIsNotNone(await store.get(b"new"))
        self.assertEqual(store.state(), "working")

    async def test_removing_makes_room(self) -> None:
        """A full Redis can be cleared."""
        store = await self.opened(LIMITS)
        await store.put(b"key", entry(), 60.0)
        self.server.ask("CONFIG", "SET", "maxmemory", "1")
        self.assertEqual(await store.clear(), 1)

    async def test_read_only(self) -> None:
        """A replica serves what it has; only storing is off."""
        store = await self.opened(LIMITS)
        self.server.ask("REPLICAOF", "127.0.0.1", str(free_port()))
        self.assertIn("READONLY", await refused(self, store.put(b"new", entry(), 60.0)))
        self.assertIsNone(await store.get(b"new"))

    def commands(self) -> bytes:
        """How many times Redis was asked to store."""
        return self.server.ask("INFO", "commandstats").partition(b"cmdstat_set:calls=")[2].partition(b",")[0]


class Impostor(Protocol):
    """Answers each thing it is sent with the same bytes."""

    def connectionMade(self) -> None:
        self.factory.here.add(self)

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(self.factory.answer)

    def connectionLost(self, reason: object = None) -> None:
        self.factory.here.discard(self)


class ImpostorTests(TestCase):
    """What listens there is no Redis, or one gone mad."""

    def setUp(self) -> None:
        """It listens; what it answers each test decides."""
        self.reactor = TurnedReactor()
        self.factory = Factory.forProtocol(Impostor)
        self.factory.noisy = False
        self.factory.answer = b"+PONG\r\n"
        self.factory.here = set()
        port = real_reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.addCleanup(lambda: until(lambda: not self.factory.here))
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port

    async def opened(self, limits: RedisLimits = LIMITS) -> RedisStore:
        """A store that believes in it so far."""
        store = RedisStore(RedisAddress(port=self.port), self.reactor, limits, lambda: 0.0)
        self.addCleanup(store.stop)
        await store.start()
        self.assertEqual(store.state(), "working")
        return store

    async def outcome(self, deferred: Deferred[object]) -> str:
        """What a call says that fails at the time-out at the latest."""
        failing = refused(self, deferred)
        ended: list[str] = []
        Deferred.fromCoroutine(failing).addCallback(ended.append)
        turns = iter(range(250))
        await until(lambda: ended or next(turns, None) is None)
        if not ended:
            self.reactor.advance(0.25)
            await until(lambda: ended)
        return ended[0]

    async def test_rubbish(self) -> None:
        """Whatever it answers, the call fails in time with our own error, and the connection is dropped."""
        wrong = [
            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            b"\xff\xfe\x00binary\r\n",
            b"$abc\r\n",
            b"$-7\r\nx\r\n",
            b"$99999999999999999999\r\nx",
            b"*abc\r\n",
            b"*-9\r\n",
            b"*2\r\n:1\r\n:2\r\n",
            b"*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
            b":1\r\n",
            b":x\r\n",
            b"+OK\r\n",
            b"+\xe9\r\n",
            b"$-1\r\n",
            b"$3\r\nab",
            b"\r\n\r\n\r\n",
            b"x" * 100_000,
            b"$1000000000\r\n" + b"x" * 600_000,
            b"*1000000000\r\n" + b":1\r\n" * 100_000,
        ]
        for answer in wrong:
            self.factory.answer = b"+PONG\r\n"
            store = await self.opened()
            self.factory.answer = answer
            self.assertTrue((await self.outcome(store.get(b"key"))).startswith("Redis: "), answer[:50])
            await until(lambda: not self.factory.here)
            self.assertNotEqual(store.state(), "working")
            await store.stop()

    async def test_rubbish_to_every_command(self) -> None:
        """No command takes an answer of another kind for its own."""
        for answer in (b"*0\r\n", b"*-1\r\n", b"*2\r\n$1\r\n0\r\n$1\r\nx\r\n", b"$1\r\nx\r\n"):
            for name in ("put", "remove", "clear", "keys"):
                self.factory.answer = b"+PONG\r\n"
                store = await self.opened()
                self.factory.answer = answer
                arguments = {"put": (b"key", entry(), 1.0), "remove": (b"key",), "clear": (), "keys": (10,)}[name]
                if (name, answer[:1]) != ("put", b"$"):  # a bulk string is as good an answer as a status
                    self.assertIn("Redis: ", await self.outcome(getattr(store, name)(*arguments)))
                await store.stop()

    async def test_one_answer_too_many(self) -> None:
        """An answer that was not asked for would be taken for the next call's: the connection is dropped."""
        store = await self.opened()
        self.factory.answer = b"$1\r\nx\r\n" * 2
        self.assertIsNone(await store.get(b"key"))
        await until(lambda: not self.factory.here)
        self.factory.answer = b":1\r\n"
        self.assertIs(await store.remove(b"key"), True)

    async def test_speaks_unasked(self) -> None:
        """What it says while nothing was asked ends the connection, and the next call makes a new one."""
        store = await self.opened()
        for each in list(self.factory.here):
            each.transport.write(b":1\r\n")
        await until(lambda: not self.factory.here)
        self.factory.answer = b":0\r\n"
        self.assertIs(await store.remove(b"key"), False)

    async def test_an_endless_scan(self) -> None:
        """Going through keys that never end stops after a while, though each answer comes in time."""
        store = await self.opened(RedisLimits(timeout=1_000.0))
        self.factory.answer = b"*2\r\n$1\r\n7\r\n*0\r\n"
        listing = store.keys(10)
        await until(lambda: self.reactor.advance(1.0) or listing.called)
        self.assertEqual(await refused(self, listing), "it took longer than 120 s")


class MissingTests(SynchronousTestCase):
    """txredisapi is not installed."""

    def test_missing(self) -> None:
        """The store says what to install, refuses to start, and stops."""
        store = RedisStore(RedisAddress(), TurnedReactor())
        with mock.patch.dict(sys.modules, {"txredisapi": None}):
            sys.modules.pop("netlab.proxy.stores.redis_protocol", None)
            reason = str(self.failureResultOf(store.start(), StoreRefused).value)
        self.assertIn("pip install 'netlab-daemons[redis]'", reason)
        self.assertEqual(store.state(), reason)
        self.successResultOf(store.stop())
