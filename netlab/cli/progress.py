"""A progress bar on stderr, once something has taken long enough for a person to wonder."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from netlab.cli.terminal import say

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

#: Seconds until the bar shows, and between its changes.
_PATIENCE = 0.5
_REDRAW = 0.1


class Due:
    """Something that a `Turned` clock will do."""

    def __init__(self, when: float, work: Callable[[], None]) -> None:
        self.when = when
        self.work = work
        self._active = True

    def active(self) -> bool:
        """Whether it is still to be done."""
        return self._active

    def cancel(self) -> None:
        """Never do it."""
        self._active = False


class Turned:
    """A clock for work without a reactor: what is due is done when the work says that it has time, by `turn`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._due: list[Due] = []

    def callLater(self, delay: float, work: Callable[[], None]) -> Due:  # as a reactor's
        """Do ``work`` at the first turn after ``delay`` seconds."""
        due = Due(self._now() + delay, work)
        self._due.append(due)
        return due

    def turn(self) -> None:
        """Do what is due."""
        now = self._now()
        ready = [due for due in self._due if due.active() and due.when <= now]
        for due in ready:
            due.cancel()
            due.work()
        self._due = [due for due in self._due if due.active()]


class Progress:
    """How much of ``total`` is ``done``. Errors go through `complain`, so that they do not land inside the bar."""

    def __init__(self, clock: Any, total: int, done: Callable[[], int]) -> None:
        self._done = done
        self._clock = clock
        self._total = total
        self._bar: Bar | None = None
        self._next = clock.callLater(_PATIENCE, self._begin)

    def complain(self, message: str, details: str = "") -> None:
        """Write an error above the bar."""
        if self._bar is None:
            say(message, details)
            return
        self._bar.stop()
        say(message, details)
        self._bar.start()

    def stop(self) -> None:
        """Take the bar away."""
        if self._next.active():
            self._next.cancel()
        if self._bar is not None:
            self._bar.stop()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._bar.add_task("", total=self._total)
        self._bar.start()
        self._draw()

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=self._done(), refresh=True)
        self._next = self._clock.callLater(_REDRAW, self._draw)
