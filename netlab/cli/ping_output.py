"""What ``netlab ping`` shows: a line for each event, and the summary."""

import sys
from typing import Any

import click

from netlab.icmp.events import Answered, Duplicated, Event, Lost, Reported, Unsent
from netlab.icmp.exchange import Exchange
from netlab.icmp.wishes import Wishes
from netlab.icmp.words import MAX_COPIES, event_text, head, summary_lines


class Output:
    """Takes what happens; this one keeps it to itself."""

    def begin(self, reactor: Any, exchange: Exchange, wishes: Wishes) -> None:
        """Pinging begins."""

    def tell(self, event: Event) -> None:
        """Something happened."""

    def end(self, exchange: Exchange) -> None:
        """It is over."""


class Lines(Output):
    """For a person: a line for each event, unless ``quiet``; in the end two for each target."""

    def __init__(self, colour: bool, quiet: bool) -> None:
        self._colour = colour
        self._quiet = quiet
        self._timeout = 0.0

    def begin(self, reactor: Any, exchange: Exchange, wishes: Wishes) -> None:
        """Say which addresses names have."""
        self._timeout = wishes.timeout
        for session in exchange:
            target = session.target
            if target.name != target.address and not self._quiet:
                self._echo(f"{target.name} is {target.address}")

    def tell(self, event: Event) -> None:
        """Say it, errors in red."""
        if not self._quiet and not (isinstance(event, Duplicated) and event.copies > MAX_COPIES):
            self._echo(event_text(event, self._timeout), red=isinstance(event, Lost | Reported | Unsent))

    def end(self, exchange: Exchange) -> None:
        """The summary."""
        self._echo("")
        for line in summary_lines(exchange):
            self._echo(line)

    def _echo(self, line: str, *, red: bool = False) -> None:
        click.echo(click.style(line, fg="red") if red and self._colour else line, color=self._colour)


class Lab(Output):
    """As the lab's old program: a line for each reply on stdout, and nothing else there.

    It measured in microseconds and printed six decimals of a millisecond. What goes wrong is said on stderr.
    """

    _timeout = 0.0

    def begin(self, reactor: Any, exchange: Exchange, wishes: Wishes) -> None:
        """Nothing is said."""
        self._timeout = wishes.timeout

    def tell(self, event: Event) -> None:
        """Print a reply, complain of everything else."""
        if isinstance(event, Answered):
            click.echo(f"{head(event)} time={event.rtt // 1000 / 1000:f}ms")
        elif not isinstance(event, Duplicated):
            sys.stdout.flush()
            click.echo(event_text(event, self._timeout), err=True)
