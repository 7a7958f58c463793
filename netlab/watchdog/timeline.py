"""What happened, in its order, for whoever comes to look after the end."""

from collections.abc import Iterable

from attrs import frozen

from netlab.watchdog.kin import Process
from netlab.watchdog.liveness import Life

#: Processes that are named in one line; of more, the number is told.
_NAMED = 4
#: Events that are kept; of more, which one that starts program after program makes, the number is told.
_MAX_EVENTS = 60
#: Nobody reads more of what a program says about itself.
_MAX_DETAIL = 200


@frozen
class Event:
    """One thing that happened ``at`` seconds of a clock that does not run backwards."""

    at: float
    what: str
    detail: str = ""


class Timeline:
    """The events of one watch, shown in seconds since ``origin``, or since the first of them if that was before."""

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._events: list[Event] = []
        self._left_out = 0

    def note(self, at: float, what: str, detail: str = "") -> None:
        """Something happened. Of very many things, the first and the last are kept."""
        self._events.append(Event(at, what, detail[:_MAX_DETAIL]))
        if len(self._events) > _MAX_EVENTS:
            del self._events[_MAX_EVENTS // 2]
            self._left_out += 1

    def tell_life(self, life: Life, deadline: float, timeout: float) -> None:
        """What is known of a client whose ``deadline`` came."""
        if life.started is not None:
            self.note(life.started, "start", "asked to be watched")
        if life.signs:
            self.note(life.last, "last reply", f"sign of life number {life.signs:,}")
        self.note(deadline, "deadline", f"nothing came for {timeout:g} s")

    def lines(self) -> list[str]:
        """A line an event, earliest first."""
        events = sorted(self._events, key=lambda event: event.at)
        origin = min([self._origin, *(event.at for event in events)])
        width = max((len(event.what) for event in events), default=0)
        lines = [f"{event.at - origin:10.3f} s  {event.what:{width}}  {event.detail}".rstrip() for event in events]
        if self._left_out:
            lines.insert(_MAX_EVENTS // 2, f"{'':12}  and {self._left_out:,} more")
        return lines


def named(process: Process) -> str:
    """``process 4711 (ping)``, the name with nothing in it that a terminal would obey."""
    return f"process {process.pid} ({_printable(process.name)})"


def names(processes: Iterable[Process]) -> str:
    """Several of them, in the order of their numbers."""
    everyone = sorted(processes, key=lambda process: process.pid)
    text = ", ".join(named(process) for process in everyone[:_NAMED])
    more = len(everyone) - _NAMED
    return f"{text} and {more:,} more" if more > 0 else text


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
