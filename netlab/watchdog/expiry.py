"""What a watchdog does about a client whose deadline has come."""

from typing import Any, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred, succeed
from twisted.logger import Logger

from netlab.watchdog.errors import NotProven
from netlab.watchdog.kin import Process
from netlab.watchdog.liveness import Life
from netlab.watchdog.peers import Peer, prove
from netlab.watchdog.supervisor import End, Orders, Supervisor
from netlab.watchdog.timeline import Timeline, named


@frozen
class Silence:
    """A client that asked to be watched, and whose deadline came. Times are seconds of the reactor's clock."""

    name: str
    peer: Peer
    life: Life
    deadline: float
    timeout: float

    def timeline(self) -> Timeline:
        """What is known of it so far."""
        timeline = Timeline(self.life.connected)
        timeline.tell_life(self.life, self.deadline, self.timeout)
        return timeline


class Action(Protocol):
    """What is done; the connection is closed after it."""

    def expired(self, silence: Silence) -> "Deferred[None]":
        """Do it; fires when it is done, and does not fail."""

    def stop(self) -> "Deferred[None]":
        """Come to an end; fires when nothing of it is left."""


class LogAction:
    """Nothing but the line in the log that there is in any case."""

    def expired(self, silence: Silence) -> "Deferred[None]":
        """Nothing."""
        return succeed(None)

    def stop(self) -> "Deferred[None]":
        """Nothing is left."""
        return succeed(None)


class KillAction:
    """Ends the process that is proven to be at the other end, and all that it started."""

    log = Logger(namespace="netlab.watchdog")

    def __init__(self, supervisor: Supervisor, grace: float) -> None:
        self._supervisor = supervisor
        self._grace = grace
        #: Each end with what fires when it is reached.
        self._under_way: dict[End, Deferred[None]] = {}

    def expired(self, silence: Silence) -> "Deferred[None]":
        """End it; fires when it is gone, or when it cannot be ended."""
        return ensureDeferred(self._do(silence)).addErrback(self._fault, silence)

    def stop(self) -> "Deferred[None]":
        """Kill at once who was asked to end."""
        for end in self._under_way:
            end.hurry()
        return DeferredList([*self._under_way.values()]).addCallback(lambda _: None)

    async def _do(self, silence: Silence) -> None:
        process = await self._proven(silence)
        if process is not None:
            await self._end(process, silence)

    async def _proven(self, silence: Silence) -> Process | None:
        """The process at the other end; `None`, and a line in the log, if none is proven.

        `None` as well if its end was under way: it is reached by then, and is not brought about twice. A program may
        have several connections, and so may one that it started.
        """
        table = await self._supervisor.look()
        try:
            process: Process = await self._supervisor.in_thread(prove, silence.peer, table)
        except NotProven as reason:
            self.log.warn("{{{peer}}} Nobody is ended: {reason}", peer=silence.name, reason=str(reason))
            return None
        for end, done in self._under_way.items():
            if end.includes(process):
                self.log.info("{{{peer}}} {process} is being ended", peer=silence.name, process=named(process))
                reached: Deferred[None] = Deferred()
                done.addCallback(reached.callback)
                await reached
                return None
        return process

    async def _end(self, process: Process, silence: Silence) -> None:
        done: Deferred[None] = Deferred()
        timeline = silence.timeline()
        end = self._supervisor.begin([process], Orders(self._grace), timeline)
        self._under_way[end] = done
        self.log.warn("{{{peer}}} Ending {process} and all that it started", peer=silence.name, process=named(process))
        try:
            await end.finish()
        finally:
            del self._under_way[end]
            done.callback(None)
        story = "\n".join(timeline.lines())
        self.log.info("{{{peer}}} What happened:\n{story}", peer=silence.name, story=story)

    def _fault(self, failure: Any, silence: Silence) -> None:
        self.log.failure("{{{peer}}} A fault of ours while ending it", failure, peer=silence.name)
