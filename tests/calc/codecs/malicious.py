"""Pickles that no honest program sends, by name: to run code, to take memory or time, to confuse.

They are assembled by hand. The commands that some would run leave a file called `CANARY` in the current folder.
"""

from struct import pack

CANARY = "netlab-canary"
_COMMAND = f"touch {CANARY}"

# ---- an assembler

P4 = b"\x80\x04"
STOP = b"."
MARK = b"("
MEMOIZE = b"\x94"
REDUCE = b"R"
BUILD = b"b"
NONE = b"N"


def body(*parts: bytes, protocol: int = 4) -> bytes:
    """A whole pickle."""
    return bytes((0x80, protocol)) + b"".join(parts) + STOP


def text(words: str) -> bytes:
    """SHORT_BINUNICODE or BINUNICODE."""
    data = words.encode()
    return (b"\x8c" + bytes((len(data),)) if len(data) < 256 else b"X" + pack("<I", len(data))) + data


def integer(value: int) -> bytes:
    """BININT."""
    return b"J" + pack("<i", value)


def tuple_of(*items: bytes) -> bytes:
    """MARK … TUPLE."""
    return MARK + b"".join(items) + b"t"


def list_of(*items: bytes) -> bytes:
    """EMPTY_LIST MARK … APPENDS."""
    return b"](" + b"".join(items) + b"e"


def named(module: str, name: str) -> bytes:
    """STACK_GLOBAL."""
    return text(module) + text(name) + b"\x93"


def old_named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    """REDUCE."""
    return function + tuple_of(*arguments) + REDUCE


def state(**attributes: bytes) -> bytes:
    """A dictionary."""
    return b"}(" + b"".join(text(name) + value for name, value in attributes.items()) + b"u"


def new(kind: str) -> bytes:
    """An empty object of a class of the protocol."""
    return named("calculator", kind) + b")\x81"


def made(kind: str, **attributes: bytes) -> bytes:
    """An object of a class of the protocol, its state set."""
    return new(kind) + state(**attributes) + BUILD


def constant(value: bytes) -> bytes:
    """A Constant."""
    return made("Constant", value=value)


TWO = constant(b"K\x02")
LEFT = call(named("calculator", "Associativity"), b"K\x00")
RIGHT = call(named("calculator", "Associativity"), b"K\x01")
PLUS = made("BinaryOperator", symbol=text("+"), function=named("_operator", "add"), associativity=LEFT)
MINUS = made("UnaryOperator", symbol=text("-"), function=named("_operator", "neg"))
MAX = made("Function", name=text("max"), function=named("builtins", "max"))
RANDOM = call(named("random", "Random"))
SYSTEM = named("os", "system")


def added(left: bytes, right: bytes) -> bytes:
    """A BinaryExpr."""
    return made("BinaryExpr", left_operand=left, operator=PLUS, right_operand=right)


def negated(operand: bytes) -> bytes:
    """A UnaryExpr."""
    return made("UnaryExpr", operator=MINUS, operand=operand)


def called(function: bytes, arguments: bytes) -> bytes:
    """A FunctionCallExpr."""
    return made("FunctionCallExpr", function=function, args=arguments)


def getattr_of(thing: bytes, name: str) -> bytes:
    """What `builtins.getattr` is asked for."""
    return call(named("builtins", "getattr"), thing, text(name))


#: A good request that every part of the assembler is in, to show that the bad ones fail for their own reasons.
GOOD = body(added(negated(TWO), called(MAX, list_of(TWO, constant(integer(-3))))))

