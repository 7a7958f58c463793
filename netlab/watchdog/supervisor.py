"""Ending programs: the decisions of `netlab.watchdog.ending` carried out, and told."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from netlab.watchdog.ending import Call, Decision, Ending
from netlab.watchdog.kin import Identity, Process, Table, family
from netlab.watchdog.processes import read_table, send
from netlab.watchdog.timeline import Timeline, named, names

#: How much longer than a look at all processes took the pause to the next one is, where processes are very many.
_EASE = 4


@frozen
class Orders:
    """How a program is to be ended.

    ``grace`` is seconds from ``polite``, the signal that asks, to the kill. Nothing happens to the numbers in
    ``spared``, nor to what those started. With ``adopting``, whatever this process has become the parent of belongs
    to the program as well (see `netlab.watchdog.processes.adopt_orphans`).
    """

    grace: float
    polite: signal.Signals = signal.SIGTERM
    spared: frozenset[int] = frozenset()
    adopting: bool = False


class Supervisor:
    """Ends programs, each with all that it started.

    :param reactor: its clock must not follow the system's (`netlab.common.monotonic`).
    """

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor

    def look(self) -> "Deferred[Table]":
        """All processes that there are."""
        return self.in_thread(read_table)

    def in_thread(self, work: Callable[..., Any], *arguments: Any) -> "Deferred[Any]":
        """Have something done that may take some milliseconds."""
        return deferToThreadPool(self.reactor, self.reactor.getThreadPool(), work, *arguments)

    def begin(self, roots: Iterable[Process], orders: Orders, timeline: Timeline) -> "End":
        """The end of ``roots`` and of all that they started; `End.finish` brings it about."""
        return End(self, roots, orders, timeline)

    def pause(self, seconds: float) -> "Deferred[None]":
        """Fires after that time."""
        waited: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self.reactor.callLater(seconds, waited.callback, None)
        return waited


class End:
    """The end of one program; what happens is noted in its timeline.

    When it is ``over``, ``left`` is who could not be ended.
    """

    def __init__(self, supervisor: Supervisor, roots: Iterable[Process], orders: Orders, timeline: Timeline) -> None:
        self._supervisor = supervisor
        self._orders = orders
        self._timeline = timeline
        self._clock = supervisor.reactor
        self._ending = Ending(orders.grace, self._clock.seconds())
        self._known: dict[Identity, Process] = {root.identity: root for root in roots}
        self._gone: set[Identity] = set()
        self._denied: set[Identity] = set()
        self.left: list[Process] = []
        self.over = False

    @property
    def killed(self) -> bool:
        """Whether the grace was not enough."""
        return self._ending.killed

    def includes(self, process: Process) -> bool:
        """Whether that process is known to be among those who are ended."""
        return process.identity in self._known

    def has_started(self, process: Process) -> bool:
        """Whether one of those who are ended is known to have started that process."""
        return any(identity.pid == process.parent for identity in self._known)

    def hurry(self) -> None:
        """Kill whoever is left at the next look."""
        self._ending.hurry(self._clock.seconds())

    async def finish(self) -> None:
        """Look, and do what is to be done, until nobody is left who can be ended."""
        while (pause := await self._step()) is not None:
            await self._supervisor.pause(pause)
        self.over = True
        if self.left:
            self._timeline.note(self._clock.seconds(), "left", f"{names(self.left)} could not be ended")

    async def _step(self) -> float | None:
        """Look once; seconds until the next look, `None` when it is over."""
        began = self._clock.seconds()
        table = await self._supervisor.look()
        now = self._clock.seconds()
        living = self._members(table)
        self._note_ends(living, now)
        decision = self._ending.look(living.keys() - self._denied, now)
        self._carry_out(decision, now)
        self.left = [living[identity] for identity in decision.left]
        if decision.again is None:
            return None
        return max(decision.again, _EASE * (now - began)) if decision.again else 0.0

    def _members(self, table: Table) -> dict[Identity, Process]:
        """Who belongs to the program and lives."""
        roots = list(self._known.values())
        own = os.getpid()
        if self._orders.adopting:
            roots += [process for process in table.values() if process.parent == own]
        living = family(table, roots, self._orders.spared | {own})
        self._known |= living
        return living

    def _note_ends(self, living: dict[Identity, Process], now: float) -> None:
        for identity, process in self._known.items():
            if identity not in living and identity not in self._gone:
                self._gone.add(identity)
                self._timeline.note(now, "exit", named(process))

    def _carry_out(self, decision: Decision, now: float) -> None:
        number = {Call.ASK: self._orders.polite, Call.STOP: signal.SIGSTOP, Call.KILL: signal.SIGKILL}[decision.call]
        told = [self._known[identity] for identity in decision.to if self._send(identity, number)]
        if told:
            self._timeline.note(now, number.name, names(told))
        if decision.call is Call.ASK:
            for process in told:
                self._send(process.identity, signal.SIGCONT)

    def _send(self, identity: Identity, number: signal.Signals) -> bool:
        try:
            return send(identity, number)
        except PermissionError:
            self._denied.add(identity)
            process = self._known[identity]
            self._timeline.note(self._clock.seconds(), "not ended", f"{named(process)} belongs to another user")
            return False
