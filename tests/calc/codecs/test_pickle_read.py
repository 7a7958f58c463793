"""Requests in pickle: what real Pythons write is read as it was meant."""

import contextlib
import pickle
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import BudgetExceeded, CalcError, EvaluationError, PickleRefused
from netlab.calc.expression import Constant, Expression, FunctionCall, NamedConstant
from netlab.calc.functions import OPERATORS, SIGNS
from netlab.calc.program import flatten
from tests.calc.cases import for_each, mutated, tries
from tests.calc.codecs import deployed, malicious
from tests.calc.codecs.malicious import MAX, MINUS, TWO, added, body, called, constant, list_of, made, negated
from tests.calc.expressions import BY_NAME, any_numbers, ours, same, shape, trees
from tests.calc.vectors import VECTORS

READER = ExpressionReader(Budget())
PROTOCOLS = st.sampled_from([2, 3, 4, 5])


def pickled(expression: Expression, protocol: int, source: random.Random | None = None) -> bytes:
    """What a deployed client would send."""
    with deployed.installed():
        return pickle.dumps(deployed.expression(expression, source), protocol)


class ForeignTests(SynchronousTestCase):
    """Against Python's own pickler, with classes as the deployed clients have them."""

    @given(trees(any_numbers), PROTOCOLS)
    @tries(300)
    def test_any_tree(self, tree: Expression, protocol: int) -> None:
        """A tree survives: the same operators, names and numbers in the same places."""
        self.assertEqual(shape(READER.read(pickled(tree, protocol))), shape(tree))

    @given(trees(), PROTOCOLS)
    @tries(100)
    def test_same_value(self, tree: Expression, protocol: int) -> None:
        """So its value and its steps are those of the tree."""
        try:
            value, steps = ours(tree)
        except (EvaluationError, BudgetExceeded) as error:
            again = self.assertRaises(type(error), ours, READER.read(pickled(tree, protocol)))
            self.assertEqual(str(again), str(error))
            return
        value_again, steps_again = ours(READER.read(pickled(tree, protocol)))
        self.assertTrue(same(value, value_again))
        self.assertEqual(steps, steps_again)

    @for_each({f"protocol {protocol}": protocol for protocol in (2, 3, 4, 5)})
    def test_rand(self, protocol: int) -> None:
        """A whole random source of 625 numbers travels with ``rand`` and is not believed: ours gives the numbers."""
        tree = FunctionCall(BY_NAME["rand"], (Constant(1), Constant(2)))
        source = random.Random(7)
        source.gauss(0, 1)
        body = pickled(tree, protocol, source)
        self.assertGreater(len(body), 2_000)
        read = READER.read(body)
        self.assertEqual(shape(read), shape(tree))
        self.assertFalse(flatten(read, Meter(Budget())).repeatable)
        self.assertEqual(ours(read, uniform=lambda low, high: low + high)[0], 3)

    @for_each({f"protocol {protocol}": protocol for protocol in (0, 1)})
    def test_old_protocols(self, protocol: int) -> None:
        """Protocols that no client uses are refused at the first byte."""
        self.assertRaises(PickleRefused, READER.read, pickled(Constant(1), protocol))


class SharingTests(SynchronousTestCase):
    """A part that is referred to again is one node, and counts each time."""

    def reader(self, **limits: int) -> ExpressionReader:
        """A reader with limits of its own."""
        return ExpressionReader(Budget(**limits))

    def test_shared_operand(self) -> None:
        """The same constant on both sides."""
        shared = body(
            malicious.new("BinaryExpr"),
            malicious.state(left_operand=TWO + b"\x94", operator=malicious.PLUS, right_operand=b"h\x00"),
            b"b",
        )
        self.assertEqual(ours(READER.read(shared))[0], 4)
        self.assertEqual(shape(self.reader(max_nodes=3).read(shared)), (("int", "2"), "+", ("int", "2")))
        self.assertRaises(BudgetExceeded, self.reader(max_nodes=2).read, shared)

    def test_shared_list(self) -> None:
        """What is put into a list after the call took it changes nothing: a node is immutable."""
        call = body(
            *(b"(]\x94", TWO, b"a", malicious.new("FunctionCallExpr"), malicious.state(function=MAX, args=b"h\x00")),
            *(b"b\x94h\x00", constant(b"K\x03"), b"a0"),
        )
        self.assertRaises(PickleRefused, READER.read, call)

    def test_one_list_for_many(self) -> None:
        """Calls that share a list of arguments are counted together, though none is within another."""
        first, second = (
            malicious.new("FunctionCallExpr") + malicious.state(function=MAX, args=args) + b"b"
            for args in (b"]\x94" + b"(" + TWO * 3 + b"e", b"h\x00")
        )
        shared = body(added(first, second))
        self.assertEqual(ours(self.reader(max_nodes=9).read(shared))[0], 4)
        self.assertRaises(BudgetExceeded, self.reader(max_nodes=8).read, shared)
        calls = body(first, second * 30, b"t")
        self.assertRaises(BudgetExceeded, self.reader(max_nodes=80).read, calls)

    def test_depth(self) -> None:
        """Depth is counted as operators within operators."""
        deep = body(negated(negated(negated(TWO))))
        self.assertEqual(ours(self.reader(max_depth=3).read(deep))[0], -2)
        self.assertRaises(BudgetExceeded, self.reader(max_depth=2).read, deep)

    def test_bits(self) -> None:
        """An integer is measured before anything is done with it."""
        big = body(constant(b"\x8a\x02\xff\x7f"))
        self.assertEqual(ours(self.reader(max_bits=15).read(big))[0], 0x7FFF)
        self.assertRaises(BudgetExceeded, self.reader(max_bits=14).read, big)

    def test_opcodes(self) -> None:
        """The budget of opcodes holds for requests."""
        self.assertRaises(PickleRefused, self.reader(max_opcodes=5).read, body(TWO))

    def test_nothing_kept(self) -> None:
        """A reader that refused a body reads the next one."""
        reader = self.reader()
        self.assertRaises(PickleRefused, reader.read, body(b"h\x00"))
        self.assertEqual(ours(reader.read(body(TWO)))[0], 2)