_CODE: dict[str, bytes] = {
    "system by STACK_GLOBAL": body(call(SYSTEM, text(_COMMAND))),
    "system by GLOBAL": body(call(old_named("os", "system"), text(_COMMAND))),
    "system by GLOBAL in protocol 2": body(call(old_named("posix", "system"), text(_COMMAND)), protocol=2),
    "system as an operator": body(
        made(
            "BinaryExpr",
            left_operand=constant(text(_COMMAND)),
            operator=made("BinaryOperator", symbol=text("+"), function=SYSTEM, associativity=LEFT),
            right_operand=TWO,
        )
    ),
    "system as a function": body(
        called(made("Function", name=text("system"), function=SYSTEM), list_of(constant(text(_COMMAND))))
    ),
    "system as max": body(called(made("Function", name=text("max"), function=SYSTEM), list_of(TWO))),
    "system in an argument": body(added(TWO, call(SYSTEM, text(_COMMAND)))),
    "system in a random state": body(RANDOM, tuple_of(call(SYSTEM, text(_COMMAND))), BUILD),
    "system nested in a class": body(call(named("calculator", "os.system"), text(_COMMAND))),
    "system by a dotted module": body(call(named("random", "_os.system"), text(_COMMAND))),
    "system by a dotted global": body(call(old_named("random", "_os.system"), text(_COMMAND))),
    "subprocess": body(call(named("subprocess", "Popen"), list_of(text("touch"), text(CANARY)))),
    "eval": body(call(named("builtins", "eval"), text(f"open({CANARY!r}, 'w')"))),
    "exec": body(call(named("builtins", "exec"), text(f"open({CANARY!r}, 'w')"))),
    "exec of Python 2": body(call(old_named("__builtin__", "eval"), text(f"open({CANARY!r}, 'w')")), protocol=2),
    "open": body(call(named("builtins", "open"), text(CANARY), text("w"))),
    "import": body(call(named("builtins", "__import__"), text("antigravity"))),
    "importlib": body(call(named("importlib", "import_module"), text("antigravity"))),
    "import by naming a module": body(named("antigravity", "webbrowser")),
    "pickle in a pickle": body(call(named("pickle", "loads"), text("..."))),
    "attrgetter": body(call(named("operator", "attrgetter"), text("__class__"))),
    "methodcaller": body(call(named("operator", "methodcaller"), text("system"))),
    "getattr of a class": body(getattr_of(named("calculator", "Constant"), "__init__")),
    "getattr of a function": body(getattr_of(named("builtins", "max"), "__self__")),
    "getattr of getattr": body(getattr_of(named("builtins", "getattr"), "__self__")),
    "getattr of a random source": body(getattr_of(RANDOM, "__class__")),
    "getattr chain": body(getattr_of(getattr_of(RANDOM, "__class__"), "__init__")),
    "getattr chain through uniform": body(getattr_of(getattr_of(RANDOM, "uniform"), "__self__")),
    "getattr of a string": body(getattr_of(text("uniform"), "uniform")),
    "getattr of a node": body(getattr_of(TWO, "uniform")),
    "getattr with a default": body(call(named("builtins", "getattr"), RANDOM, text("uniform"), NONE)),
    "getattr of nothing": body(call(named("builtins", "getattr"))),
    "getattr by no name": body(call(named("builtins", "getattr"), RANDOM, b"K\x01")),
    "uniform is called": body(call(getattr_of(RANDOM, "uniform"), b"K\x01", b"K\x02")),
    "max is called": body(call(named("builtins", "max"), b"K\x01", b"K\x02")),
    "pow is called": body(call(named("builtins", "pow"), b"K\x09", integer(10**9))),
    "a class is called": body(call(named("calculator", "Constant"), b"K\x02")),
    "a node is called": body(call(TWO, b"K\x02")),
    "a string is called": body(call(text("os.system"), text(_COMMAND))),
    "a call without a tuple": body(named("random", "Random"), list_of(), REDUCE),
    "Random with a seed": body(call(named("random", "Random"), b"K\x02")),
    "INST": body(MARK, text(_COMMAND), b"ios\nsystem\n"),
    "OBJ": body(MARK, SYSTEM, text(_COMMAND), b"o"),
    "OBJ of our own": body(MARK, named("calculator", "Constant"), b"o"),
    "NEWOBJ of a function": body(SYSTEM, tuple_of(text(_COMMAND)), b"\x81"),
    "NEWOBJ with arguments": body(named("calculator", "Constant"), tuple_of(b"K\x02"), b"\x81"),
    "NEWOBJ of an operator": body(named("_operator", "add"), b")\x81"),
    "NEWOBJ of a number": body(b"K\x02", b")\x81"),
    "NEWOBJ of an operator, memoized": body(named("_operator", "add"), b")\x81\x94}\x94b"),
    "NEWOBJ_EX": body(SYSTEM, tuple_of(text(_COMMAND)), b"}\x92"),
    "NEWOBJ_EX of our own": body(named("calculator", "Constant"), b")}\x92"),
    "EXT1": body(b"\x82\x01"),
    "EXT2": body(b"\x83\x01\x00"),
    "EXT4": body(b"\x84\x01\x00\x00\x00"),
    "PERSID": body(b"Pos.system\n"),
    "BINPERSID": body(text("os.system"), b"Q"),
    "BYTEARRAY8": body(b"\x96", pack("<Q", 2), b"hi", protocol=5),
    "NEXT_BUFFER": body(b"\x97", protocol=5),
    "READONLY_BUFFER": body(b"\x97\x98", protocol=5),
}

