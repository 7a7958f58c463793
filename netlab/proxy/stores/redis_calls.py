"""Calls to Redis that always end: in time, bounded in number, and none while Redis is being left alone."""

import random
from collections.abc import Callable
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred

from netlab.proxy.backoff import Backoff
from netlab.proxy.stores.base import StoreBusy, StoreError
from netlab.proxy.stores.breaker import Breaker
from netlab.proxy.stores.deadline import Late, within
from netlab.proxy.stores.redis_link import RedisLink, RedisUnreachable

#: What a call weighs besides the key and the packet in it.
_OVERHEAD = 1_000

#: Errors that say that this server is of no use at all at the moment.
_UNWELL = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "NOAUTH", "BUSY")


class Refusal(StoreError):
    """Redis answered a command with an error."""


class WrongType(Refusal):
    """What is under the key is no string."""


@frozen
class RedisLimits:
    """What a `RedisStore` may take.

    ``timeout`` is in seconds, for one call, connecting included; ``waiting`` is how many bytes of calls may be under
    way before more are turned away; ``backoff`` says how long Redis is left alone when it fails.
    """

    timeout: float = 0.25
    waiting: int = 16 << 20
    backoff: Backoff = field(factory=Backoff)


class RedisCalls:
    """Calls over one link, and what they tell of Redis's health.

    When Redis is slow, gone or unintelligible, calls fail at once for a while; then one is let through to try.
    """

    def __init__(
        self, link: RedisLink, reactor: Any, limits: RedisLimits, chance: Callable[[], float] = random.random
    ) -> None:
        self._link = link
        self._reactor = reactor
        self._limits = limits
        self._health = Breaker(limits.backoff, chance)
        self._weight = 0
        self._stopped: Deferred[None] | None = None
        #: Calls that were turned away because too many were under way.
        self.dropped = 0

    @property
    def problem(self) -> str | None:
        """What is wrong; `None` while nothing is."""
        return self._health.problem

    def state(self) -> str:
        """``working``, or what is wrong and when Redis is tried again."""
        return self._health.state(self._reactor.seconds())

    async def call(self, expected: type | tuple[type, ...], *words: bytes | str | int) -> Any:
        """Redis's answer to a command, of an ``expected`` type; or a `StoreError`, a `Refusal` if Redis gave it."""
        if self._stopped is not None:
            raise StoreError("stopped")
        weight = _OVERHEAD + sum(len(word) for word in words if isinstance(word, bytes))
        if self._weight + weight > self._limits.waiting:
            self.dropped += 1
            raise StoreBusy("too much waits for Redis")
        if not self._health.allows(self._reactor.seconds()):
            raise StoreError(self.state())
        self._weight += weight
        try:
            return await self._told(expected, words)
        finally:
            self._ended(weight)

    async def stop(self) -> None:
        """Wait for the calls that are under way, none longer than the time-out, and close the connection."""
        if self._stopped is not None:
            return
        self._stopped = Deferred()
        if self._weight:
            await self._stopped
        try:
            await within(self._limits.timeout, self._reactor, self._link.close())
        except Late:
            self._link.abort("the store was stopped")

    def _ended(self, weight: int) -> None:
        self._weight -= weight
        if self._weight == 0 and self._stopped is not None:
            self._stopped.callback(None)

    async def _told(self, expected: type | tuple[type, ...], words: tuple[bytes | str | int, ...]) -> Any:
        """The answer, after the breaker was told what it says of Redis's health."""
        try:
            answer = await self._answer(expected, words)
        except Refusal:
            self._health.succeeded()
            raise
        except StoreError as error:
            self._health.failed(str(error), self._reactor.seconds())
            raise
        except BaseException:
            self._health.abandoned()
            raise
        self._health.succeeded()
        return answer

    async def _answer(self, expected: type | tuple[type, ...], words: tuple[bytes | str | int, ...]) -> Any:
        from txredisapi import ResponseError

        try:
            answer = await within(self._limits.timeout, self._reactor, self._link.call(*words))
        except ResponseError as error:
            raise _refusal(error) from error
        except Late as error:
            self._link.abort(str(error))  # or its answer would be taken for the next one's
            raise StoreError(f"Redis: {error}") from error
        except RedisUnreachable as error:
            raise StoreError(f"Redis: {error}") from error
        if not isinstance(answer, expected):
            self._link.abort("it answered something else")
            raise StoreError(f"Redis: it answered {words[0]!s} with a value of type {type(answer).__name__}")
        return answer


def _refusal(error: Exception) -> StoreError:
    text = " ".join(str(error).split())[:200]
    if text.startswith(_UNWELL):
        return StoreError(f"Redis: {text}")
    return (WrongType if text.startswith("WRONGTYPE") else Refusal)(f"Redis: {text}")