class ShapeTests(SynchronousTestCase):
    """Expressions are what they should be, and values of another kind are none."""

    def test_call_of_nothing(self) -> None:
        """A call can have no arguments at all; what it computes is another matter."""
        self.assertEqual(shape(READER.read(body(called(MAX, b"]")))), ("max", ()))

    def test_attributes_in_any_order(self) -> None:
        """A dictionary has no order that means anything."""
        swapped = body(malicious.new("UnaryExpr"), malicious.state(operand=TWO, operator=MINUS), b"b")
        self.assertEqual(ours(READER.read(swapped))[0], -2)

    def test_named(self) -> None:
        """Names have exactly the value that they have here."""
        name = NamedConstant("E", 2.718281828459045)
        self.assertEqual(shape(READER.read(pickled(name, 4))), "E")

    def test_operators_in_both_modules(self) -> None:
        """``operator.add`` and ``_operator.add`` are one function; it is pickled as either."""
        for module in ("operator", "_operator"):
            for sign in SIGNS:
                what = made(
                    "UnaryOperator",
                    symbol=malicious.text(sign.symbol),
                    function=malicious.named(module, sign.python_name),
                )
                read = READER.read(body(made("UnaryExpr", operator=what, operand=TWO)))
                self.assertEqual(shape(read)[0], sign.symbol)

    @for_each({what.python_name: what for what in OPERATORS})
    def test_only_its_own_function(self, what: Any) -> None:
        """An operator computes what its symbol says, associates as it should, or is refused."""
        for other in OPERATORS:
            for side, right in ((malicious.LEFT, False), (malicious.RIGHT, True)):
                operator = made(
                    "BinaryOperator",
                    symbol=malicious.text(what.symbol),
                    function=malicious.named("_operator", other.python_name),
                    associativity=side,
                )
                pickle = body(made("BinaryExpr", left_operand=TWO, operator=operator, right_operand=TWO))
                if other is what and right == what.right_associative:
                    self.assertEqual(shape(READER.read(pickle))[1], what.symbol)
                else:
                    self.assertRaises(PickleRefused, READER.read, pickle)

    def test_long_arguments(self) -> None:
        """A call of many arguments is counted like any other."""
        self.assertEqual(ours(READER.read(body(called(MAX, list_of(*[TWO] * 600)))))[0], 2)
        self.assertRaises(
            BudgetExceeded, ExpressionReader(Budget(max_nodes=600)).read, body(called(MAX, list_of(*[TWO] * 600)))
        )

    def test_sum(self) -> None:
        """The assembler's own sum, as a check of the tests."""
        self.assertEqual(ours(READER.read(body(added(TWO, TWO))))[0], 4)


class JunkTests(SynchronousTestCase):
    """Bytes at random, and good requests with a few bytes changed."""

    @given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda junk: b"\x80\x04" + junk))
    @tries(300)
    def test_random(self, junk: bytes) -> None:
        """Only our own errors."""
        self.assertRaises(CalcError, READER.read, junk)

    @given(mutated([*(vector.request_body for vector in VECTORS.values()), malicious.GOOD]))
    @tries(1_000)
    def test_mutated(self, junk: bytes) -> None:
        """Only our own errors, or an expression that can be computed like any other."""
        with contextlib.suppress(CalcError):
            ours(READER.read(junk))
