"""The machine that runs pickles: the opcodes it knows, and above all those that it does not."""

import contextlib
import pickle
import pickletools
from collections.abc import Callable
from struct import pack
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.codecs.pickle_machine import run
from netlab.calc.codecs.pickle_objects import Instance, Symbol
from netlab.calc.codecs.pickle_opcodes import ACTIONS
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import BudgetExceeded, PickleRefused
from tests.calc.cases import for_each, mutated, tries
from tests.calc.codecs.malicious import CORPUS, GOOD, STOP, TWO, body, text
from tests.calc.vectors import VECTORS

MAX_OPCODES = 1_000
MAX_OBJECTS = 8

#: The opcodes that a message of the protocol can have; PROTO is only ever the first byte.
KNOWN = {
    *("FRAME", "MARK", "STOP", "NONE", "BININT1", "BININT2", "BININT", "BINFLOAT", "LONG1", "LONG4"),
    *("SHORT_BINUNICODE", "BINUNICODE", "EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE"),
    *("EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS"),
    *("MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
    *("GLOBAL", "STACK_GLOBAL", "NEWOBJ", "REDUCE", "BUILD"),
}

OPCODES = {opcode.name: opcode for opcode in pickletools.opcodes}

#: An argument of each form that an opcode can have.
ARGUMENTS = {
    None: b"",
    "uint1": b"\x02",
    "uint2": b"\x02\x00",
    "int4": b"\x02\x00\x00\x00",
    "uint4": b"\x02\x00\x00\x00",
    "uint8": bytes(8),
    "stringnl": b"'two'\n",
    "stringnl_noescape": b"two\n",
    "stringnl_noescape_pair": b"os\nsystem\n",
    "string1": b"\x03two",
    "string4": b"\x03\x00\x00\x00two",
    "bytes1": b"\x03two",
    "bytes4": b"\x03\x00\x00\x00two",
    "bytes8": b"\x03\x00\x00\x00\x00\x00\x00\x00two",
    "bytearray8": b"\x03\x00\x00\x00\x00\x00\x00\x00two",
    "unicodestringnl": b"two\n",
    "unicodestring1": b"\x03two",
    "unicodestring4": b"\x03\x00\x00\x00two",
    "unicodestring8": b"\x03\x00\x00\x00\x00\x00\x00\x00two",
    "decimalnl_short": b"2\n",
    "decimalnl_long": b"2L\n",
    "floatnl": b"2.0\n",
    "float8": pack(">d", 2.0),
    "long1": b"\x01\x02",
    "long4": b"\x01\x00\x00\x00\x02",
}


def encoded(opcode: Any) -> bytes:
    """The opcode with an argument that it could well have."""
    return opcode.code.encode("latin-1") + ARGUMENTS[opcode.arg.name if opcode.arg else None]


def places(pickled: bytes) -> list[int]:
    """Where the opcodes of a pickle begin."""
    return [place for _, _, place in pickletools.genops(pickled)]


def plain(*parts: bytes, protocol: int = 4, symbols: Any = None, limit: int = MAX_OPCODES) -> Any:
    """What the machine makes of a body with no globals but ``symbols``."""
    return run(body(*parts, protocol=protocol), symbols or {}, limit, max_objects=MAX_OBJECTS)


class OpcodeTests(SynchronousTestCase):
    """Every opcode that Python has, at every place, ends in a result or a refusal."""

    def ends_well(self, read: Callable[[bytes], object], pickled: bytes) -> None:
        """Whatever is read, nothing but our own errors comes out."""
        with contextlib.suppress(PickleRefused, BudgetExceeded):
            read(pickled)

    @for_each(OPCODES)
    def test_everywhere(self, opcode: Any) -> None:
        """An opcode more, before each of those of a good request and of a good answer."""
        reader = ExpressionReader(Budget())
        good_answer = VECTORS["00"].body
        for read, good in ((reader.read, GOOD), (read_answer, good_answer)):
            for place in places(good)[1:]:
                self.ends_well(read, good[:place] + encoded(opcode) + good[place:])

    @for_each(OPCODES)
    def test_instead(self, opcode: Any) -> None:
        """An opcode in place of each of those of a good request, its old argument left behind."""
        reader = ExpressionReader(Budget())
        for place in places(GOOD)[1:]:
            self.ends_well(reader.read, GOOD[:place] + encoded(opcode) + GOOD[place + 1 :])

    @for_each({name: opcode for name, opcode in OPCODES.items() if name not in KNOWN})
    def test_unknown(self, opcode: Any) -> None:
        """An opcode that no message has is refused by its number, wherever it stands."""
        reader = ExpressionReader(Budget())
        for pickled in (
            body(encoded(opcode)),
            body(TWO, encoded(opcode)),
            body(b"(", text("a"), b"}", encoded(opcode)),
        ):
            error = self.assertRaises(PickleRefused, reader.read, pickled)
            self.assertIn(f"opcode {ord(opcode.code):#04x} at byte", str(error))

    def test_known(self) -> None:
        """The table has these opcodes and no more; MEMOIZE, BINGET and STOP are done in the loop itself."""
        refused = ACTIONS[0]
        known = {name for name, opcode in OPCODES.items() if ACTIONS[ord(opcode.code)] is not refused}
        self.assertEqual(known | {"MEMOIZE", "BINGET", "STOP"}, KNOWN)
        codes = {ord(opcode.code) for opcode in OPCODES.values()}
        self.assertEqual({code for code in range(256) if ACTIONS[code] is not refused} - codes, set())

    def test_all_have_arguments(self) -> None:
        """No opcode of this Python is left out."""
        for opcode in OPCODES.values():
            self.assertIn(opcode.arg.name if opcode.arg else None, ARGUMENTS)


class DataTests(SynchronousTestCase):
    """Numbers, strings and containers become what Python would make of them."""

    def test_numbers(self) -> None:
        """Every width of integer, signed where it is, and floats."""
        self.assertEqual(plain(b"K\xff"), 255)
        self.assertEqual(plain(b"M\xff\xfe"), 0xFEFF)
        self.assertEqual(plain(b"J\xff\xff\xff\xff"), -1)
        self.assertEqual(plain(b"\x8a\x00"), 0)
        self.assertEqual(plain(b"\x8a\x02\x00\xff"), -256)
        self.assertEqual(plain(b"\x8b\x05\x00\x00\x00\x01\x00\x00\x00\x01"), 2**32 + 1)
        self.assertEqual(plain(b"G", pack(">d", -0.5)), -0.5)

    def test_texts(self) -> None:
        """Short and long, any Unicode."""
        self.assertEqual(plain(text("")), "")
        self.assertEqual(plain(text("שלום")), "שלום")
        self.assertEqual(plain(text("x" * 300)), "x" * 300)

    def test_containers(self) -> None:
        """Tuples of every length, lists and dictionaries, filled one by one or by batches."""
        self.assertEqual(plain(b"N"), None)
        self.assertEqual(plain(b")"), ())
        self.assertEqual(plain(b"K\x01\x85"), (1,))
        self.assertEqual(plain(b"K\x01K\x02\x86"), (1, 2))
        self.assertEqual(plain(b"K\x01K\x02K\x03\x87"), (1, 2, 3))
        self.assertEqual(plain(b"(K\x01K\x02K\x03K\x04t"), (1, 2, 3, 4))
        self.assertEqual(plain(b"]K\x01a(K\x02K\x03e"), [1, 2, 3])
        self.assertEqual(plain(b"}", text("a"), b"K\x01s(", text("b"), b"K\x02u"), {"a": 1, "b": 2})

    def test_memo(self) -> None:
        """What was memoized comes back as the same object, by every form of PUT and GET."""
        one, other = plain(b"]q\x05h\x05\x86")
        self.assertIs(one, other)
        one, other = plain(b"]r\x05\x00\x00\x00j\x05\x00\x00\x00\x86")
        self.assertIs(one, other)
        one, other = plain(b"]\x94h\x00\x86")
        self.assertIs(one, other)

    def test_memo_is_in_proportion(self) -> None:
        """A memo index can be as large as the body is long: none of Python's is larger."""
        self.assertEqual(plain(b"Nr\x09\x00\x00\x00"), None)
        self.assertRaises(PickleRefused, plain, b"Nr\x0a\x00\x00\x00")

    def test_protocols(self) -> None:
        """2 to 5 are read alike."""
        for protocol in (2, 3, 4, 5):
            self.assertEqual(plain(b"K\x02", protocol=protocol), 2)

    def test_opcodes_are_counted(self) -> None:
        """STOP is one of them."""
        self.assertEqual(plain(b"K\x02", limit=2), 2)
        self.assertRaises(PickleRefused, plain, b"K\x02", limit=1)

    @given(
        st.recursive(
            st.none() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda parts: st.lists(parts) | st.lists(parts).map(tuple) | st.dictionaries(st.text(), parts),
            max_leaves=20,
        ),
        st.sampled_from([2, 3, 4, 5]),
    )
    @tries(200)
    def test_as_python(self, value: Any, protocol: int) -> None:
        """Plain data that any protocol of Python's own pickler wrote is read as it was."""
        self.assertEqual(run(pickle.dumps(value, protocol), {}, MAX_OPCODES, max_objects=0), value)


class SymbolTests(SynchronousTestCase):
    """Globals are symbols of ours, and only they decide what is made of them."""

    def setUp(self) -> None:
        """A class whose state is kept, and a function that gives its arguments back."""

        def keep(instance: Instance, state: Any) -> None:
            instance.value = state

        self.symbols = {
            ("m", "Kind"): Symbol("Kind", new=lambda: Instance(keep)),
            ("m", "call"): Symbol("call", call=lambda arguments: ("called", arguments)),
        }

    def test_named(self) -> None:
        """Both ways to name a global find the symbol itself."""
        kind = self.symbols["m", "Kind"]
        self.assertIs(plain(b"cm\nKind\n", symbols=self.symbols), kind)
        self.assertIs(plain(text("m"), text("Kind"), b"\x93", symbols=self.symbols), kind)
        self.assertEqual(repr(kind), "Kind")

    def test_new_and_build(self) -> None:
        """An instance takes its state; the run of opcodes with which protocols 4 and 5 begin is no exception."""
        for form in (b")\x81}b", b")\x81\x94}\x94b", b")\x81q\x00}q\x01b", b")\x81\x94}b"):
            made = plain(b"cm\nKind\n", form, symbols=self.symbols)
            self.assertEqual(made.value, {})

    def test_memo_counts_on(self) -> None:
        """After that run the memo goes on where Python's does."""
        made, again = plain(b"cm\nKind\n)\x81\x94}\x94bK\x07\x94\x86h\x02\x86", symbols=self.symbols)
        self.assertEqual((made[0].value, made[1], again), ({}, 7, 7))

    def test_objects_are_counted(self) -> None:
        """However an object is made: an expression within its budget has no more of them."""
        for form in (b")\x81", b")\x81\x94}\x94"):
            made = b"(" + (b"cm\nKind\n" + form) * MAX_OBJECTS
            plain(made, b"t", symbols=self.symbols)
            self.assertRaises(PickleRefused, plain, made, b"cm\nKind\n" + form, b"t", symbols=self.symbols)

    def test_call(self) -> None:
        """REDUCE gives the symbol a tuple."""
        self.assertEqual(plain(b"cm\ncall\nK\x01\x85R", symbols=self.symbols), ("called", (1,)))

    def test_misuse(self) -> None:
        """A class is not called, a function has no instances, a state is set once."""
        for parts in (b"cm\nKind\n)R", b"cm\ncall\n)\x81", b"cm\nKind\n)\x81}b}b", b"cm\ncall\n]R", b"cm\ncall\n}b"):
            self.assertRaises(PickleRefused, plain, parts, symbols=self.symbols)

    def test_long_names(self) -> None:
        """A global is named in the error, shortened and in ASCII."""
        error = self.assertRaises(PickleRefused, plain, text("é" * 200), text("\n" * 200), b"\x93")
        self.assertTrue(str(error).isascii() and str(error).isprintable() and len(str(error)) < 500)


class JunkTests(SynchronousTestCase):
    """Bytes at random."""

    SEEDS = [GOOD, *CORPUS.values(), *(vector.body for vector in VECTORS.values())]

    @given(
        st.binary(max_size=80).map(lambda junk: b"\x80\x04" + junk + STOP) | mutated([s for s in SEEDS if len(s) < 500])
    )
    @tries(500)
    def test_junk(self, junk: bytes) -> None:
        """Only a refusal, or a value."""
        with contextlib.suppress(PickleRefused):
            run(junk, {}, MAX_OPCODES, max_objects=MAX_OBJECTS)
