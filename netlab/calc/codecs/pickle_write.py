"""Bodies in pickle, protocol 4, byte for byte as the deployed programs write them (protocols.md §1 Bodies).

Written by hand because these programs know our messages by classes that do not exist here (``calculator.Constant``,
``api.CalculatorServerError``), and because a body must not depend on the Python that writes it.
"""

from collections.abc import Hashable, Sequence
from struct import Struct
from typing import Any, NamedTuple

from netlab.calc.expression import (
    BinaryExpression,
    Constant,
    Expression,
    FunctionCall,
    NamedConstant,
    Number,
    UnaryExpression,
)
from netlab.calc.functions import BinaryOperator, Function, UnaryOperator
from netlab.calc.messages import ERROR_MODULES, Answer, Failure

#: PROTO 4, then FRAME and the length of everything after it.
_FRAME = Struct("<3sQ").pack
_I32 = Struct("<i").pack
_U32 = Struct("<I").pack
_F64 = Struct(">d").pack

#: CPython appends to a list by batches of this many.
_BATCH = 1000

_COMPLEX = b"\x8c\x08builtins\x94\x8c\x07complex\x94\x93\x94"

#: The state of a `random.Random`, as its ``getstate`` gives it.
RandomState = tuple[Any, ...]


def write_answer(answer: Answer) -> bytes:
    """The body of a response: the tuple ``(result, steps)``, or an exception."""
    if isinstance(answer, Failure):
        writer = _Writer()
        writer.write(answer)
        return _framed(b"".join(writer.parts))
    steps = [_text(step) + b"\x94" for step in answer.steps]
    if len(steps) == 1:
        steps.append(b"a")
    elif steps:
        batches = [steps[start : start + _BATCH] for start in range(0, len(steps), _BATCH)]
        steps = [part for batch in batches for part in (b"(", *batch, b"e")]
    return _framed(b"".join((_number(answer.result), b"]\x94", *steps, b"\x86\x94")))


def write_expression(expression: Expression, random_state: RandomState = ()) -> bytes:
    """The body of a request.

    :param random_state: what ``rand`` carries to the server, from `random.Random.getstate`; needed only for it.
    """
    writer = _Writer(random_state)
    writer.write(expression)
    return _framed(b"".join(writer.parts))


class _Memo(NamedTuple):
    """Remember what was written last as ``key``, or under no name."""

    key: Hashable


class _Global(NamedTuple):
    """A class or function, by the name that the deployed programs know it by."""

    module: str
    name: str


class _Writer:
    """Parts written so far, and what a later part can refer back to.

    The memo follows identity in the deployed programs: the names of attributes and modules, classes, operators,
    functions and named constants are one object each, so a second use is a reference; all other texts and numbers
    are written again.
    """

    def __init__(self, random_state: RandomState = ()) -> None:
        self.parts: list[bytes] = []
        self._random_state = random_state
        self._memo: dict[Hashable, int] = {}
        self._memoized = 0

    def write(self, *items: Any) -> None:
        """Write bytes as they are, strings as shared names, and everything else by its parts, without recursion."""
        todo = list(reversed(items))
        while todo:
            item = todo.pop()
            if isinstance(item, bytes):
                self.parts.append(item)
            elif isinstance(item, _Memo):
                if item.key is not None:
                    self._memo[item.key] = self._memoized
                self._memoized += 1
                self.parts.append(b"\x94")
            elif (key := _key(item)) in self._memo:
                index = self._memo[key]
                self.parts.append(b"h" + bytes((index,)) if index < 256 else b"j" + _U32(index))
            else:
                todo.extend(reversed(self._parts_of(item, key)))

    def _parts_of(self, item: Any, key: Hashable) -> list[Any]:
        match item:
            case str():
                return [_short_text(item), _Memo(key)]
            case _Global(module, name):
                return [module, _short_text(name), _Memo(None), b"\x93", _Memo(key)]
            case Failure(kind, arguments):
                written = [part for argument in arguments for part in _argument(argument)]
                return [_Global(ERROR_MODULES[kind], kind), *_tuple(written, len(arguments)), b"R", _Memo(None)]
            case Constant(value):
                return [*_instance("Constant", key), "value", _number(value), b"sb"]
            case FunctionCall(function, arguments):
                return [
                    *_instance("FunctionCallExpr", key),
                    b"(",
                    "function",
                    function,
                    "args",
                    *_list(arguments),
                    b"ub",
                ]
            case UnaryExpression(operator, operand):
                return [*_instance("UnaryExpr", key), b"(", "operator", operator, "operand", operand, b"ub"]
            case BinaryExpression(left, operator, right):
                named = ["left_operand", left, "operator", operator, "right_operand", right]
                return [*_instance("BinaryExpr", key), b"(", *named, b"ub"]
        return self._parts_of_shared(item, key)

    def _parts_of_shared(self, item: Any, key: Hashable) -> list[Any]:
        match item:
            case NamedConstant(name, value):
                named = ["name", _short_text(name), _Memo(None), "value", _number(value)]
                return [*_instance("NamedConstant", key), b"(", *named, b"ub"]
            case Function(name, module):
                python = _Global(module, name) if module else _Uniform()
                return [
                    *_instance("Function", key),
                    b"(",
                    "name",
                    _short_text(name),
                    _Memo(None),
                    "function",
                    python,
                    b"ub",
                ]
            case UnaryOperator(symbol, python_name):
                named = ["symbol", symbol, "function", _Global("_operator", python_name)]
                return [*_instance("UnaryOperator", key), b"(", *named, b"ub"]
            case BinaryOperator(symbol, python_name):
                named = ["symbol", symbol, "function", _Global("_operator", python_name)]
                side = _Associativity(int(item.right_associative))
                return [*_instance("BinaryOperator", key), b"(", *named, "associativity", side, b"ub"]
            case _Associativity(value):
                called = [_Global("calculator", "Associativity"), _number(value), b"\x85", _Memo(None)]
                return [*called, b"R", _Memo(key)]
        return self._uniform()

    def _uniform(self) -> list[Any]:
        """``getattr(Random(), 'uniform')``, the state included."""
        version, words, gauss = self._random_state or (3, (), None)
        state = [_number(version), b"(", *(_number(word) for word in words), b"t", _Memo(None)]
        state += [b"N" if gauss is None else _number(gauss), b"\x87", _Memo(None), b"b"]
        source = [_Global("random", "Random"), b")R", _Memo(None), *state]
        method = [_short_text("uniform"), _Memo(None), b"\x86", _Memo(None), b"R", _Memo(None)]
        return [_Global("builtins", "getattr"), *source, *method]


