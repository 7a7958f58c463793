"""What happens to echo requests as names and plain values, for JSON (docs/ping.md describes them)."""

from typing import Any

from attrs import asdict

from netlab.icmp.events import Answered, Duplicated, Event, Lost, Reported, Target, Unsent, sequence_of
from netlab.icmp.session import Summary


def event_fields(event: Event) -> tuple[str, dict[str, Any]]:
    """An event's name, and what it has to say."""
    name, fields = _own_fields(event)
    return name, {**whom(event.target), "seq": sequence_of(event.number), "number": event.number, **fields}


def _own_fields(event: Event) -> tuple[str, dict[str, Any]]:
    match event:
        case Answered():
            return "reply", {"time_ms": _milliseconds(event.rtt), "late": event.late}
        case Duplicated():
            return "duplicate", {"time_ms": _milliseconds(event.rtt), "copies": event.copies}
        case Lost():
            return "lost", {}
        case Reported():
            error = {"from": event.sender, "cause": event.cause, "type": event.type, "code": event.code}
            return "error", error
        case Unsent():
            return "unsent", {"reason": event.reason}


def summary_fields(summary: Summary) -> dict[str, Any]:
    """The counts, the share lost, and the times, which are `None` without an answer."""
    fields = asdict(summary, recurse=False)
    del fields["times"]
    times = summary.times
    return {
        **fields,
        "loss": round(summary.loss, 6),
        "times_ms": None if times is None else {name: _milliseconds(time) for name, time in asdict(times).items()},
    }


def _milliseconds(nanoseconds: float | None) -> float | None:
    return None if nanoseconds is None else round(nanoseconds / 1e6, 6)


def whom(target: Target) -> dict[str, Any]:
    """The target of an event, a summary."""
    return {"target": target.name, "address": target.address, "family": target.family.version}
