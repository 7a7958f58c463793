"""``--on-expiry restart``: what was ended is started again, as it had been started before."""

import os
from pathlib import Path

from twisted.internet.defer import Deferred, DeferredList, ensureDeferred

from netlab.watchdog.errors import CannotWatch
from netlab.watchdog.expiry import KillAction, Silence
from netlab.watchdog.kin import Process
from netlab.watchdog.policy import Backoff
from netlab.watchdog.processes import read_process
from netlab.watchdog.started import Recipe, Started, how_ended
from netlab.watchdog.supervisor import Orders, Supervisor
from netlab.watchdog.timeline import Timeline, named


class RestartAction(KillAction):
    """Ends the process at the other end and starts it again; what was started here ends with the watchdog."""

    def __init__(self, supervisor: Supervisor, grace: float) -> None:
        super().__init__(supervisor, grace)
        self._backoff = Backoff()
        self._running: set[Started] = set()
        self._waits: set[Deferred[None]] = set()
        self._stopped = False

    def stop(self) -> "Deferred[None]":
        """Start nothing more, and end what was started."""
        self._stopped = True
        for wait in self._waits:
            wait.cancel()
        ends = [super().stop()]
        if self._running:
            roots = [started.process for started in self._running]
            end = self._supervisor.begin(roots, Orders(self._grace), Timeline(0.0))
            ends.append(ensureDeferred(end.finish()))
        return DeferredList(ends).addCallback(lambda _: None)

    async def _do(self, silence: Silence) -> None:
        process = await self._proven(silence)
        if process is None:
            return
        recipe = how_started(process)
        if recipe is None:
            self.log.warn("{{{peer}}} Not restarted: how it was started cannot be read", peer=silence.name)
        await self._end(process, silence)
        # Who is ended as well, and then started again, starts its own again.
        is_anothers = any(end.has_started(process) for end in self._under_way)
        if recipe is not None and not self._stopped and not is_anothers:
            self._wait(recipe, silence.name)

    def _wait(self, recipe: Recipe, name: str) -> None:
        """Start it when it is time, which is at once unless it was started a moment ago."""
        seconds = self._backoff.wait(tuple(map(os.fsencode, recipe.words)), self._supervisor.reactor.seconds())
        if seconds:
            self.log.info("{{{peer}}} Restarting in {seconds:g} s", peer=name, seconds=seconds)
        wait = self._supervisor.pause(seconds)
        self._waits.add(wait)
        wait.addCallbacks(lambda _: self._start(recipe, name), lambda _: None)
        wait.addCallback(lambda _: self._waits.discard(wait))

    def _start(self, recipe: Recipe, name: str) -> None:
        try:
            started = Started(self._supervisor.reactor, recipe)
        except CannotWatch as error:
            self.log.error("{{{peer}}} Not restarted: {reason}", peer=name, reason=str(error))
            return
        self._running.add(started)
        started.ended.addCallback(self._ended, started)
        self.log.info("{{{peer}}} Restarted as {process}", peer=name, process=named(started.process))

    def _ended(self, status: int, started: Started) -> None:
        self._running.discard(started)
        self.log.info("{process} has ended: {how}", process=named(started.process), how=how_ended(status))


def how_started(process: Process) -> Recipe | None:
    """How that process was started, as far as Linux still tells (proc(5)); `None` if it does not.

    A program may have written over its words and its environment; then it is started with what it wrote.
    """
    folder = Path(f"/proc/{process.pid}")
    try:
        words = (folder / "cmdline").read_bytes().removesuffix(b"\0").split(b"\0")
        pairs = (line.partition(b"=") for line in (folder / "environ").read_bytes().split(b"\0") if b"=" in line)
        environment = {name: value for name, _, value in pairs}
        recipe = Recipe(words, environment, os.readlink(folder / "cwd"), os.readlink(folder / "exe"))
    except OSError:
        return None
    still = read_process(process.pid)
    return recipe if words[0] and still is not None and still.identity == process.identity else None
