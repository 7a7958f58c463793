"""What ``netlab ping --json`` writes: one JSON object a line for each event (docs/ping.md describes them)."""

import json
import time
from typing import Any

import click

from netlab.cli.ping_output import Output
from netlab.icmp.events import Event
from netlab.icmp.exchange import Exchange
from netlab.icmp.fields import event_fields, summary_fields, whom
from netlab.icmp.wishes import Wishes

#: Goes up when a field changes its meaning or goes away; new fields and events may come without that.
VERSION = 1


class JsonEvents(Output):
    """For machines; with ``quiet`` only the first object and those of the summary."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._began = time.monotonic()

    def begin(self, reactor: Any, exchange: Exchange, wishes: Wishes) -> None:
        """Who is pinged, and how."""
        self._began = time.monotonic()
        self._write(
            "start",
            unix=time.time(),
            targets=[whom(session.target) for session in exchange],
            interval=wishes.interval,
            timeout=wishes.timeout,
            size=wishes.payload_size,
            ttl=wishes.ttl,
        )

    def tell(self, event: Event) -> None:
        """Write it."""
        if not self._quiet:
            name, fields = event_fields(event)
            self._write(name, **fields)

    def end(self, exchange: Exchange) -> None:
        """The summaries, and the end."""
        for session in exchange:
            self._write("summary", **whom(session.target), **summary_fields(session.summary()))
        self._write("end", foreign={reason.name.lower(): count for reason, count in exchange.foreign.items()})

    def _write(self, event: str, **fields: Any) -> None:
        at = round(time.monotonic() - self._began, 6)
        click.echo(json.dumps({"version": VERSION, "event": event, "at": at, **fields}))
