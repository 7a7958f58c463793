"""Answers in a Redis server, shared by many proxies on many machines; each expires there by its own limits."""

import math
import random
from collections.abc import Callable
from contextlib import suppress
from os import urandom
from typing import Any, TypeVar

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred

from netlab.proxy.backoff import Backoff
from netlab.proxy.entry import Entry
from netlab.proxy.stores.base import StoreError, StoreRefused
from netlab.proxy.stores.breaker import Breaker
from netlab.proxy.stores.deadline import Late, within
from netlab.proxy.stores.packing import MAX_PACKED, RUN_LENGTH, digest_of, pack, unpack
from netlab.proxy.stores.redis_link import RedisAddress, RedisLink, RedisUnreachable

T = TypeVar("T")

#: What our keys begin with; the 1 is the version of what follows.
PREFIX = b"netlab:1:"
_ALL = PREFIX + b"*"

#: Keys that one SCAN looks at.
_STEP = 500

#: Seconds that going through all keys may take.
_PATIENCE = 120.0

#: The longest expiry in milliseconds; Redis refuses one that passes 2**63 (https://redis.io/docs/latest/commands/set/).
_LONGEST = 1 << 53

#: What a call weighs besides the key and the packet in it.
_OVERHEAD = 1_000


@frozen
class RedisLimits:
    """What a `RedisStore` may take.

    ``timeout`` is in seconds, for one call, connecting included; ``waiting`` is how many bytes of calls may be under
    way before more are turned away; ``backoff`` says how long Redis is left alone when it fails.
    """

    timeout: float = 0.25
    waiting: int = 16 << 20
    backoff: Backoff = field(factory=Backoff)


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
        self._run = urandom(RUN_LENGTH)
        self._reaching = Breaker(self._limits.backoff, chance)
        self._storing = Breaker(self._limits.backoff, chance)
        self._link: RedisLink | None = None
        self._problem: str | None = "not started"
        self._weight = 0
        self._idle: Deferred[None] | None = None
        #: Values under our keys that were not what this program writes, and puts that were turned away.
        self.malformed = 0
        self.dropped = 0

    def start(self) -> Deferred[None]:
        """Try the server, without which it starts just as well; fails with `StoreRefused` if txredisapi is missing."""
        return Deferred.fromCoroutine(self._start())

    def get(self, key: bytes) -> Deferred[Entry | None]:
        """The entry for ``key``; no more of a value is read than an entry may be long."""
        return Deferred.fromCoroutine(self._get(key))

    def put(self, key: bytes, entry: Entry, keep: float) -> Deferred[None]:
        """Store an entry, until Redis forgets it after ``keep`` seconds, rounded up to a millisecond."""
        return Deferred.fromCoroutine(self._put(key, entry, keep))

    def remove(self, key: bytes) -> Deferred[bool]:
        """Remove the entry for ``key``."""
        return Deferred.fromCoroutine(self._remove(_name(key)))

    def clear(self) -> Deferred[int]:
        """Remove all of our keys, those of other proxies too, and no other; a few at a time."""
        return within(_PATIENCE, self._reactor, Deferred.fromCoroutine(self._clear()))

    def keys(self, limit: int) -> Deferred[list[bytes]]:
        """Some keys, from any proxy."""
        return within(_PATIENCE, self._reactor, Deferred.fromCoroutine(self._keys(limit)))

    def state(self) -> str:
        """``working``, or what is wrong."""
        now = self._reactor.seconds()
        if self._problem is not None:
            return self._problem
        if self._reaching.problem is None and self._storing.problem is not None:
            return f"storing is off: {self._storing.state(now)}"
        return self._reaching.state(now)

    def stop(self) -> Deferred[None]:
        """Wait for the calls that are under way, none longer than the time-out, and close the connection."""
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        try:
            from txredisapi import RedisProtocol
        except ImportError as error:
            reason = f"{self.url} needs txredisapi, which is not installed: pip install 'netlab-daemons[redis]'"
            self._problem = reason
            raise StoreRefused(reason) from error
        self._link = RedisLink(self._address, self._reactor, RedisProtocol)
        self._problem = None
        with suppress(StoreError):  # `state` has the reason
            await self._call("PING")

    async def _get(self, key: bytes) -> Entry | None:
        try:
            data = await self._call("GETRANGE", _name(key), 0, MAX_PACKED)
        except WrongType:
            self.malformed += 1
            return None
        found = unpack(data, self._run)
        if found is not None and found[0] == key:
            return found[1]
        self.malformed += data != b""
        return None

    async def _put(self, key: bytes, entry: Entry, keep: float) -> None:
        expiry = () if math.isinf(keep) else ("PX", min(max(1, math.ceil(keep * 1000)), _LONGEST))
        packed = pack(key, entry, self._run)
        if self._weight + len(packed) + _OVERHEAD > self._limits.waiting:
            self.dropped += 1
            raise StoreError("too much waits for Redis")
        if not self._storing.allows(self._reactor.seconds()):
            raise StoreError(self.state())
        try:
            await self._call("SET", _name(key), packed, *expiry)
        except Refusal as error:
            self._storing.failed(str(error), self._reactor.seconds())
            raise
        except BaseException:
            self._storing.abandoned()
            raise
        self._storing.succeeded()

    async def _remove(self, *names: bytes) -> bool:
        return _count(await self._call("UNLINK", *names)) > 0

    async def _clear(self) -> int:
        total, cursor = 0, b"0"
        while True:
            cursor, names = await self._scan(cursor)
            if names:
                total += _count(await self._call("UNLINK", *names))
            if cursor == b"0":
                return total

    async def _keys(self, limit: int) -> list[bytes]:
        found: dict[bytes, None] = {}
        cursor = b"0"
        while len(found) < limit:
            cursor, names = await self._scan(cursor)
            for name in names[: limit - len(found)]:
                key = await self._key_under(name)
                if key is not None:
                    found[key] = None
            if cursor == b"0":
                break
        return list(found)

    async def _key_under(self, name: bytes) -> bytes | None:
        try:
            found = unpack(await self._call("GETRANGE", name, 0, MAX_PACKED), self._run)
        except WrongType:
            return None
        return found[0] if found is not None and _name(found[0]) == name else None

    async def _scan(self, cursor: bytes) -> tuple[bytes, list[bytes]]:
        """The next cursor, and some of our keys."""
        match await self._call("SCAN", cursor, "MATCH", _ALL, "COUNT", _STEP):
            case [bytes(following), list(names)]:
                return following, [name for name in names if isinstance(name, bytes) and name.startswith(PREFIX)]
            case other:
                raise StoreError(f"Redis answered SCAN with {type(other).__name__}")

    async def _call(self, *words: bytes | str | int) -> Any:
        """Redis's answer, or a `StoreError`; after one that says nothing of Redis's health, calls go on."""
        if self._problem is not None or self._link is None:
            raise StoreError(self._problem or "stopped")
        weight = _OVERHEAD + sum(len(word) for word in words if isinstance(word, bytes))
        if self._weight + weight > self._limits.waiting:
            raise StoreError("too much waits for Redis")
        if not self._reaching.allows(self._reactor.seconds()):
            raise StoreError(self.state())
        self._weight += weight
        try:
            return await self._answered(self._link, words)
        finally:
            self._weight -= weight
            if self._weight == 0 and self._idle is not None:
                self._idle.callback(None)

    async def _answered(self, link: RedisLink, words: tuple[bytes | str | int, ...]) -> Any:
        from txredisapi import ResponseError

        try:
            answer = await within(self._limits.timeout, self._reactor, link.call(*words))
        except ResponseError as error:
            text = " ".join(str(error).split())[:200]
            if text.startswith(_UNWELL):
                raise self._unreachable(text) from error
            self._reaching.succeeded()
            raise (WrongType if text.startswith("WRONGTYPE") else Refusal)(f"Redis: {text}") from error
        except Late as error:
            link.abort(f"Redis: {error}")  # or its answer would be taken for the next one's
            raise self._unreachable(f"Redis: {error}") from error
        except RedisUnreachable as error:
            raise self._unreachable(f"Redis: {error}") from error
        except CancelledError:
            self._reaching.abandoned()
            raise
        self._reaching.succeeded()
        return answer

    def _unreachable(self, problem: str) -> StoreError:
        self._reaching.failed(problem, self._reactor.seconds())
        return StoreError(problem)

    async def _stop(self) -> None:
        link, self._link = self._link, None
        self._problem = "stopped"
        if link is None:
            return
        if self._weight:
            self._idle = Deferred()
            await self._idle
        try:
            await within(self._limits.timeout, self._reactor, link.close())
        except Late:
            link.abort("the store was stopped")


class Refusal(StoreError):
    """Redis answered a command with an error."""


class WrongType(Refusal):
    """What is under the key is no string."""


#: Errors that say that this server is of no use at all at the moment.
_UNWELL = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "NOAUTH", "BUSY")


def _name(key: bytes) -> bytes:
    return PREFIX + digest_of(key).hex().encode()


def _count(answer: object) -> int:
    if isinstance(answer, int):
        return answer
    raise StoreError(f"Redis answered UNLINK with {type(answer).__name__}")
