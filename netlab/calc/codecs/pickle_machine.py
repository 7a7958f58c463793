"""A machine for the part of pickle that calculator messages need; nothing else of pickle exists here.

A pickle is a program for a stack machine. This one knows the 33 opcodes that CPython's pickler emits for the shapes
of protocols.md §1 (protocols 2 to 5) and refuses all others. It imports nothing: a global is looked up in a table of
`Symbol` objects, and what a symbol makes of its arguments is our code, chosen by us. Strings are the only keys that
are ever hashed. Nothing is copied or walked that a GET could have made larger than the pickle itself.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from struct import error as StructError
from typing import Any, NoReturn

from netlab.calc.errors import PickleRefused

_U16, _U32, _I32, _U64, _F64 = (Struct(form).unpack_from for form in ("<H", "<I", "<i", "<Q", ">d"))
_STOP, _MEMOIZE, _BINGET = b".\x94h"
_PROTOCOLS = range(2, 6)
#: NEWOBJ MEMOIZE EMPTY_DICT MEMOIZE
_NEW_AND_EMPTY_STATE = b"\x81\x94}\x94"


class Symbol:
    """What an allowed global stands for.

    ``new()`` makes the empty instance that NEWOBJ asks for, ``call(arguments)`` is what REDUCE does with a tuple;
    `None` where no message does that.
    """

    __slots__ = ("call", "name", "new")

    def __init__(
        self,
        name: str,
        *,
        new: "Callable[[], Instance] | None" = None,
        call: Callable[[tuple[Any, ...]], Any] | None = None,
    ) -> None:
        self.name = name
        self.new = new
        self.call = call

    def __repr__(self) -> str:
        return self.name


class Instance:
    """An object that waits for its state; ``build`` takes the state once and leaves ``value``, or refuses.

    ``size`` and ``depth`` belong to values that are expressions: nodes, each counted as often as it is referred to,
    and levels; both 0 for anything else.
    """

    __slots__ = ("build", "depth", "size", "value")

    def __init__(self, build: "Callable[[Instance, Any], None]") -> None:
        self.build = build
        self.value: Any = None
        self.size = 0
        self.depth = 0


class Machine:
    """One run over one body."""

    __slots__ = ("body", "marks", "memo", "stack", "symbols")

    def __init__(self, body: bytes, symbols: Mapping[tuple[str, str], Symbol]) -> None:
        self.body = body
        self.symbols = symbols
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, max_opcodes: int) -> Any:
        """Do what the pickle says; the one object that it leaves.

        :raises PickleRefused: it is damaged, or asks for anything but plain message shapes.
        """
        body, stack, memo = self.body, self.stack, self.memo
        if len(body) < 2 or body[0] != 0x80 or body[1] not in _PROTOCOLS:
            refuse("it is not of protocol 2, 3, 4 or 5")
        place = 2
        try:
            for _ in range(max_opcodes):
                opcode = body[place]
                place += 1
                # Half of all opcodes are these two; the others cost a call.
                if opcode == _MEMOIZE:
                    memo[len(memo)] = stack[-1]
                elif opcode == _BINGET:
                    stack.append(memo[body[place]])
                    place += 1
                elif opcode == _STOP:
                    return self._result(place)
                else:
                    place = _OPCODES[opcode](self, place)
        except (IndexError, StructError):
            refuse("it ends in the middle, or takes from an empty stack")
        except KeyError as index:
            refuse(f"memo index {index} was never set")
        refuse(f"it has more than {max_opcodes:,} opcodes")

    def _result(self, place: int) -> Any:
        if place != len(self.body):
            refuse(f"{len(self.body) - place} bytes follow its end")
        if self.marks or len(self.stack) != 1:
            refuse("it leaves more or less than one object")
        return self.stack[0]

    def pop_mark(self) -> list[Any]:
        """What was pushed since the last mark."""
        stack = self.stack
        mark = self.marks.pop()
        items = stack[mark:]
        del stack[mark:]
        return items


def refuse(reason: str) -> NoReturn:
    """Refuse the pickle."""
    raise PickleRefused(f"the pickle was refused: {reason}")


def _refused_opcode(machine: Machine, place: int) -> int:
    opcode = machine.body[place - 1]
    refuse(f"opcode {opcode:#04x} at byte {place - 1} has no place in a calculator message")


def _end_of(machine: Machine, start: int, length: int) -> int:
    """Where ``length`` bytes from ``start`` end, inside the body."""
    end = start + length
    if end > len(machine.body):
        refuse(f"a length of {length:,} bytes goes beyond its end")
    return end


def _frame(machine: Machine, place: int) -> int:
    _end_of(machine, place + 8, _U64(machine.body, place)[0])
    return place + 8


def _mark(machine: Machine, place: int) -> int:
    machine.marks.append(len(machine.stack))
    return place


# ---- numbers and strings


def _none(machine: Machine, place: int) -> int:
    machine.stack.append(None)
    return place


def _u8(machine: Machine, place: int) -> int:
    machine.stack.append(machine.body[place])
    return place + 1


def _u16(machine: Machine, place: int) -> int:
    machine.stack.append(_U16(machine.body, place)[0])
    return place + 2


def _i32(machine: Machine, place: int) -> int:
    machine.stack.append(_I32(machine.body, place)[0])
    return place + 4


def _f64(machine: Machine, place: int) -> int:
    machine.stack.append(_F64(machine.body, place)[0])
    return place + 8


def _long(machine: Machine, start: int, length: int) -> int:
    end = _end_of(machine, start, length)
    machine.stack.append(int.from_bytes(machine.body[start:end], "little", signed=True))
    return end


def _long1(machine: Machine, place: int) -> int:
    return _long(machine, place + 1, machine.body[place])


def _long4(machine: Machine, place: int) -> int:
    return _long(machine, place + 4, _U32(machine.body, place)[0])


def _text(machine: Machine, start: int, length: int) -> int:
    end = start + length
    if end > len(machine.body):
        _end_of(machine, start, length)
    try:
        machine.stack.append(machine.body[start:end].decode())
    except UnicodeDecodeError:
        refuse(f"the string at byte {start} is not UTF-8")
    return end


def _text1(machine: Machine, place: int) -> int:
    return _text(machine, place + 1, machine.body[place])


def _text4(machine: Machine, place: int) -> int:
    return _text(machine, place + 4, _U32(machine.body, place)[0])


# ---- containers


def _empty_tuple(machine: Machine, place: int) -> int:
    stack = machine.stack
    if machine.body.startswith(_NEW_AND_EMPTY_STATE, place):
        # Every object begins so in protocols 4 and 5: five opcodes for the price of one.
        memo = machine.memo
        memo[len(memo)] = instance = _new_instance(stack.pop())
        memo[len(memo)] = state = {}
        stack += (instance, state)
        return place + len(_NEW_AND_EMPTY_STATE)
    stack.append(())
    return place


def _tuple1(machine: Machine, place: int) -> int:
    machine.stack.append((machine.stack.pop(),))
    return place


def _tuple2(machine: Machine, place: int) -> int:
    last = machine.stack.pop()
    machine.stack.append((machine.stack.pop(), last))
    return place


def _tuple3(machine: Machine, place: int) -> int:
    last, middle = machine.stack.pop(), machine.stack.pop()
    machine.stack.append((machine.stack.pop(), middle, last))
    return place


def _tuple(machine: Machine, place: int) -> int:
    items = machine.pop_mark()
    machine.stack.append(tuple(items))
    return place


def _empty_list(machine: Machine, place: int) -> int:
    machine.stack.append([])
    return place


def _append(machine: Machine, place: int) -> int:
    item = machine.stack.pop()
    _top(machine, list).append(item)
    return place


def _appends(machine: Machine, place: int) -> int:
    items = machine.pop_mark()
    _top(machine, list).extend(items)
    return place


def _empty_dict(machine: Machine, place: int) -> int:
    machine.stack.append({})
    return place


def _set_item(machine: Machine, place: int) -> int:
    value, key = machine.stack.pop(), machine.stack.pop()
    if type(key) is not str:
        refuse("an attribute has a name that is no string")
    _top(machine, dict)[key] = value
    return place


def _set_items(machine: Machine, place: int) -> int:
    items = machine.pop_mark()
    state = _top(machine, dict)
    names = items[::2]
    for name in names:
        if type(name) is not str:
            refuse("an attribute has a name that is no string")
    if len(items) % 2:
        refuse("an attribute has no value")
    state.update(zip(names, items[1::2], strict=True))
    return place


def _top(machine: Machine, kind: type) -> Any:
    """What is on the stack, which must be exactly of ``kind``, so that only our own containers are ever filled."""
    top = machine.stack[-1]
    if type(top) is not kind:
        refuse(f"it fills something that is no {kind.__name__}")
    return top


# ---- memo


def _put(machine: Machine, index: int) -> None:
    if index > len(machine.body):
        refuse(f"memo index {index:,} is out of all proportion")
    machine.memo[index] = machine.stack[-1]


def _put1(machine: Machine, place: int) -> int:
    _put(machine, machine.body[place])
    return place + 1


def _put4(machine: Machine, place: int) -> int:
    _put(machine, _U32(machine.body, place)[0])
    return place + 4


def _get4(machine: Machine, place: int) -> int:
    machine.stack.append(machine.memo[_U32(machine.body, place)[0]])
    return place + 4


# ---- objects


def _find(machine: Machine, module: str, name: str) -> None:
    symbol = machine.symbols.get((module, name))
    if symbol is None:
        refuse(f"the global {f'{module[:40]}.{name[:40]}'!a} has no place in a calculator message")
    machine.stack.append(symbol)


def _global(machine: Machine, place: int) -> int:
    body = machine.body
    middle = body.find(b"\n", place)
    end = body.find(b"\n", middle + 1)
    if middle < 0 or end < 0:
        refuse("it ends in the middle of a global")
    _find(machine, body[place:middle].decode("latin-1"), body[middle + 1 : end].decode("latin-1"))
    return end + 1


def _stack_global(machine: Machine, place: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        refuse("a global has a name that is no string")
    _find(machine, module, name)
    return place


def _new_instance(symbol: Any) -> Instance:
    if type(symbol) is not Symbol or symbol.new is None:
        refuse("it makes an object of something that is no class of the protocol")
    return symbol.new()


def _new_object(machine: Machine, place: int) -> int:
    if machine.stack.pop() != ():
        refuse("it makes an object with arguments")
    machine.stack.append(_new_instance(machine.stack.pop()))
    return place


def _reduce(machine: Machine, place: int) -> int:
    arguments, symbol = machine.stack.pop(), machine.stack.pop()
    if type(symbol) is not Symbol or symbol.call is None or type(arguments) is not tuple:
        refuse("it calls something that no calculator message calls")
    machine.stack.append(symbol.call(arguments))
    return place


def _build(machine: Machine, place: int) -> int:
    state, instance = machine.stack.pop(), machine.stack[-1]
    if type(instance) is not Instance or instance.value is not None:
        refuse("it sets the state of something that has none to set")
    instance.build(instance, state)
    return place


def _table() -> list[Callable[[Machine, int], int]]:
    table = [_refused_opcode] * 256
    for opcode, action in {
        b"\x95": _frame, b"(": _mark, b"N": _none,
        b"K": _u8, b"M": _u16, b"J": _i32, b"G": _f64, b"\x8a": _long1, b"\x8b": _long4,
        b"\x8c": _text1, b"X": _text4,
        b")": _empty_tuple, b"\x85": _tuple1, b"\x86": _tuple2, b"\x87": _tuple3, b"t": _tuple,
        b"]": _empty_list, b"a": _append, b"e": _appends, b"}": _empty_dict, b"s": _set_item, b"u": _set_items,
        b"q": _put1, b"r": _put4, b"j": _get4,
        b"c": _global, b"\x93": _stack_global, b"\x81": _new_object, b"R": _reduce, b"b": _build,
    }.items():  # fmt: skip
        table[opcode[0]] = action
    return table


_OPCODES = _table()
