"""Findings as plain JSON values (docs/trace-apps.md): objects, arrays, texts, numbers, booleans and null.

Every field of the facts stands there by its name. Times since 1970 are texts in seconds with nine decimals, as in the
rest of the document, because a JSON number would lose some; all that are differences are whole nanoseconds. An
``Application``'s ``facts`` have no type of their own: ``protocol`` says what they are.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from netlab.trace.app.findings import Findings

#: Fields that are points in time, in ns since 1970.
_MOMENTS = frozenset({"time", "began", "ended", "now", "request_time", "reply_time"})


def findings_value(findings: Findings) -> dict[str, Any]:
    """All findings, as one object."""
    return {name: list(values) for name, values in arrays(findings)} | {"left_out": dict(findings.left_out)}


def arrays(findings: Findings) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """The same piece by piece: the name of each array, and its objects."""
    for name in ("applications", "echoes", "passages", "artefacts"):
        yield name, map(value_of, getattr(findings, name))


def value_of(facts: Any) -> Any:
    """Any of the facts as a JSON value."""
    if attrs.has(type(facts)):
        return _named((field.name, getattr(facts, field.name)) for field in attrs.fields(type(facts)))
    if isinstance(facts, tuple) and hasattr(facts, "_fields"):
        return _named(zip(facts._fields, facts, strict=True))
    if isinstance(facts, tuple | list):
        return [value_of(one) for one in facts]
    return dict(facts) if isinstance(facts, Mapping) else facts


def _named(fields: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _moment(value) if name in _MOMENTS else value_of(value) for name, value in fields}


def _moment(time: int | None) -> str | None:
    return None if time is None else f"{time // 1_000_000_000}.{time % 1_000_000_000:09d}"
