"""``--on-expiry exec:COMMAND``: somebody else decides what becomes of who is silent."""

import os
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.logger import Logger

from netlab.watchdog.errors import CannotWatch, NotProven
from netlab.watchdog.expiry import Silence
from netlab.watchdog.peers import prove
from netlab.watchdog.started import Recipe, Started, how_ended
from netlab.watchdog.supervisor import Orders, Supervisor
from netlab.watchdog.timeline import Timeline

#: Commands at once: somebody who connects a thousand times in vain would start as many.
MAX_COMMANDS = 16


class CommandAction:
    """Runs a command for each client that is silent, and tells it in its environment who that is.

    ``NETLAB_PEER`` is the client's address, ``NETLAB_PID`` the process that is proven to be there (or missing), and
    ``NETLAB_TIMEOUT`` for how many seconds nothing came.
    """

    log = Logger(namespace="netlab.watchdog")

    def __init__(self, supervisor: Supervisor, grace: float, words: tuple[str, ...]) -> None:
        self._supervisor = supervisor
        self._grace = grace
        self._words = words
        self._running: set[Started] = set()

    def expired(self, silence: Silence) -> "Deferred[None]":
        """Run the command; fires when it has begun."""
        return ensureDeferred(self._do(silence)).addErrback(self._fault, silence)

    def stop(self) -> "Deferred[None]":
        """End the commands that still run, and all that they started."""
        if not self._running:
            return succeed(None)
        roots = [started.process for started in self._running]
        end = self._supervisor.begin(roots, Orders(self._grace), Timeline(0.0))
        return ensureDeferred(end.finish())

    async def _do(self, silence: Silence) -> None:
        environment = {**os.environ, "NETLAB_PEER": silence.name, "NETLAB_TIMEOUT": f"{silence.timeout:g}"}
        table = await self._supervisor.look()
        try:
            process = await self._supervisor.in_thread(prove, silence.peer, table)
            environment["NETLAB_PID"] = str(process.pid)
        except NotProven as reason:
            self.log.info("{{{peer}}} Who it is, is not known: {reason}", peer=silence.name, reason=str(reason))
        if len(self._running) >= MAX_COMMANDS:
            line = "{{{peer}}} No command is run: {count} still are, the most that may be"
            self.log.warn(line, peer=silence.name, count=MAX_COMMANDS)
            return
        self._run(Recipe(self._words, environment), silence.name)

    def _run(self, recipe: Recipe, name: str) -> None:
        try:
            started = Started(self._supervisor.reactor, recipe)
        except CannotWatch as error:
            self.log.error("{{{peer}}} {reason}", peer=name, reason=str(error))
            return
        self._running.add(started)
        started.ended.addCallback(self._ended, started, name)
        self.log.info("{{{peer}}} Runs {command}", peer=name, command=self._words[0])

    def _ended(self, status: int, started: Started, name: str) -> None:
        self._running.discard(started)
        self.log.info("{{{peer}}} {command} has ended: {how}", peer=name, command=self._words[0], how=how_ended(status))

    def _fault(self, failure: Any, silence: Silence) -> None:
        self.log.failure("{{{peer}}} A fault of ours while running a command", failure, peer=silence.name)
