"""The 33 opcodes that CPython's pickler emits for the shapes of protocols.md §1 (protocols 2 to 5).

Every action takes the machine and the place after its opcode, and gives the place of the next one. Nothing is copied
or walked that a GET could have made larger than the pickle itself, and strings are the only keys ever hashed.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

from netlab.calc.codecs.pickle_objects import Instance, Machine, Symbol, refused

_U16, _U32, _I32, _U64, _F64 = (Struct(form).unpack_from for form in ("<H", "<I", "<i", "<Q", ">d"))

#: NEWOBJ MEMOIZE EMPTY_DICT MEMOIZE
_NEW_AND_EMPTY_STATE = b"\x81\x94}\x94"


Action = Callable[[Machine, int], int]


def _refused_opcode(machine: Machine, place: int) -> int:
    opcode = machine.body[place - 1]
    raise refused(f"opcode {opcode:#04x} at byte {place - 1} has no place in a calculator message")


def _end_of(machine: Machine, start: int, length: int) -> int:
    """Where ``length`` bytes from ``start`` end, inside the body."""
    end = start + length
    if end > len(machine.body):
        raise refused(f"a length of {length:,} bytes goes beyond its end")
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
        raise refused(f"the string at byte {start} is not UTF-8") from None
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
        memo[len(memo)] = instance = _new_instance(machine)
        stack += (instance, {})
        memo[len(memo)] = stack[-1]
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
        raise refused("an attribute has a name that is no string")
    _top(machine, dict)[key] = value
    return place


def _set_items(machine: Machine, place: int) -> int:
    items = machine.pop_mark()
    state = _top(machine, dict)
    names = items[::2]
    for name in names:
        if type(name) is not str:
            raise refused("an attribute has a name that is no string")
    if len(items) % 2:
        raise refused("an attribute has no value")
    state.update(zip(names, items[1::2], strict=True))
    return place


def _top(machine: Machine, kind: type) -> Any:
    """What is on the stack, which must be exactly of ``kind``, so that only our own containers are ever filled."""
    top = machine.stack[-1]
    if type(top) is not kind:
        raise refused(f"it fills something that is no {kind.__name__}")
    return top


# ---- memo


def _put(machine: Machine, index: int) -> None:
    if index > len(machine.body):
        raise refused(f"memo index {index:,} is out of all proportion")
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
        raise refused(f"the global {f'{module[:40]}.{name[:40]}'!a} has no place in a calculator message")
    machine.stack.append(symbol)


def _global(machine: Machine, place: int) -> int:
    body = machine.body
    middle = body.find(b"\n", place)
    end = body.find(b"\n", middle + 1)
    if middle < 0 or end < 0:
        raise refused("it ends in the middle of a global")
    _find(machine, body[place:middle].decode("latin-1"), body[middle + 1 : end].decode("latin-1"))
    return end + 1


def _stack_global(machine: Machine, place: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise refused("a global has a name that is no string")
    _find(machine, module, name)
    return place


def _new_instance(machine: Machine) -> Instance:
    symbol = machine.stack.pop()
    machine.objects -= 1
    if machine.objects < 0:
        raise refused("it makes more objects than an expression has")
    if type(symbol) is not Symbol or symbol.new is None:
        raise refused("it makes an object of something that is no class of the protocol")
    return symbol.new()


def _new_object(machine: Machine, place: int) -> int:
    if machine.stack.pop() != ():
        raise refused("it makes an object with arguments")
    machine.stack.append(_new_instance(machine))
    return place


def _reduce(machine: Machine, place: int) -> int:
    arguments, symbol = machine.stack.pop(), machine.stack.pop()
    if type(symbol) is not Symbol or symbol.call is None or type(arguments) is not tuple:
        raise refused("it calls something that no calculator message calls")
    machine.stack.append(symbol.call(arguments))
    return place


def _build(machine: Machine, place: int) -> int:
    state, instance = machine.stack.pop(), machine.stack[-1]
    if type(instance) is not Instance or instance.value is not None:
        raise refused("it sets the state of something that has none to set")
    instance.build(instance, state)
    return place


def _table() -> list[Action]:
    table: list[Action] = [_refused_opcode] * 256
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


#: What each opcode does, by its byte.
ACTIONS = _table()
