"""What happens to echo requests in words, for a terminal and for a log."""

from collections.abc import Iterator

from netlab.icmp.events import Answered, Duplicated, Event, Lost, Reported, Unsent, sequence_of
from netlab.icmp.exchange import Exchange
from netlab.icmp.session import Summary
from netlab.icmp.statistics import Times

#: So many copies of one reply are told one by one; more are only counted.
MAX_COPIES = 3


def event_text(event: Event, timeout: float) -> str:
    """One line of what happened; ``timeout`` is in seconds."""
    match event:
        case Answered():
            return f"{head(event)} time={milliseconds(event.rtt)}ms{' (late)' if event.late else ''}"
        case Duplicated():
            return f"{head(event)} time={milliseconds(event.rtt)}ms (duplicate)"
        case Lost():
            return f"{head(event)} lost, no answer in {timeout:g} s"
        case Reported():
            return f"{head(event)} {event.cause}, says {event.sender}"
        case Unsent():
            return f"{head(event)} not sent: {event.reason}"


def summary_lines(exchange: Exchange) -> Iterator[str]:
    """What became of everything: one or two lines a target, and one of what was none of ours."""
    for session in exchange:
        summary = session.summary()
        yield f"{session.target.name}: {counts_text(summary)}"
        if summary.times is not None:
            yield f"{session.target.name}: {times_text(summary.times)}"
    if exchange.foreign:
        reasons = ", ".join(f"{count:,} {reason.value}" for reason, count in exchange.foreign.most_common())
        yield f"foreign packets, not counted above: {reasons}"


def counts_text(summary: Summary) -> str:
    """How many requests had which fate."""
    more = [
        f"{count:,} {words}"
        for count, words in (
            (summary.late, "late"),
            (summary.duplicates, "duplicates"),
            (summary.errors, "errors"),
            (summary.unsent, "not sent"),
            (summary.in_flight, "in flight"),
        )
        if count
    ]
    text = f"{summary.sent:,} sent, {summary.received:,} received, {percent(summary.loss)} lost"
    return f"{text} ({', '.join(more)})" if more else text


def times_text(times: Times) -> str:
    """The round-trip times, in milliseconds."""
    figures = (times.min, times.avg, times.median, times.p95, times.max, times.mdev)
    text = "/".join(milliseconds(figure) for figure in figures)
    jitter = "" if times.jitter is None else f", jitter {milliseconds(times.jitter)} ms"
    return f"time min/avg/median/p95/max/mdev = {text} ms{jitter}"


def percent(share: float) -> str:
    """A share as a person reads it: 0% and 100% are only said where nothing and all is meant."""
    if 0 < share < 0.001:
        return "under 0.1%"
    if 0.999 < share < 1:
        return "over 99.9%"
    return f"{share * 100:.3g}%"


def milliseconds(nanoseconds: float) -> str:
    """A time in milliseconds, to the microsecond."""
    return f"{nanoseconds / 1e6:.3f}"


def head(event: Event) -> str:
    """What every line about an event begins with."""
    return f"{event.target.name}: seq={sequence_of(event.number)}"
