"""Stores by URL."""

import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.proxy.stores.base import StoreRefused
from netlab.proxy.stores.redis import RedisStore
from netlab.proxy.stores.redis_link import RedisAddress
from netlab.proxy.stores.sqlite import SqliteStore
from netlab.proxy.stores.urls import redis_address, second_tier, without_password
from tests.proxy.stores.cases import TurnedReactor

#: URLs of Redis, and what they say.
ADDRESSES = {
    "redis://localhost": RedisAddress("localhost"),
    "redis://localhost/": RedisAddress("localhost"),
    "redis://10.0.0.1:7000": RedisAddress("10.0.0.1", 7000),
    "redis://redis.example:6379/15": RedisAddress("redis.example", 6379, 15),
    "redis://[::1]:6380/2": RedisAddress("::1", 6380, 2),
    "redis://[fe80::1%eth0]": RedisAddress("fe80::1%eth0"),
    "redis://:secret@host": RedisAddress("host", password="secret"),
    "redis://me:se:cret@host:1/3": RedisAddress("host", 1, 3, "se:cret", "me"),
    "redis://:op%20en%2Fse%40same@host": RedisAddress("host", password="op en/se@same"),
}

BAD = [
    "",
    "memory",
    "memory:x",
    "sqlite",
    "sqlite:",
    "sqlite:a\0b",
    "redis:",
    "redis:localhost",
    "redis://",
    "redis:///0",
    "redis://host:0",
    "redis://host:65536",
    "redis://host:port",
    "redis://host/one",
    "redis://host/0/1",
    "redis://host/123456",
    "redis://ho st",
    "redis://host?db=1",
    "redis://::1",
    "redis://[host]",
    "redis://secret@host",
    "rediss://host",
    "memcached://host",
    "/tmp/answers.sqlite",
    "http://:secret@host/",
    "redis:/:secret@host",
]


class UrlTests(SynchronousTestCase):
    """`second_tier` and its parts."""

    def store(self, url: str) -> object:
        """The store for ``url``."""
        reactor = TurnedReactor()
        return second_tier(url, reactor, reactor.clocks)

    def test_memory(self) -> None:
        """Memory needs nothing behind it."""
        self.assertIsNone(self.store("memory:"))

    def test_sqlite(self) -> None:
        """Whatever follows is the path; a tilde is the home folder."""
        self.patch_home("/home/somebody")
        for rest, path in (("a b.db", "a b.db"), ("/var/x%20?y", "/var/x%20?y"), ("~/x", "/home/somebody/x")):
            store = self.store(f"sqlite:{rest}")
            self.assertIsInstance(store, SqliteStore)
            self.assertEqual(store.url, f"sqlite:{path}")

    def test_redis(self) -> None:
        """Host, port, database, user and password; what is not said has its default."""
        for url, address in ADDRESSES.items():
            self.assertEqual(redis_address(url), address, url)
        store = self.store("redis://me:secret@[::1]:6380/2")
        self.assertIsInstance(store, RedisStore)
        self.assertEqual(store.url, "redis://…@[::1]:6380/2")

    def test_bad(self) -> None:
        """What is no URL of a store is refused in one sentence that says which there are, without the password."""
        for url in BAD:
            with self.assertRaises(StoreRefused) as caught:
                self.store(url)
            reason = str(caught.exception)
            self.assertEqual(len(reason.splitlines()), 1, url)
            self.assertIn("redis://HOST:PORT/DB", reason)
            self.assertNotIn("secret", reason)

    @given(st.text() | st.text().map("redis://{}".format) | st.text().map("redis://host:{}".format))
    def test_any_text(self, url: str) -> None:
        """Any text makes a store or is refused; nothing else comes of it."""
        try:
            self.store(url)
        except StoreRefused as error:
            self.assertTrue(str(error))

    def test_without_password(self) -> None:
        """Nothing before an @ is shown but the scheme."""
        for url, shown in (
            ("redis://:secret@host", "redis://…@host"),
            ("redis://me:a@b@host", "redis://…@host"),
            ("secret@host", "…@host"),
            ("redis://host", "redis://host"),
        ):
            self.assertEqual(without_password(url), shown)
        self.assertNotIn("secret", repr(redis_address("redis://:secret@host")))

    def patch_home(self, folder: str) -> None:
        """Let ``~`` be ``folder``."""
        self.patch(os, "environ", {**os.environ, "HOME": folder})
