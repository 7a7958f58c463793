"""Findings as plain JSON values (docs/trace-apps.md): objects, arrays, texts, numbers, booleans and null.

Every field of the facts stands there by its name. Times since 1970 are texts in seconds with nine decimals, as in the
rest of the document, because a JSON number would lose some; all that are differences are whole nanoseconds. An
``Application``'s ``facts`` have no type of their own: ``protocol`` says what they are.
"""

from collections.abc import Callable, Iterator, Mapping
from json import dumps
from json.encoder import encode_basestring_ascii
from typing import Any

import attrs

from netlab.trace.app.findings import Findings
from netlab.trace.app.span import Part

#: Fields that are points in time, in ns since 1970.
_MOMENTS = frozenset({"time", "began", "ended", "now", "request_time", "reply_time"})


def arrays(findings: Findings) -> Iterator[tuple[str, Iterator[str]]]:
    """The name of each array, and its objects, as JSON."""
    for name in ("applications", "echoes", "passages", "artefacts"):
        yield name, map(text_of, getattr(findings, name))


def text_of(facts: Any) -> str:
    """Any of the facts as JSON. It is written at once: to make plain values first takes three times as long."""
    kind = type(facts)
    if kind is str:
        return encode_basestring_ascii(facts)
    if kind is int:
        return str(facts)
    if kind is tuple:
        return f"[{', '.join(map(text_of, facts))}]"
    names = _names(kind)
    if names is not None:
        return f"{{{', '.join(_field(name, getattr(facts, name)) for name in names)}}}"
    return dumps(dict(facts) if isinstance(facts, Mapping) else facts)


def _field(name: str, value: Any) -> str:
    return f'"{name}": {_moment(value) if name in _MOMENTS else _WRITERS.get(name, text_of)(value)}'


def _parts(parts: tuple[Part, ...]) -> str:
    """Of these there are more than of anything else."""
    return f"[{', '.join([_PART % (frame, *divmod(time, 1_000_000_000), size) for frame, time, size in parts])}]"


_PART = '{"frame": %d, "time": "%d.%09d", "length": %d}'
_NAMES: dict[type, tuple[str, ...] | None] = {}
_WRITERS: Mapping[str, Callable[[Any], str]] = {"parts": _parts}


def _names(kind: type) -> tuple[str, ...] | None:
    """The fields of a kind of facts; `None` if it has none."""
    if kind not in _NAMES:
        known = attrs.has(kind)
        _NAMES[kind] = tuple(one.name for one in attrs.fields(kind)) if known else getattr(kind, "_fields", None)
    return _NAMES[kind]


def _moment(time: int | None) -> str:
    return "null" if time is None else f'"{time // 1_000_000_000}.{time % 1_000_000_000:09d}"'
