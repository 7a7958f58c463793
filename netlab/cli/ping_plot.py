"""``netlab ping --plot``: the round-trip times as they come, one line of the terminal for each target."""

import sys
from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from netlab.cli.ping_output import Output
from netlab.icmp.events import Answered, Event, Lost, Reported, Target, Unsent
from netlab.icmp.exchange import Exchange
from netlab.icmp.session import Session
from netlab.icmp.wishes import Wishes
from netlab.icmp.words import milliseconds, percent, summary_lines

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text
    from twisted.internet.task import LoopingCall

#: Seconds between two drawings.
_REDRAW = 0.1

#: No terminal is wider, so no more is kept.
_MAX_WIDTH = 512

#: Columns for a name, and beside the curve for the figures.
_NAME_WIDTH = 24
_FIGURES_WIDTH = 26

_BLOCKS = "▁▂▃▄▅▆▇█"
_LOST = "×"
_PLAIN_BLOCKS = "_.-~=*#@"
_PLAIN_LOST = "x"


class Curve:
    """The newest times of one target, by the requests' numbers: nanoseconds, `None` for what was lost."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._cells: deque[tuple[int, int | None]] = deque(maxlen=_MAX_WIDTH)

    def put(self, number: int, rtt: int | None) -> None:
        """Know the fate of a request; an answer that was late takes the place of its loss."""
        for place in range(len(self._cells) - 1, -1, -1):
            if self._cells[place][0] == number:
                self._cells[place] = (number, rtt)
                return
            if self._cells[place][0] < number:
                break
        self._cells.append((number, rtt))

    def newest(self, width: int) -> list[int | None]:
        """The newest times, ``width`` of them at most, the oldest first."""
        return [rtt for _, rtt in self._cells][-width:] if width > 0 else []


def heights(times: list[int | None], levels: int) -> list[int | None]:
    """The height of each time among so many levels, from 0.

    The lowest level is the shortest time. Differences of less than a quarter of the longest do not fill all levels,
    so that a steady line looks steady.
    """
    known = [time for time in times if time is not None]
    if not known:
        return [None] * len(times)
    low, high = min(known), max(known)
    span = max(high - low, high / 4, 1)
    return [None if time is None else min(levels - 1, int((time - low) / span * levels)) for time in times]


class Plot(Output):
    """Draws in place at a terminal, and once, in the end, where there is none."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour
        self._curves: dict[Target, Curve] = {}
        self._live: Live | None = None
        self._loop: LoopingCall | None = None
        unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self._blocks, self._lost = (_BLOCKS, _LOST) if unicode else (_PLAIN_BLOCKS, _PLAIN_LOST)

    def begin(self, reactor: Any, exchange: Exchange, wishes: Wishes) -> None:
        """Draw from now on."""
        from rich.console import Console
        from rich.live import Live
        from twisted.internet.task import LoopingCall

        self._curves = {session.target: Curve(session) for session in exchange}
        if sys.stdout.isatty():
            console = Console(no_color=not self._colour, highlight=False)
            self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
            self._live.start()
            self._loop = LoopingCall(self._draw)
            self._loop.clock = reactor
            self._loop.start(_REDRAW)

    def tell(self, event: Event) -> None:
        """Keep what is to be drawn."""
        match event:
            case Answered():
                self._curves[event.target].put(event.number, event.rtt)
            case Lost() | Reported() | Unsent():
                self._curves[event.target].put(event.number, None)

    def end(self, exchange: Exchange) -> None:
        """Draw for the last time, and the summary below it."""
        if self._live is not None and self._loop is not None:
            if self._loop.running:
                self._loop.stop()
            self._draw()
            self._live.stop()
        else:
            for curve in self._curves.values():
                click.echo(self._line(curve, 80).plain)
        click.echo("")
        for line in summary_lines(exchange):
            click.echo(line)

    def _draw(self) -> None:
        from rich.console import Group

        assert self._live is not None
        width, height = self._live.console.size
        shown = list(self._curves.values())
        if len(shown) > height - 1:
            shown = shown[: max(1, height - 2)]
        lines: list[Any] = [self._line(curve, width) for curve in shown]
        if len(shown) < len(self._curves):
            lines.append(f"and {len(self._curves) - len(shown):,} more, for which this terminal has no lines")
        self._live.update(Group(*lines), refresh=True)

    def _line(self, curve: Curve, width: int) -> "Text":
        from rich.text import Text

        session = curve.session
        columns = max(
            8, width - min(_NAME_WIDTH, max(len(target.name) for target in self._curves)) - _FIGURES_WIDTH - 2
        )
        line = Text(no_wrap=True, overflow="crop")
        name = session.target.name
        longest = min(_NAME_WIDTH, max(len(target.name) for target in self._curves))
        line.append(f"{name[:longest]:<{longest}} ")
        times = curve.newest(columns)
        for is_lost, run in groupby(heights(times, len(self._blocks)), lambda height: height is None):
            cells = "".join(self._lost if height is None else self._blocks[height] for height in run)
            line.append(cells, "bold red" if is_lost else "green")
        line.append(" " * (columns - len(times)))
        last = f"{milliseconds(session.round_trips.last)} ms" if session.received else "no answer"
        decided = session.sent - session.in_flight
        line.append(f" {last:>12} {percent(session.lost / decided if decided else 0.0):>6} lost")
        return line
