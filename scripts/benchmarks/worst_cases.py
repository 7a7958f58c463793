"""The requests that cost a calculator most, each just inside the limit that bounds it, or just outside.

Some are answered, some refused: both hold whoever reads them for as long as it takes.
"""

import json
from collections.abc import Callable
from functools import reduce

from benchmarks.worst_pickles import pickles
from netlab.calc.budget import Budget
from netlab.calc.codecs.pickle_write import write_expression
from netlab.calc.expression import BinaryExpression, Constant, Expression, FunctionCall, UnaryExpression
from netlab.calc.functions import FUNCTIONS, OPERATORS, SIGNS
from netlab.calc.header import FOREVER, MAX_BODY, encode_packet
from netlab.calc.parser import parse

_BUDGET = Budget()
_NODES = _BUDGET.max_nodes
_DEPTH = _BUDGET.max_depth
_BITS = _BUDGET.max_bits
_OPERATOR = {what.symbol: what for what in OPERATORS}
_FUNCTION = {what.name: what for what in FUNCTIONS}


def worst_cases() -> dict[str, bytes]:
    """Every case: its name, and the whole packet."""
    trees = {name: write_expression(tree) for name, tree in (_shapes() | _integers() | _powers()).items()}
    texts = {name: json.dumps({"expression": text}).encode() for name, text in _texts().items()}
    bodies = trees | {"chain of additions that fills a packet": _long_chain()} | pickles() | texts | _junk()
    return {name: request(body) for name, body in bodies.items()}


def request(body: bytes) -> bytes:
    """A packet that asks for steps, as the deployed clients send it."""
    return encode_packet(body, timestamp=0, cache=True, steps=True, request=True, max_age=FOREVER)


def small_request(number: int = 1) -> bytes:
    """A request that costs next to nothing."""
    return request(b'{"expression": "%d"}' % number)


def _chain(symbol: str, parts: list[Expression]) -> Expression:
    what = _OPERATOR[symbol]
    return reduce(lambda left, right: BinaryExpression(left, what, right), parts)


def _numbers(*values: int | float) -> list[Expression]:
    return [Constant(value) for value in values]


def _call(name: str, *arguments: Expression) -> Expression:
    return FunctionCall(_FUNCTION[name], arguments)


def _nested(wrap: Callable[[Expression], Expression], times: int) -> Expression:
    expression: Expression = Constant(1)
    for _ in range(times):
        expression = wrap(expression)
    return expression


def _balanced(level: list[Expression]) -> Expression:
    while len(level) > 1:
        level = [_chain("+", level[start : start + 2]) for start in range(0, len(level), 2)]
    return level[0]


def _long_chain() -> bytes:
    """The longest chain whose pickle fits into a packet; it has more nodes than the budget."""
    low, high = 1, 5_000
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(write_expression(_chain("+", _numbers(1) * middle))) <= MAX_BODY
        low, high = (middle, high) if fits else (low, middle - 1)
    return write_expression(_chain("+", _numbers(1) * low))


def _shapes() -> dict[str, Expression]:
    """Every shape, as large as nodes and depth allow, and the longest whose steps still fit."""
    half = _NODES // 2
    return {
        "chain of additions, deepest": _chain("+", _numbers(1) * half),
        "chain of additions, all steps shown": _chain("+", _numbers(1) * 145),
        "signs, deepest": _nested(lambda inner: UnaryExpression(SIGNS[0], inner), _DEPTH - 1),
        "signs, all steps shown": _nested(lambda inner: UnaryExpression(SIGNS[0], inner), 200),
        "calls, deepest": _nested(lambda inner: _call("sin", inner), _DEPTH - 1),
        "sum of pairs, widest": _balanced(_numbers(1) * half),
        "max() of most numbers": _call("max", *_numbers(*range(_NODES - 1))),
        "max() of most floats": _call("max", *_numbers(*(number / 7 for number in range(_NODES - 1)))),
    }