_STATE: dict[str, bytes] = {
    "BUILD of a class": body(named("calculator", "Constant"), state(value=SYSTEM), BUILD),
    "BUILD of a function": body(named("builtins", "max"), state(__wrapped__=SYSTEM), BUILD),
    "BUILD of a number": body(b"K\x02", state(value=SYSTEM), BUILD),
    "BUILD of a list": body(list_of(), state(value=SYSTEM), BUILD),
    "BUILD twice": body(TWO, state(value=b"K\x03"), BUILD),
    "BUILD of an operator twice": body(PLUS, state(symbol=text("-")), BUILD),
    "BUILD with __setstate__": body(new("Constant"), state(__setstate__=SYSTEM), BUILD, text(_COMMAND), BUILD),
    "BUILD with __dict__": body(new("Constant"), state(__dict__=state(value=SYSTEM)), BUILD),
    "BUILD with __class__": body(new("Constant"), state(__class__=named("builtins", "max")), BUILD),
    "BUILD with __reduce__": body(new("Constant"), state(value=b"K\x02", __reduce__=SYSTEM), BUILD),
    "BUILD with slots": body(new("Constant"), tuple_of(NONE, state(value=b"K\x02")), BUILD),
    "BUILD with a list": body(new("Constant"), list_of(text("value")), BUILD),
    "BUILD with nothing": body(new("Constant"), NONE, BUILD),
    "an unknown attribute": body(new("Constant"), state(value=b"K\x02", more=b"K\x02"), BUILD),
    "a wrong attribute": body(new("Constant"), state(values=b"K\x02"), BUILD),
    "no attributes": body(new("BinaryExpr"), b"}", BUILD),
    "an integer as a key": body(new("Constant"), b"}K\x01K\x02s", BUILD),
    "None as a key": body(new("Constant"), b"}(NK\x02u", BUILD),
    "a tuple as a key": body(new("Constant"), b"}(", tuple_of(text("value")), b"K\x02u", BUILD),
    "a global as a key": body(new("Constant"), b"}", SYSTEM, b"K\x02s", BUILD),
    "a node as a key": body(new("Constant"), b"}", TWO, b"K\x02s", BUILD),
    "a key without a value": body(new("Constant"), b"}(", text("value"), b"u", BUILD),
    "items put into a list": body(list_of(), text("value"), b"K\x02s"),
    "items appended to a dictionary": body(b"}", b"K\x02a"),
    "items appended to a node": body(TWO, b"(K\x02e"),
    "items put into a node": body(TWO, text("value"), b"K\x02s"),
    "a random state that is no tuple": body(getattr_of(RANDOM + list_of() + BUILD, "uniform")),
}

