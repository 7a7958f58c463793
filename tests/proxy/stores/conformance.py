"""What every store does, whatever keeps the entries: one suite, run with each of them."""

import math
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

from attrs import evolve

from netlab.calc.header import MAX_BODY, MAX_PACKET
from netlab.proxy.entry import Entry
from tests.proxy.stores.cases import TurnedReactor, entry

#: Keys that a store could mistake: empty, long, with zeros, quotes, wildcards and line ends in them.
ODD_KEYS = [b"", b"S", b"-\0", b"-\0\0", b"-'\";--", b"S*", b"S\r\n$3", b"\xff\xfe", b"S" * (1 + MAX_BODY)]


class Conformance:
    """Mix it with trial's `TestCase`."""

    #: Makes a store with nothing in it, started, to be stopped at the test's end.
    store: Callable[[], Awaitable[Any]]

    def setUp(self) -> None:
        """A clock for the store."""
        self.reactor = TurnedReactor()

    async def test_nothing(self) -> None:
        """What was never stored is not there, and cannot be removed."""
        store = await self.store()
        self.assertIsNone(await store.get(b"key"))
        self.assertIs(await store.remove(b"key"), False)
        self.assertEqual(await store.clear(), 0)
        self.assertEqual(await store.keys(10), [])
        self.assertEqual(store.state(), "working")

    async def test_stored(self) -> None:
        """What was stored is there, with the same bytes, and again the next time."""
        store = await self.store()
        await store.put(b"key", entry("one"), 60.0)
        for _ in range(2):
            self.assertEqual(bare(await store.get(b"key")), entry("one"))
        self.assertIsNone(await store.get(b"kez"))
        self.assertEqual(await store.keys(10), [b"key"])

    async def test_for_ever(self) -> None:
        """An entry may be kept without a limit."""
        store = await self.store()
        await store.put(b"key", entry(max_age=65_535), math.inf)
        self.reactor.ahead += 1e9
        self.assertEqual(bare(await store.get(b"key")), entry(max_age=65_535))

    async def test_kept_briefly(self) -> None:
        """However short the time is, storing does not fail; and nobody is promised to find it."""
        store = await self.store()
        for keep in (1e-9, 0.0, -1.0, 1e300):
            await store.put(b"key", entry(), keep)
            self.assertIn(bare(await store.get(b"key")), (None, entry()))

    async def test_replaced(self) -> None:
        """A key has one entry: the last."""
        store = await self.store()
        for text in ("one", "two", "three"):
            await store.put(b"key", entry(text), 60.0)
        self.assertEqual(bare(await store.get(b"key")), entry("three"))
        self.assertEqual(await store.clear(), 1)

    async def test_in_order(self) -> None:
        """What is asked for in one turn is done in the order in which it was asked for."""
        store = await self.store()
        doing = [
            store.put(b"key", entry("one"), 60.0),
            store.get(b"key"),
            store.put(b"key", entry("two"), 60.0),
            store.get(b"key"),
            store.remove(b"key"),
            store.get(b"key"),
        ]
        results = [await each for each in doing]
        results[1], results[3] = bare(results[1]), bare(results[3])
        self.assertEqual(results, [None, entry("one"), None, entry("two"), True, None])

    async def test_removed(self) -> None:
        """Removing takes one key and leaves the others."""
        store = await self.store()
        await store.put(b"one", entry(), 60.0)
        await store.put(b"two", entry(), 60.0)
        self.assertIs(await store.remove(b"one"), True)
        self.assertIsNone(await store.get(b"one"))
        self.assertIsNotNone(await store.get(b"two"))

    async def test_cleared(self) -> None:
        """Clearing takes all, however many, and storing goes on."""
        store = await self.store()
        keys = [b"key %d" % number for number in range(1_200)]
        for storing in [store.put(key, entry(), 60.0) for key in keys]:
            await storing
        self.assertEqual(await store.clear(), 1_200)
        self.assertEqual(await store.keys(10), [])
        await store.put(keys[0], entry(), 60.0)
        self.assertIsNotNone(await store.get(keys[0]))

    async def test_keys(self) -> None:
        """Keys are listed as they are, no more than were asked for, and none twice."""
        store = await self.store()
        for key in ODD_KEYS:
            await store.put(key, entry(), 60.0)
        self.assertEqual(sorted(await store.keys(100)), sorted(ODD_KEYS))
        some = await store.keys(4)
        self.assertEqual(len(some), 4)
        self.assertLessEqual(set(some), set(ODD_KEYS))
        self.assertEqual(await store.keys(0), [])

    async def test_found_by_name(self) -> None:
        """A key is found by the beginning of its SHA-256, among any number; what is no beginning finds nothing."""
        store = await self.store()
        keys = [b"key %d" % number for number in range(600)]
        for storing in [store.put(key, entry(), 60.0) for key in keys]:
            await storing
        name = sha256(keys[77]).hexdigest()
        for start in (name, name[:12], name[:11]):
            self.assertEqual(await store.find(start, 10), [keys[77]])
        expected = sorted(key for key in keys if sha256(key).hexdigest().startswith(name[:1]))
        self.assertEqual(sorted(await store.find(name[:1], 1_000)), expected)
        self.assertEqual(len(await store.find("", 300)), 300)
        for start in (name + "0", "g", "*", "%", "?", "[0-9]", name.upper(), " ", "\0", "é"):
            self.assertEqual(await store.find(start, 10), [], start)

    async def test_odd_keys(self) -> None:
        """No key is taken for another."""
        store = await self.store()
        for number, key in enumerate(ODD_KEYS):
            await store.put(key, entry(str(number)), 60.0)
        for number, key in enumerate(ODD_KEYS):
            self.assertEqual(bare(await store.get(key)), entry(str(number)))

    async def test_longest(self) -> None:
        """The longest packet fits, and every byte may be in it."""
        store = await self.store()
        body = (bytes(range(256)) * 256)[: MAX_PACKET - 12]
        longest = entry(body.decode("latin-1")[:1])
        packet = b"\0\0\0\1\xff\xff" + longest.packet[6:12] + body
        await store.put(b"key", Entry.of(packet, None), 60.0)
        found = await store.get(b"key")
        self.assertEqual(found.packet, packet)

    async def test_time_here(self) -> None:
        """The same run is told since when it has an entry."""
        store = await self.store()
        await store.put(b"key", entry(stored_at=17.25), 60.0)
        self.assertEqual(await store.get(b"key"), entry(stored_at=17.25))

    async def test_stops_twice(self) -> None:
        """Stopping again is no error."""
        store = await self.store()
        await store.stop()
        await store.stop()


def bare(found: Entry | None) -> Entry | None:
    """An entry without since when it has been here."""
    return None if found is None else evolve(found, stored_at=None)