def _integers() -> dict[str, Expression]:
    """Integers as large and as many as bits and work allow, and just under the size that is metered."""
    big, small = 2**_BITS - 1, 2**511 - 1
    half = 2 ** (_BITS // 2 - 10)
    reduced = _chain("%", _numbers(big, 3**9_000, 2**8_000 + 1, 3**2_000, 7**200, 11))
    product = _chain("*", _numbers(half - 1, half + 1))
    growing = _chain("*", _numbers(*([2**255 - 19] * 64)))
    unmetered = _nested(lambda x: _chain("%", [_chain("*", [x, *_numbers(2**255 - 19)]), *_numbers(2**256 - 189)]), 270)
    return {
        "largest integers, printed": _call("max", *_numbers(big) * 9),
        "largest integers, divided": reduced,
        "largest products": _chain("+", [product] * 5),
        "products that grow to the limit": _chain("+", [growing] * 12),
        "integers too small to be metered, added": _chain("+", _numbers(small) * (_NODES // 2 - 1)),
        "integers too small to be metered, multiplied": unmetered,
    }


def _powers() -> dict[str, Expression]:
    """Powers, plain and modular, up to the work that one request may ask for."""
    modulus = 2**300 - 153
    wide = _call("pow", *_numbers(3**180, 2**_BITS - 1, modulus))
    middle = _call("pow", *_numbers(3**180, 2**500 - 1, modulus))
    short = _call("pow", *_numbers(3, 2**500 - 1, 2**29 - 3))
    inverse = _call("pow", *_numbers(3**180, -1, modulus))
    return {
        "largest powers": _chain("+", [_chain("**", _numbers(7, 1_900))] * 60),
        "powers refused uncomputed": _chain("+", [parse("9**9**9")] * 300),
        "modular power, long exponent": wide,
        "modular powers, wide modulus": _chain("+", [middle] * 9),
        "modular powers, narrow modulus": _chain("+", [short] * 55),
        "modular inverses": _chain("+", [inverse] * 300),
        "complex powers": _chain("+", [parse("(-8)**(1/3)")] * 200),
    }


def _texts() -> dict[str, str]:
    """JSON requests of a whole packet."""
    room = MAX_BODY - 20
    return {
        "text of additions": ("1+" * room)[: room - 1],
        "text of brackets": "(" * (room // 2 - 1) + "1" + ")" * (room // 2 - 1),
        "text of brackets, deepest": "(" * _DEPTH + "1" + ")" * _DEPTH,
        "text of signs": "-" * (room - 1) + "1",
        "text of spaces": " " * (room - 1) + "1",
        "text of one integer": "9" * room,
        "text of one float": "9" * (room - 2) + ".5",
        "text of long integers": "+".join(["9" * 200] * 320),
        "text of largest integers": "+".join(["9" * 4_900] * 13),
        "text of floats": "+".join(["1." + "7" * 60] * 1_000),
        "text of names": "+".join(["PI"] * (_NODES // 2)),
        "text of one name": "a" * room,
        "text of calls": "max(" * 16_000 + "1",
        "text of powers, deepest": "**".join(["1"] * (_NODES // 2)),
    }


def _junk() -> dict[str, bytes]:
    """JSON that is no request, and bytes that are nothing."""
    return {
        "JSON of nested lists": b'{"expression":' + b"[" * 65_000,
        "JSON of floats": b'{"expression":[' + b"1e5," * 16_000 + b"1]}",
        "JSON of one integer": b'{"expression":' + b"9" * 65_000 + b"}",
        "JSON of keys": b"{" + b",".join(b'"%d":0' % key for key in range(6_000)) + b"}",
        "JSON of escapes": b'{"expression":"' + b"\\u0031\\u002b" * 5_000 + b'1"}',
        "bytes of no codec": b"\xff" * MAX_BODY,
    }
