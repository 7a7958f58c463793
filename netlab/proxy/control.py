"""What may be asked of a running proxy, whoever asks: counters, decisions, keys, and removing what is stored."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from netlab.common.errors import LocalError, NetlabError
from netlab.common.turns import SLICE
from netlab.proxy.explain import key_facts, record_facts
from netlab.proxy.journal import Journal
from netlab.proxy.pool import Pool
from netlab.proxy.stores.base import StoreError
from netlab.proxy.stores.tiers import Tiers

T = TypeVar("T")

#: Keys that are listed at most.
_MOST_KEYS = 10_000

#: Keys that a name may belong to, so that it can be said how many do.
_MOST_NAMED = 10

#: How many hexadecimal digits a SHA-256 has.
_DIGITS = 64
_HEXADECIMAL = set("0123456789abcdef")


class Control:
    """Every command by its name, a method that takes the question's other fields.

    :param clock: so that long answers are made a little in each turn.
    :param measure: seconds on a fine clock.
    """

    def __init__(
        self, journal: Journal, store: Tiers, pool: Pool, clock: IReactorTime, measure: Callable[[], float]
    ) -> None:
        self._journal = journal
        self._store = store
        self._pool = pool
        self._clock = clock
        self._measure = measure
        self._commands: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "stats": self._stats,
            "explain": self._explain,
            "keys": self._keys,
            "purge": self._purge,
        }

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one question, a JSON object: ``{"result": …}`` or ``{"error": …}``."""
        try:
            question = json.loads(line)
            do = question.pop("do", None) if isinstance(question, dict) else None
            command = self._commands.get(do) if isinstance(do, str) else None
            if command is None:
                raise LocalError(f'a question is an object whose "do" is one of {", ".join(self._commands)}')
            return {"result": await command(question)}
        except NetlabError as error:
            return {"error": str(error)}
        except (ValueError, RecursionError):
            return {"error": "a question is a line of JSON"}

    async def _stats(self, _: dict[str, Any]) -> dict[str, Any]:
        upstreams = [
            {
                "name": upstream.name,
                "state": self._pool.state(upstream),
                "connections": upstream.connections,
                "busy": upstream.busy,
            }
            for upstream in self._pool.upstreams
        ]
        return {"requests": self._journal.counts(), "store": self._store.facts(), "upstreams": upstreams}

    async def _explain(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        last = _whole(question, "last", 10)
        records = list(self._journal.recent())
        return await self._each(record_facts, records[max(0, len(records) - last) :])

    async def _keys(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        keys = await self._store.keys(min(_whole(question, "limit", 100), _MOST_KEYS))
        return await self._each(key_facts, keys)

    async def _purge(self, question: dict[str, Any]) -> int:
        """How many entries were removed: one, all, or none."""
        if question.get("all") is True:
            return await self._from_both(self._store.clear())
        name = question.get("key")
        name = name.lower() if isinstance(name, str) else ""
        if not 0 < len(name) <= _DIGITS or set(name) - _HEXADECIMAL:
            raise LocalError('purge takes "key", the name of a key in hexadecimal digits, or "all": true')
        try:
            found = await self._store.find(name, _MOST_NAMED)
        except StoreError as error:
            raise LocalError(f"not in memory, and perhaps in {self._second()}: {error}") from error
        if len(found) > 1:
            raise LocalError(f"the names of {len(found)} keys or more begin with {name}; give more of the name")
        return sum([await self._from_both(self._store.remove(key)) for key in found])

    async def _from_both(self, removing: Deferred[T]) -> T:
        """What was removed; where the second tier fails it is said which of the two still has it."""
        try:
            return await removing
        except StoreError as error:
            raise LocalError(f"removed from memory, but perhaps not from {self._second()}: {error}") from error

    def _second(self) -> str:
        return "the second tier" if self._store.second is None else self._store.second.url

    async def _each(self, make: Callable[[T], dict[str, Any]], items: Iterable[T]) -> list[dict[str, Any]]:
        """``make`` of every item; when a turn's time is used up, the next goes on."""
        made = []
        began = self._measure()
        for item in items:
            if self._measure() - began > SLICE:
                await deferLater(self._clock, 0)
                began = self._measure()
            made.append(make(item))
        return made


def _whole(question: dict[str, Any], name: str, default: int) -> int:
    value = question.get(name, default)
    if type(value) is not int or value < 0:
        raise LocalError(f'"{name}" is a whole number')
    return value
