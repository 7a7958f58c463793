"""The proxy's control socket: a question is a line of JSON, and so is its answer (docs/proxy.md).

It is a UNIX socket that only its owner may open, because who controls a cache decides what others are told.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.policies import TimeoutMixin

from netlab.common.errors import LocalError, NetlabError
from netlab.proxy.explain import key_facts, key_name, record_facts
from netlab.proxy.journal import Journal
from netlab.proxy.pool import Pool
from netlab.proxy.stores.tiers import Tiers

#: Keys that are listed or looked through at most.
_MOST_KEYS = 10_000

#: Seconds after which a silent caller is cut off.
_PATIENCE = 60


class Control:
    """What may be asked: every command by its name, a method that takes the question's other fields."""

    def __init__(self, journal: Journal, store: Tiers, pool: Pool) -> None:
        self._journal = journal
        self._store = store
        self._pool = pool
        self._commands: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "stats": self._stats,
            "explain": self._explain,
            "keys": self._keys,
            "purge": self._purge,
        }

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one question: ``{"result": …}`` or ``{"error": …}``."""
        try:
            question = json.loads(line)
            command = self._commands.get(question.pop("do", None)) if isinstance(question, dict) else None
            if command is None:
                raise LocalError(f'a question is an object whose "do" is one of {", ".join(self._commands)}')
            return {"result": await command(question)}
        except (NetlabError, ValueError, TypeError, RecursionError) as error:
            return {"error": str(error)}

    async def _stats(self, _: dict[str, Any]) -> dict[str, Any]:
        upstreams = [
            {
                "name": upstream.name,
                "connections": upstream.connections,
                "busy": upstream.busy,
                "failures": upstream.failures,
            }
            for upstream in self._pool.upstreams
        ]
        return {"requests": self._journal.counts(), "store": self._store.facts(), "upstreams": upstreams}

    async def _explain(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        last = _whole(question.get("last", 10))
        records = list(self._journal.recent())
        return [record_facts(record) for record in records[max(0, len(records) - last) :]]

    async def _keys(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        keys = await self._store.keys(min(_whole(question.get("limit", 100)), _MOST_KEYS))
        return [key_facts(key) for key in keys]

    async def _purge(self, question: dict[str, Any]) -> int:
        """How many entries were removed."""
        if question.get("all") is True:
            return await self._store.clear()
        name = question.get("key")
        if not isinstance(name, str) or not name:
            raise LocalError('purge takes "key", the name of a key, or "all"')
        removed = [await self._store.remove(key) for key in await self._store.keys(_MOST_KEYS) if _named(key, name)]
        return sum(removed)


def _named(key: bytes, name: str) -> bool:
    return key_name(key).startswith(name)


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise LocalError("a count is a whole number")
    return value


class ControlProtocol(LineOnlyReceiver, TimeoutMixin):
    """One caller; its questions are answered in order."""

    delimiter = b"\n"
    MAX_LENGTH = 4_096
    log = Logger(namespace="netlab.proxy")
    transport: Any

    def __init__(self, control: Control) -> None:
        self._control = control
        self._last: Deferred[None] = Deferred()
        self._last.callback(None)

    def connectionMade(self) -> None:
        """A caller is here."""
        self.setTimeout(_PATIENCE)

    def lineReceived(self, line: bytes) -> None:
        """Answer a question once those before it are answered."""
        self.resetTimeout()
        self._last.addCallback(lambda _: Deferred.fromCoroutine(self._answer(line)))

    def connectionLost(self, reason: Any = None) -> None:
        """The caller is gone."""
        self.setTimeout(None)

    async def _answer(self, line: bytes) -> None:
        try:
            answer = await self._control.answer(line)
        except Exception:
            self.log.failure("A fault of ours while answering the control socket")
            answer = {"error": "a fault of the proxy's own; its log says more"}
        self.sendLine(json.dumps(answer).encode())


class ControlFactory(Factory):
    """Makes the connections of the control socket."""

    noisy = False

    def __init__(self, control: Control) -> None:
        self._control = control

    def buildProtocol(self, addr: IAddress | None) -> ControlProtocol:
        """A connection for one caller."""
        return ControlProtocol(self._control)
