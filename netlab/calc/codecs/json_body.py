"""Bodies in JSON, for every program that has no pickle (docs/json.md).

JSON has no infinities, no NaN and no complex numbers, and many of its readers round integers beyond 2**53
(RFC 7493 §2.2). Such results are written as an object with one key that says what its string or list is.
"""

import json
import math
from typing import Any, NoReturn

from netlab.calc.budget import Budget, Meter
from netlab.calc.errors import JsonRefused
from netlab.calc.expression import Expression, Number
from netlab.calc.messages import ERROR_MODULES, Answer, Failure, Success
from netlab.calc.numbers import integer_of, number_text
from netlab.calc.parser import parse

#: The largest integer that every reader of JSON takes exactly.
_SAFE = 2**53 - 1

#: How many errors may be each other's cause.
_MAX_CAUSES = 8


def read_expression(body: bytes, budget: Budget) -> Expression:
    """The expression in a request body, ``{"expression": "max(2, 3) + 3"}``.

    :raises JsonRefused: the body is anything else.
    :raises SyntaxRefused: the text is no expression.
    :raises BudgetExceeded: it has more nodes, depth or bits than ``budget`` allows.
    """
    message = _load(body)
    if type(message) is not dict or message.keys() != {"expression"} or type(message["expression"]) is not str:
        raise _refused('a request is an object with the one key "expression", a string')
    return parse(message["expression"], budget)


def write_expression(text: str) -> bytes:
    """The body of a request for the value of ``text``."""
    return json.dumps({"expression": text}).encode()


def write_answer(answer: Answer, meter: Meter) -> bytes:
    """The body of a response.

    :raises BudgetExceeded: the digits of the result would cost too much to print.
    """
    if isinstance(answer, Failure):
        return json.dumps({"error": _error(answer)}).encode()
    return json.dumps({"result": _result(answer.result, meter), "steps": answer.steps}).encode()


def read_answer(body: bytes) -> Answer:
    """The answer in a response body.

    :raises JsonRefused: it is none.
    """
    message = _load(body)
    if type(message) is dict and message.keys() == {"error"}:
        return _failure(message["error"], _MAX_CAUSES)
    if type(message) is not dict or message.keys() != {"result", "steps"} or type(message["steps"]) is not list:
        raise _refused('a response is an object with "result" and "steps", or with "error"')
    steps = message["steps"]
    if any(type(step) is not str for step in steps):
        raise _refused("a step is a string")
    return Success(_number(message["result"]), tuple(steps))


class _Digits(str):
    """An integer literal, not read yet: how long it is decides whether it will be."""

    __slots__ = ()


def _load(body: bytes) -> Any:
    """Read JSON of bounded cost: no number is computed from its digits, no key counts twice."""
    try:
        return json.loads(body.decode(), parse_int=_Digits, parse_constant=_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise JsonRefused(f"the body is not JSON: {str(error)[:100]}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _refused("an object has a key twice")
    return fields


def _constant(name: str) -> NoReturn:
    raise _refused(f"{name} is not JSON")


def _refused(reason: str) -> JsonRefused:
    return JsonRefused(f"the JSON was refused: {reason}")


def _result(value: Number, meter: Meter) -> Any:
    if isinstance(value, complex):
        return {"complex": [_float(value.real), _float(value.imag)]}
    if isinstance(value, float):
        return _float(value)
    return value if -_SAFE <= value <= _SAFE else {"integer": number_text(value, meter)}


def _float(value: float) -> Any:
    return value if math.isfinite(value) else {"float": str(value)}


def _number(value: Any) -> Number:
    if type(value) is dict and len(value) == 1:
        ((kind, content),) = value.items()
        if kind == "integer" and type(content) is str:
            return _integer(content)
        if kind == "complex" and type(content) is list and len(content) == 2:
            return complex(*(_real(part) for part in content))
    return _integer(value) if type(value) is _Digits else _real(value)


def _real(value: Any) -> float:
    if type(value) is dict and value.keys() == {"float"} and value["float"] in ("inf", "-inf", "nan"):
        return float(value["float"])
    if type(value) is not float:
        raise _refused("the result is no number")
    return value


def _integer(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise _refused("an integer is not written in digits")
    return -integer_of(digits) if text.startswith("-") else integer_of(digits)


def _error(failure: Failure) -> dict[str, Any]:
    words = [item for item in failure.arguments if not isinstance(item, Failure)]
    message = str(words[0]) if len(words) == 1 else ", ".join(map(str, words))
    causes = [_error(item) for item in failure.arguments if isinstance(item, Failure)]
    return {"type": failure.kind, "message": message} | ({"cause": causes[0]} if causes else {})


def _failure(error: Any, causes: int) -> Failure:
    if type(error) is not dict or not {"type", "message"} <= error.keys() <= {"type", "message", "cause"}:
        raise _refused('an error has "type", "message" and perhaps "cause"')
    kind, message = error["type"], error["message"]
    if type(kind) is not str or kind not in ERROR_MODULES or type(message) is not str or not causes:
        raise _refused("an error is of no known type, or has too many causes")
    cause = (_failure(error["cause"], causes - 1),) if "cause" in error else ()
    return Failure(kind, (message, *cause))
