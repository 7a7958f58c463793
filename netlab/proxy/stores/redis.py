"""Answers in a Redis server, shared by many proxies on many machines; each expires there by its own limits."""

import math
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from os import urandom
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from netlab.proxy.entry import Entry
from netlab.proxy.stores.base import StoreError, StoreRefused
from netlab.proxy.stores.breaker import Breaker
from netlab.proxy.stores.deadline import within
from netlab.proxy.stores.packing import MAX_PACKED, RUN_LENGTH, digest_of, digests_from, pack, unpack
from netlab.proxy.stores.redis_calls import RedisCalls, RedisLimits, Refusal, WrongType
from netlab.proxy.stores.redis_link import RedisAddress, RedisLink

#: What our keys begin with; the 1 is the version of what follows.
PREFIX = b"netlab:1:"

#: Keys that one SCAN looks at.
_STEP = 500

#: Seconds that going through all keys may take.
_PATIENCE = 120.0

#: The longest expiry in milliseconds; Redis refuses one that passes 2**63 (https://redis.io/docs/latest/commands/set/).
_LONGEST = 1 << 53


class RedisStore:
    """A store in a Redis database.

    When Redis is slow or gone, calls fail at once for a while; then one is let through to try. When it is full, or
    does not store for another reason, only storing pauses so. What other programs left under our keys is a miss.
    """

    def __init__(
        self,
        address: RedisAddress,
        reactor: Any,
        limits: RedisLimits | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.url = address.url
        self._address = address
        self._reactor = reactor
        self._limits = limits or RedisLimits()
        self._chance = chance
        self._run = urandom(RUN_LENGTH)
        self._storing = Breaker(self._limits.backoff, chance)
        self._calls: RedisCalls | None = None
        self._problem: str | None = "not started"
        self._malformed = 0

    def start(self) -> Deferred[None]:
        """Try the server, without which it starts just as well; fails with `StoreRefused` if txredisapi is missing."""
        try:
            link = RedisLink(self._address, self._reactor)
        except ImportError:
            self._problem = f"{self.url} needs txredisapi, which is not installed: pip install 'netlab-daemons[redis]'"
            return fail(StoreRefused(self._problem))
        self._calls = RedisCalls(link, self._reactor, self._limits, self._chance)
        self._problem = None
        return Deferred.fromCoroutine(self._try())

    def get(self, key: bytes) -> Deferred[Entry | None]:
        """The entry for ``key``; no more of a value is read than an entry may be long."""
        return Deferred.fromCoroutine(self._get(key))

    def put(self, key: bytes, entry: Entry, keep: float) -> Deferred[None]:
        """Store an entry, until Redis forgets it after ``keep`` seconds, rounded up to a millisecond."""
        return Deferred.fromCoroutine(self._put(key, entry, keep))

    def remove(self, key: bytes) -> Deferred[bool]:
        """Remove the entry for ``key``."""
        return Deferred.fromCoroutine(self._unlink(_name(key))).addCallback(bool)

    def clear(self) -> Deferred[int]:
        """Remove all of our keys, those of other proxies too, and no other; a few at a time."""
        return self._patiently(Deferred.fromCoroutine(self._clear()))

    def keys(self, limit: int) -> Deferred[list[bytes]]:
        """Some keys, from any proxy."""
        return self.find("", limit)

    def find(self, name: str, limit: int) -> Deferred[list[bytes]]:
        """The keys whose digest begins so, from any proxy; Redis goes through all of its keys for that."""
        return self._patiently(Deferred.fromCoroutine(self._find(name, limit)))

    def state(self) -> str:
        """``working``, or what is wrong."""
        if self._problem is not None or self._calls is None:
            return self._problem or "stopped"
        if self._calls.problem is None and self._storing.problem is not None:
            return f"storing is off: {self._storing.state(self._reactor.seconds())}"
        return self._calls.state()

    def facts(self) -> dict[str, int]:
        """Values under our keys that were not what this program writes, and calls that were turned away."""
        return {"malformed": self._malformed, "dropped": 0 if self._calls is None else self._calls.dropped}

    def stop(self) -> Deferred[None]:
        """Wait for the calls that are under way, none longer than the time-out, and close the connection."""
        if self._calls is None:
            return succeed(None)
        self._problem = "stopped"
        return Deferred.fromCoroutine(self._calls.stop())

    def _patiently(self, deferred: Deferred[Any]) -> Deferred[Any]:
        return within(_PATIENCE, self._reactor, deferred)

    async def _try(self) -> None:
        with suppress(StoreError):  # `state` has the reason
            await self._call(object, "PING")

    async def _get(self, key: bytes) -> Entry | None:
        found = await self._stored_under(_name(key))
        return None if found is None or found[0] != key else found[1]

    async def _put(self, key: bytes, entry: Entry, keep: float) -> None:
        expiry = () if math.isinf(keep) else ("PX", min(max(1, math.ceil(keep * 1000)), _LONGEST))
        if not self._storing.allows(self._reactor.seconds()):
            raise StoreError(self.state())
        try:
            await self._call((str, bytes), "SET", _name(key), pack(key, entry, self._run), *expiry)
        except Refusal as error:
            self._storing.failed(str(error), self._reactor.seconds())
            raise
        except BaseException:
            self._storing.abandoned()
            raise
        self._storing.succeeded()

    async def _clear(self) -> int:
        total = 0
        async with aclosing(self._names(b"")) as steps:
            async for names in steps:
                total += await self._unlink(*names)
        return total

    async def _find(self, start: str, limit: int) -> list[bytes]:
        found: dict[bytes, None] = {}
        if limit < 1 or not digests_from(start)[1]:
            return []
        async with aclosing(self._names(start.encode())) as steps:
            async for names in steps:
                for name in names:
                    under = await self._stored_under(name)
                    if under is not None:
                        found[under[0]] = None
                    if len(found) >= limit:
                        return list(found)
        return list(found)

    async def _names(self, start: bytes) -> AsyncGenerator[list[bytes], None]:
        """Names of keys of ours whose digest begins with ``start``, a few at a time, some perhaps twice (SCAN)."""
        cursor = b"0"
        while True:
            match await self._call(list, "SCAN", cursor, "MATCH", PREFIX + start + b"*", "COUNT", _STEP):
                case [bytes(cursor), list(found)]:
                    names = [name for name in found if isinstance(name, bytes) and name.startswith(PREFIX + start)]
                case _:
                    raise StoreError("Redis: it answered SCAN with something else")
            if names:
                yield names
            if cursor == b"0":
                return

    async def _stored_under(self, name: bytes) -> tuple[bytes, Entry] | None:
        """The key and the entry under the ``name`` of that very key."""
        try:
            data = await self._call(bytes, "GETRANGE", name, 0, MAX_PACKED)
        except WrongType:
            self._malformed += 1
            return None
        found = unpack(data, self._run)
        if found is not None and _name(found[0]) == name:
            return found
        self._malformed += data != b""
        return None

    async def _unlink(self, *names: bytes) -> int:
        count: int = await self._call(int, "UNLINK", *names)
        return count

    async def _call(self, expected: type | tuple[type, ...], *words: bytes | str | int) -> Any:
        if self._problem is not None or self._calls is None:
            raise StoreError(self._problem or "stopped")
        return await self._calls.call(expected, *words)


def _name(key: bytes) -> bytes:
    return PREFIX + digest_of(key).hex().encode()
