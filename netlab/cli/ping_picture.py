"""``netlab ping --png FILE``: the round-trip times as a picture, drawn at the end by matplotlib (an extra)."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netlab.cli.ping_output import Output
from netlab.cli.terminal import Failed
from netlab.icmp.events import Answered, Event, Lost, Reported, Target, Unsent
from netlab.icmp.exchange import Exchange
from netlab.icmp.series import Series
from netlab.icmp.wishes import Wishes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More names in a legend hide the picture.
_MAX_LEGEND = 12

_SIZE = (10.0, 5.0)
_DPI = 120


class Picture(Output):
    """Draws a picture at the end, beside what another output shows.

    :raises click.UsageError: the picture could not be drawn, which is better said before than after hours of pinging.
    """

    def __init__(self, shown: Output, path: str) -> None:
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise click.UsageError("--png needs matplotlib: pip install 'netlab-daemons[plot]'") from None
        target = Path(path)
        if not target.parent.is_dir() or not os.access(target if target.exists() else target.parent, os.W_OK):
            raise click.UsageError(f"--png {path} cannot be written: there is no such folder, or it is not yours")
        self._shown = shown
        self._path = path
        self._began = 0.0
        self._figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
        self._series: dict[Target, Series] = {}

    def begin(self, reactor: Any, exchange: Exchange, wishes: Wishes) -> None:
        """Keep times from now on."""
        self._began = time.monotonic()
        self._series = {session.target: Series() for session in exchange}
        self._shown.begin(reactor, exchange, wishes)

    def tell(self, event: Event) -> None:
        """Keep what is to be drawn."""
        now = time.monotonic() - self._began
        if isinstance(event, Answered):
            self._series[event.target].answered(now, event.rtt)
        elif isinstance(event, Lost | Reported | Unsent):
            self._series[event.target].lost(now)
        self._shown.tell(event)

    def end(self, exchange: Exchange) -> None:
        """Draw."""
        self._shown.end(exchange)
        try:
            _draw(self._figure, self._series, self._path)
        except OSError as error:
            raise Failed(f"netlab ping: {self._path} cannot be written: {error.strerror}", exit_code=2) from None


def _draw(figure: "Figure", series: dict[Target, Series], path: str) -> None:
    axes = figure.add_subplot()
    for target, each in series.items():
        _draw_target(axes, target.name, each)
    axes.set_xlabel("seconds since the start")
    axes.set_ylabel("round-trip time, ms")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(series) <= _MAX_LEGEND:
        axes.legend(loc="upper right")
    figure.savefig(path, format="png")


def _draw_target(axes: Any, name: str, series: Series) -> None:
    """A line of the means, a band from the shortest to the longest, and losses as crosses along the bottom."""
    answered = [span for span in series.spans if span.answered]
    times = [span.start for span in answered]
    (line,) = axes.plot(times, [(span.mean or 0) / 1e6 for span in answered], label=name, marker=".", linewidth=1)
    lows, highs = [span.low / 1e6 for span in answered], [span.high / 1e6 for span in answered]
    axes.fill_between(times, lows, highs, color=line.get_color(), alpha=0.2)
    lost = [span.start for span in series.spans if span.lost]
    if lost:
        axes.plot(lost, [0.0] * len(lost), "x", color=line.get_color(), markersize=8, clip_on=False)