class _Associativity(NamedTuple):
    value: int


class _Uniform(NamedTuple):
    """The random source that ``rand`` carries."""


def _key(item: Any) -> Hashable:
    """What makes two items one object in the deployed programs; `None` for what never is."""
    match item:
        case str() | _Global() | _Associativity():
            return (type(item), item)
        case Function() | UnaryOperator() | BinaryOperator():
            return item
        case NamedConstant(name):
            return (NamedConstant, name)
    return None


def _instance(name: str, key: Hashable) -> list[Any]:
    """A new object with an empty state, which comes next."""
    return [_Global("calculator", name), b")\x81", _Memo(key), b"}", _Memo(None)]


def _argument(argument: str | int | Failure) -> list[Any]:
    if isinstance(argument, str):
        return [_text(argument), _Memo(None)]
    return [argument if isinstance(argument, Failure) else _number(argument)]


def _tuple(items: list[Any], length: int) -> list[Any]:
    if not length:
        return [b")"]
    if length <= 3:
        return [*items, (b"\x85", b"\x86", b"\x87")[length - 1], _Memo(None)]
    return [b"(", *items, b"t", _Memo(None)]


def _list(items: Sequence[Any]) -> list[Any]:
    """A list and its items, appended one at a time if there is one, else by batches."""
    if len(items) == 1:
        return [b"]", _Memo(None), *items, b"a"]
    batches = [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]
    return [b"]", _Memo(None), *(part for batch in batches for part in (b"(", *batch, b"e"))]


def _framed(content: bytes) -> bytes:
    return _FRAME(b"\x80\x04\x95", len(content) + 1) + content + b"."


def _short_text(text: str) -> bytes:
    return b"\x8c" + bytes((len(text),)) + text.encode()


def _text(text: str) -> bytes:
    data = text.encode()
    return (b"\x8c" + bytes((len(data),)) if len(data) < 256 else b"X" + _U32(len(data))) + data


def _number(value: Number) -> bytes:
    if isinstance(value, float):
        return b"G" + _F64(value)
    if isinstance(value, complex):
        return _COMPLEX + b"G" + _F64(value.real) + b"G" + _F64(value.imag) + b"\x86\x94R\x94"
    return _integer(value)


def _integer(value: int) -> bytes:
    if 0 <= value <= 0xFFFF:
        return b"K" + bytes((value,)) if value <= 0xFF else b"M" + value.to_bytes(2, "little")
    if -(2**31) <= value < 2**31:
        return b"J" + _I32(value)
    length = ((value if value >= 0 else ~value).bit_length() >> 3) + 1
    head = b"\x8a" + bytes((length,)) if length < 256 else b"\x8b" + _U32(length)
    return head + value.to_bytes(length, "little", signed=True)