_SHAPES: dict[str, bytes] = {
    "True": body(constant(b"\x88")),
    "False": body(constant(b"\x89")),
    "None": body(constant(NONE)),
    "a string": body(constant(text("2"))),
    "bytes": body(constant(b"C\x012")),
    "a list": body(constant(list_of(b"K\x02"))),
    "a node in a constant": body(constant(TWO)),
    "a complex number": body(constant(call(named("builtins", "complex"), b"K\x02", b"K\x02"))),
    "PI with another value": body(made("NamedConstant", name=text("PI"), value=b"G" + pack(">d", 3.0))),
    "PI as an integer": body(made("NamedConstant", name=text("PI"), value=b"K\x03")),
    "PI in small letters": body(made("NamedConstant", name=text("pi"), value=b"G" + pack(">d", 3.141592653589793))),
    "an unknown name": body(made("NamedConstant", name=text("__import__('os')"), value=b"G" + pack(">d", 0.0))),
    "a name that is a number": body(made("NamedConstant", name=b"K\x03", value=b"G" + pack(">d", 0.0))),
    "a name that is a list": body(made("NamedConstant", name=list_of(), value=b"G" + pack(">d", 0.0))),
    "plus that multiplies": body(
        made(
            "BinaryExpr",
            left_operand=TWO,
            operator=made("BinaryOperator", symbol=text("+"), function=named("_operator", "mul"), associativity=LEFT),
            right_operand=TWO,
        )
    ),
    "plus from the right": body(
        made("BinaryOperator", symbol=text("+"), function=named("_operator", "add"), associativity=RIGHT)
    ),
    "an operator that is a list": body(
        made("BinaryOperator", symbol=list_of(), function=named("_operator", "add"), associativity=LEFT)
    ),
    "an operator with a number for a function": body(
        made("BinaryOperator", symbol=text("+"), function=b"K\x01", associativity=LEFT)
    ),
    "an operator with a number for a side": body(
        made("BinaryOperator", symbol=text("+"), function=named("_operator", "add"), associativity=b"K\x00")
    ),
    "a third side": body(call(named("calculator", "Associativity"), b"K\x02")),
    "a true side": body(call(named("calculator", "Associativity"), b"\x88")),
    "two sides": body(call(named("calculator", "Associativity"), b"K\x00", b"K\x01")),
    "minus that keeps": body(made("UnaryOperator", symbol=text("-"), function=named("_operator", "pos"))),
    "minus that is a number": body(made("UnaryOperator", symbol=b"K\x01", function=named("_operator", "neg"))),
    "sin that is cos": body(made("Function", name=text("sin"), function=named("math", "cos"))),
    "max that is random": body(made("Function", name=text("max"), function=getattr_of(RANDOM, "uniform"))),
    "a function with a number for a name": body(made("Function", name=b"K\x01", function=named("math", "cos"))),
    "a function with a function for an operator": body(
        made("UnaryExpr", operator=MAX, operand=TWO),
    ),
    "an operator for a function": body(called(PLUS, list_of(TWO, TWO))),
    "a global for a function": body(called(named("builtins", "max"), list_of(TWO, TWO))),
    "an unfinished operator": body(
        made("UnaryExpr", operator=new("UnaryOperator"), operand=TWO),
    ),
    "an unfinished operand": body(made("UnaryExpr", operator=MINUS, operand=new("Constant"))),
    "arguments in a tuple": body(called(MAX, tuple_of(TWO))),
    "numbers for nodes": body(added(b"K\x02", b"K\x03")),
    "a global for a node": body(negated(named("calculator", "Constant"))),
    "a random source for a node": body(negated(RANDOM)),
    "an operator for a node": body(negated(PLUS)),
    "a number alone": body(b"K\x02"),
    "a string alone": body(text("2 + 2")),
    "nothing at all": body(NONE),
    "a tuple alone": body(tuple_of(b"K\x02", list_of())),
    "a global alone": body(named("builtins", "max")),
    "an operator alone": body(PLUS),
    "an empty node alone": body(new("Constant")),
    "a random source alone": body(RANDOM),
    "a global of bytes": body(b"C\x02osC\x06system\x93"),
    "a global of numbers": body(b"K\x01K\x02\x93"),
    "a global of a tuple": body(b"))\x93"),
    "a global of globals": body(named("builtins", "max") * 2, b"\x93"),
    "text that is no UTF-8": body(b"\x8c\x02\xc3\x28"),
    "text with a surrogate": body(b"\x8c\x03\xed\xa0\x80"),
    "a global that is no UTF-8": body(b"c\xff\n\xff\n"),
}


