"""How a program and all that it started are ended, as decisions: who lives goes in, whom to signal comes out.

First everybody gets the polite signal, also those who appear later. After the grace those who are left are stopped
(SIGSTOP), until a look finds nobody new: what stands still cannot start anything. Then all of them are killed.
"""

from collections.abc import Collection
from enum import Enum

from attrs import frozen

from netlab.watchdog.kin import Identity

#: Seconds between looks: while they may end by themselves, and while they are killed.
PATIENT = 0.05
QUICK = 0.01

#: Looks that may find somebody new before all are killed anyway.
_MAX_FREEZES = 20

#: Seconds after the kill in which the kernel must be done; a process may hang in it, on a broken disk for example.
_GIVE_UP = 5.0


class Call(Enum):
    """What is sent to a process. After `ASK`, a stopped one is made to go on, or it would never hear it."""

    ASK = "the polite signal"
    STOP = "SIGSTOP"
    KILL = "SIGKILL"


@frozen
class Decision:
    """Whom to send what, and when to look again: after ``again`` seconds, or never (`None`).

    ``left`` is nobody when all have ended; else, when ``again`` is `None`, who could not be ended.
    """

    call: Call = Call.ASK
    to: frozenset[Identity] = frozenset()
    again: float | None = None
    left: frozenset[Identity] = frozenset()


class Ending:
    """The end of one program. Ask `look` until it says that there is no more to do.

    :param grace: seconds from the polite signal to the kill.
    :param now: seconds of a clock that does not run backwards.
    """

    def __init__(self, grace: float, now: float) -> None:
        self._kill_at = now + grace
        self._asked: set[Identity] = set()
        self._stopped: set[Identity] = set()
        self._freezes = 0
        #: Whether the grace was not enough.
        self.killed = False

    def look(self, living: Collection[Identity], now: float) -> Decision:
        """What is to be done about those who live."""
        left = frozenset(living)
        if not left or now > self._kill_at + _GIVE_UP:
            return Decision(left=left)
        if now < self._kill_at and not self.killed:
            new = left - self._asked
            self._asked |= new
            return Decision(Call.ASK, new, min(PATIENT, max(self._kill_at - now, 0.0)), left)
        self.killed = True
        new = left - self._stopped
        if new and self._freezes < _MAX_FREEZES:
            self._freezes += 1
            self._stopped |= new
            return Decision(Call.STOP, new, 0.0, left)
        return Decision(Call.KILL, left, QUICK, left)

    def hurry(self, now: float) -> None:
        """Let the grace be over."""
        self._kill_at = min(self._kill_at, now)
