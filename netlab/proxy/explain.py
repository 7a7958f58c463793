"""The proxy's decisions in words and as JSON, for people who ask why."""

import math
from hashlib import sha256
from typing import Any

from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs import json_body
from netlab.calc.codecs.choice import Codec, codec_of
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import CalcError
from netlab.calc.program import flatten
from netlab.proxy.decide import Decision, answer_sum, cache_status, log_line, why
from netlab.proxy.freshness import Freshness
from netlab.proxy.journal import Record

#: Characters of an expression that are shown.
_SHOWN = 120

_BUDGET = Budget()
_READER = ExpressionReader(_BUDGET)


def key_name(key: bytes) -> str:
    """A short name for a key, the same everywhere: the beginning of its SHA-256."""
    return sha256(key).hexdigest()[:12]


def expression_text(key: bytes) -> str:
    """What a key asks for, read by the bounded readers; why it cannot be read, if it cannot."""
    body = key[1:]
    try:
        codec = codec_of(body)
        expression = _READER.read(body) if codec is Codec.PICKLE else json_body.read_expression(body, _BUDGET)
        text = flatten(expression, Meter(_BUDGET)).text
    except CalcError as error:
        return f"({str(error)[:_SHOWN]})"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def key_facts(key: bytes) -> dict[str, Any]:
    """A key for a person: its name, what it asks for, in which codec, and whether with steps."""
    codec = "json" if key[1:2] == b"{" else "pickle" if key[1:2] == b"\x80" else "unknown"
    return {"key": key_name(key), "expression": expression_text(key), "codec": codec, "steps": key[:1] == b"S"}


def record_facts(record: Record) -> dict[str, Any]:
    """A record as JSON can say it; infinite times are the string ``inf``."""
    return {
        "time": record.time,
        "peer": record.peer,
        **key_facts(record.key),
        **decision_facts(record.decision),
        "status": record.status,
        "request_length": record.request_length,
        "response_length": record.response_length,
    }


def decision_facts(decision: Decision) -> dict[str, Any]:
    """A decision in words, with the sums for what was stored and for what an upstream answered.

    A sum is `None` where it was not done, or where no sum decides (C is 0, a server error). ``why`` says why the
    answer was not stored, `None` where there is nothing to say.
    """
    return {
        "cache_status": cache_status(decision),
        "line": log_line(decision),
        "why": why(decision),
        "stored": _sums(decision.freshness),
        "answer": _sums(answer_sum(decision)),
    }


def _sums(total: Freshness | None) -> dict[str, float | str] | None:
    if total is None:
        return None
    names = ("age", "server_limit", "client_limit", "server_remaining", "client_remaining")
    return {name: _finite(getattr(total, name)) for name in names}


def _finite(value: float) -> float | str:
    return "inf" if math.isinf(value) else round(value, 3)