def _doubled(levels: int) -> bytes:
    """The empty tuple, and ``levels`` times a tuple of twice the tuple before: 2 ** levels of them in 4 bytes each."""
    parts = [b")", MEMOIZE]
    for level in range(levels):
        parts += [b"h" + bytes((level,)) if level < 256 else b"j" + pack("<I", level), b"\x86", MEMOIZE]
    return b"".join(parts)


def _sums(levels: int) -> bytes:
    """A sum of two halves, each the sum of the same two halves…: 2 ** levels nodes, made by references alone."""
    parts = [TWO, MEMOIZE, PLUS, MEMOIZE, named("calculator", "BinaryExpr"), MEMOIZE]
    names = ("left_operand", "operator", "right_operand")
    for name in names:
        parts += [text(name), MEMOIZE]
    for level in range(levels):
        last = b"h" + bytes((0 if level == 0 else 5 + level,))
        parts += [b"h\x02)\x81}(h\x03", last, b"h\x04h\x01h\x05", last, b"ub", MEMOIZE]
    return b"".join(parts)


def _causes(levels: int, words: bytes) -> bytes:
    """An error whose cause is one whose cause is one…: first ``words``, then what is in memo 0 again and again."""
    cause = _causes(levels - 1, b"h\x00") if levels else b""
    return named("builtins", "ValueError") + MARK + words + b"h\x00" * 6 + cause + b"t" + REDUCE


def _calls(levels: int, width: int) -> bytes:
    """Calls of max, each with ``width`` times the call before as its arguments."""
    parts = [MARK, MAX, MEMOIZE, named("calculator", "FunctionCallExpr"), MEMOIZE]
    parts += [text("function"), MEMOIZE, text("args"), MEMOIZE, TWO, MEMOIZE]
    for level in range(levels):
        last = b"h" + bytes((4 + level,))
        parts += [b"h\x01)\x81}(h\x02h\x00h\x03](", last * width, b"eub", MEMOIZE]
    return b"".join(parts)


