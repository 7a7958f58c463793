"""Pickles that cost their reader most: written by hand, since no pickler writes such things."""

from netlab.calc.budget import Budget
from netlab.calc.header import MAX_BODY

_START = b"\x80\x04"
#: Bytes of integers: none of the first is metered when it is added or printed, all of the others are.
_AROUND_THE_METER = (64, 66, 128, 240)
_CONSTANT = b"ccalculator\nConstant\n"


def pickles() -> dict[str, bytes]:
    """Every case: its name, and the body."""
    return _of_one_opcode() | _of_objects() | _that_refer_to_themselves()


def _filled(head: bytes, part: bytes, tail: bytes = b".", most: int = MAX_BODY) -> bytes:
    """The head, as often as it fits (at most ``most`` times) the part, and the tail."""
    return head + part * min(most, (MAX_BODY - len(head) - len(tail)) // len(part)) + tail


def _of_one_opcode() -> dict[str, bytes]:
    long_text = (MAX_BODY - 8).to_bytes(4, "little")
    return {
        "pickle of nothing but None": _filled(_START, b"N"),
        "pickle of lists": _filled(_START, b"]"),
        "pickle of nested tuples": _filled(_START + b")", b"\x85"),
        "pickle of marks": _filled(_START, b"("),
        "pickle of marks and tuples": _filled(_START, b"(t"),
        "pickle of memo entries": _filled(_START + b"N", b"\x94"),
        "pickle of memo places": _filled(_START + b"N", b"r\x00\xf0\x00\x00"),
        "pickle of references": _filled(_START + b"N\x94", b"h\x00"),
        "pickle of numbers": _filled(_START, b"K\x01"),
        "pickle of texts": _filled(_START, b"\x8c\x00"),
        "pickle of integers": _filled(_START, b"\x8a\x01\x01"),
        "pickle of globals": _filled(_START, b"cmath\nsin\n"),
        "pickle of one text": _START + b"X" + long_text + b"\xc3\xa9" * (MAX_BODY // 2 - 4) + b".",
        "pickle of one integer": _START + b"\x8b" + long_text + b"\x7f" * (MAX_BODY - 8) + b".",
        "pickle that asks for gigabytes": _START + b"\x8b\xff\xff\xff\x7f.",
    }


def _of_objects() -> dict[str, bytes]:
    empty = _filled(_START + _CONSTANT + b"\x94", b"h\x00)\x81\x94}\x94")
    named = _START + _CONSTANT + b"\x94\x8c\x05value\x94"
    return {
        "pickle of empty objects": empty,
        "pickle of objects": _filled(named + b"](", b"h\x00)\x81}h\x01K\x01sb", b"e."),
        "pickle of attributes": _filled(named + b"](h\x00)\x81}", b"h\x01K\x01s", b"be."),
        "pickle of attributes, by batch": _filled(named + b"](h\x00)\x81}", b"(h\x01K\x01u", b"be."),
        "pickle of calls": _filled(_START + b"ccalculator\nAssociativity\n\x94](", b"h\x00K\x00\x85R", b"e."),
        "pickle of random sources": _filled(_START + b"crandom\nRandom\n\x94](", b"h\x00)R)b", b"e."),
    }


def _that_refer_to_themselves() -> dict[str, bytes]:
    deepest = Budget().max_nodes.bit_length() - 2
    float_value = b"G\x3f\xd5" + b"\x55" * 6
    return {
        "pickle that doubles itself, most nodes": _START + _doubled(_constant(), deepest) + b".",
        "pickle that doubles itself, too often": _START + _doubled(_constant(), 60) + b".",
        **{
            f"pickle that doubles an integer of {size * 8} bits": _START
            + _doubled(_constant(_integer(size)), deepest)
            + b"."
            for size in _AROUND_THE_METER
        },
        "pickle that doubles a float": _START + _doubled(_constant(float_value), deepest) + b".",
        "pickle of most work": _START + _doubled(_power(), 6) + b".",
        "pickle of most opcodes, nodes and work": _most_of_all(deepest),
    }


def _most_of_all(deepest: int) -> bytes:
    """As many opcodes as allowed, that set one attribute again and again; then as many nodes, and as much work."""
    padding = b"(h\xfdK\x01u" * ((Budget().max_opcodes - 900) // 4)
    value = b"K\x01s" + _text(b"value") + b"q\xfdK\x01s" + padding
    nodes = _doubled(_constant(value[:2], value[3:]), deepest - 1)
    work = _doubled(_power(), 6, first=20)
    more = _binary(b"h" + bytes((deepest - 2,)), work)
    return _START + _binary(nodes, more) + b"."


def _integer(size: int) -> bytes:
    """An integer of ``size`` bytes, at most 255."""
    return b"\x8a" + bytes((size,)) + b"\x77" * size


def _text(text: bytes) -> bytes:
    return b"\x8c" + bytes((len(text),)) + text


def _object(name: bytes, /, **attributes: bytes) -> bytes:
    state = b"".join(_text(attribute.encode()) + value for attribute, value in attributes.items())
    return b"ccalculator\n" + name + b"\n)\x81}(" + state + b"ub"


def _constant(value: bytes = b"K\x01", more: bytes = b"") -> bytes:
    """A constant; ``more`` are opcodes that do something to its state."""
    return _CONSTANT + b")\x81}" + _text(b"value") + value + b"s" + more + b"b"


def _power() -> bytes:
    """A modular power that takes a 64th of the work allowed: 440 squarings under a small modulus."""
    function = _object(b"Function", name=_text(b"pow"), function=b"cbuiltins\npow\n")
    exponent, modulus = b"\x8a\x37" + b"\xff" * 54 + b"\x00", b"J\xfd\xff\xff\x1f"
    arguments = b"](" + _constant(b"K\x03") + _constant(exponent) + _constant(modulus) + b"e"
    return _object(b"FunctionCallExpr", function=function, args=arguments)


def _binary(left: bytes, right: bytes) -> bytes:
    side = b"ccalculator\nAssociativity\nK\x00\x85R"
    plus = _object(b"BinaryOperator", symbol=_text(b"+"), function=b"c_operator\nadd\n", associativity=side)
    return _object(b"BinaryExpr", left_operand=left, operator=plus, right_operand=right)


def _doubled(written: bytes, times: int, first: int = 0) -> bytes:
    """``x + x`` with both the same object, ``times`` times over; in the memo they stand from ``first`` on."""
    for place in range(first, first + times):
        written = _binary(written + b"q" + bytes((place,)), b"h" + bytes((place,)))
    return written + b"q" + bytes((first + times,))