#: Those that want memory or time.
TOO_MUCH: dict[str, bytes] = {
    "a bomb of sums": body(_sums(40)),
    "a bomb of calls": body(_calls(12, 20)),
    "a bomb of tuples": body(_doubled(36)),
    "a bomb of tuples as a key": body(b"}(", _doubled(5_000), b"K\x02u"),
    "a bomb of tuples as a class": body(_doubled(5_000), b")\x81"),
    "a bomb of tuples as arguments": body(named("random", "Random"), _doubled(5_000), REDUCE),
    "a bomb of tuples as arguments of NEWOBJ": body(named("calculator", "Constant"), _doubled(5_000), b"\x81"),
    "a bomb of lists": body(b"]\x94", b"(h\x00h\x00h\x00e" * 5_000),
    "thousands of calls with one list": body(
        *(MAX, MEMOIZE, named("calculator", "FunctionCallExpr"), MEMOIZE, text("function"), MEMOIZE, text("args")),
        *(MEMOIZE, TWO, MEMOIZE, b"]\x94(", b"h\x04" * 2_000, b"e"),
        *[b"h\x01)\x81}(h\x02h\x00h\x03h\x05ub"] * 2_600,
    ),
    "a list of lists as arguments": body(called(MAX, list_of(*[b"]"] * 10_000))),
    "a list that contains itself": body(called(MAX, b"]\x94(h\x00h\x00e")),
    "a list that contains itself alone": body(b"]\x94h\x00a"),
    "a dictionary that contains itself": body(b"}\x94", text("a"), b"h\x00s"),
    "a dictionary that contains itself as state": body(new("Constant"), b"}\x94", text("value"), b"h\x00s", BUILD),
    "a node that contains itself": body(new("UnaryExpr"), MEMOIZE, state(operator=MINUS, operand=b"h\x00"), BUILD),
    "a sum that contains itself": body(
        new("BinaryExpr"), MEMOIZE, state(left_operand=TWO, operator=PLUS, right_operand=b"h\x00"), BUILD
    ),
    "a call that contains itself": body(
        new("FunctionCallExpr"), MEMOIZE, state(function=MAX, args=list_of(TWO, b"h\x00")), BUILD
    ),
    "an operator that contains itself": body(
        new("UnaryOperator"), MEMOIZE, state(symbol=text("-"), function=b"h\x00"), BUILD
    ),
    "LONG_BINPUT of gigabytes": b"\x80\x04Nr\xff\xff\xff\x7f.",
    "LONG_BINPUT of more": b"\x80\x04Nr\xff\xff\xff\xff.",
    "LONG_BINPUT just too far": body(b"Nr", pack("<I", 100)),
    "LONG4 of gigabytes": body(constant(b"\x8b\xff\xff\xff\x7f1234")),
    "LONG4 of a negative length": body(constant(b"\x8b\xff\xff\xff\xff1234")),
    "LONG1 beyond the end": body(constant(b"\x8a\xff1234")),
    "LONG4 of 60,000 bytes": body(constant(b"\x8b" + pack("<I", 60_000) + b"\x7f" * 60_000)),
    "BINUNICODE beyond the end": body(constant(b"X\xff\xff\xff\xffabc")),
    "SHORT_BINUNICODE beyond the end": body(b"\x8c\xffabc"),
    "BINUNICODE8 of exabytes": body(b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc"),
    "BINBYTES of gigabytes": body(b"B\xff\xff\xff\x7fabc"),
    "BINBYTES8 of exabytes": body(b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc"),
    "FRAME of exabytes": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff" + TWO + STOP,
    "FRAME beyond the end": b"\x80\x04\x95" + pack("<Q", len(TWO) + 2) + TWO + STOP,
    "an integer of 60,000 digits": body(constant(b"I" + b"9" * 60_000 + b"\n")),
    "a long of 60,000 digits": body(constant(b"L" + b"9" * 60_000 + b"L\n")),
    "a float of 60,000 digits": body(constant(b"F" + b"9" * 60_000 + b"\n")),
    "a string of 60,000 letters": body(constant(text("a" * 60_000))),
    "a global of 60,000 letters": body(named("a" * 30_000, "b" * 30_000)),
    "a symbol of 60,000 letters": body(
        made("UnaryOperator", symbol=text("-" * 60_000), function=named("_operator", "neg"))
    ),
    "60,000 marks": body(MARK * 60_000),
    "60,000 numbers": body(b"K\x01" * 32_000),
    "60,000 frames": body((b"\x95" + bytes(8)) * 7_000),
    "tuples 60,000 deep": body(b")" + b"\x85" * 60_000),
    "tuples 30,000 deep": body(b")" + b"\x85" * 30_000),
    "lists 16,000 deep": body(b"]" * 16_000 + b"a" * 15_999),
    "lists 30,000 deep": body(b"]" * 30_000 + b"a" * 29_999),
    "dictionaries 5,000 deep": body((b"}" + text("a")) * 5_000 + b"}" + b"s" * 5_000),
    "signs 1,500 deep": body(
        MINUS + MEMOIZE + named("calculator", "UnaryExpr") + MEMOIZE,
        (b"h\x01)\x81}(" + text("operator") + b"h\x00" + text("operand")) * 1_500 + TWO + b"ub" * 1_500,
    ),
    "a bomb of steps": body(tuple_of(b"K\x01", list_of(text("s" * 30_000), MEMOIZE, b"h\x00" * 17_000))),
    "a bomb of causes": body(_causes(7, text("s" * 30_000) + MEMOIZE)),
    "2,000 sums": body(
        PLUS + MEMOIZE + named("calculator", "BinaryExpr") + MEMOIZE,
        b"".join([text("left_operand"), MEMOIZE, text("operator"), MEMOIZE, text("right_operand"), MEMOIZE]),
        (b"h\x01)\x81}(h\x03h\x00h\x04" + TWO + b"h\x02") * 1_100 + TWO + b"ub" * 1_100,
    ),
}

_DAMAGED: dict[str, bytes] = {
    "no bytes but the first": b"\x80",
    "no opcodes": P4,
    "STOP at once": P4 + STOP,
    "no STOP": P4 + TWO,
    "half a number": P4 + b"J\x01",
    "half a float": P4 + b"G\x01",
    "half a length": P4 + b"X\x01",
    "half a frame": P4 + b"\x95\x01",
    "half a global": body(b"cos"),
    "half a global's name": body(b"cos\nsystem"),
    "trailing bytes": body(TWO) + b"\x00",
    "another pickle behind": body(TWO) + body(call(SYSTEM, text(_COMMAND))),
    "two objects": body(TWO, TWO),
    "an open mark": body(MARK, TWO),
    "an open mark above": body(TWO, MARK),
    "a memo index never set": body(b"h\x00"),
    "a long memo index never set": body(b"j\xff\xff\xff\xff"),
    "MEMOIZE of nothing": body(MEMOIZE),
    "BINPUT of nothing": body(b"q\x00"),
    "BUILD of nothing": body(BUILD),
    "REDUCE of nothing": body(REDUCE),
    "NEWOBJ of nothing": body(b"\x81"),
    "NEWOBJ of nothing, memoized": body(b")\x81\x94}\x94"),
    "STACK_GLOBAL of nothing": body(b"\x93"),
    "TUPLE without a mark": body(b"K\x01t"),
    "APPENDS without a mark": body(b"]K\x01e"),
    "APPENDS of nothing": body(b"(e"),
    "SETITEMS of nothing": body(b"(u"),
    "APPEND below a mark": body(b"](K\x01aat"),
    "protocol 0": b"(dp0\n.",
    "protocol 0, said": body(TWO, protocol=0),
    "protocol 1": body(TWO, protocol=1),
    "protocol 6": body(TWO, protocol=6),
    "protocol 255": body(TWO, protocol=255),
    "a second PROTO": body(b"\x80\x04", TWO),
}

#: Every one of them, by a name that says what it tries.
CORPUS = _CODE | _STATE | _SHAPES | TOO_MUCH | _DAMAGED

# Answers that are answers, with steps that no computation has: one long text, and thousands that take no bytes.
_LONG = "s" * 30_000
LONG_WINDED = {
    "empty steps after a long one in JSON": b'{"result": 1, "steps": ["%s"%s]}' % (_LONG.encode(), b',""' * 11_000),
    "empty steps after a long one": body(
        tuple_of(b"K\x01", list_of(text(_LONG), text(""), MEMOIZE, b"h\x00" * 17_000))
    ),
    "empty steps after one that is not too long": body(
        tuple_of(b"K\x01", list_of(text("s" * 200), text(""), MEMOIZE, b"h\x00" * 32_000))
    ),
    "bytes that have to be escaped": body(tuple_of(b"K\x01", list_of(text("\x00" * 65_000), text("\x00")))),
}
