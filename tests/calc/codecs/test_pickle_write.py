"""Bodies in pickle, against Python's own pickler: the same bytes."""

import pickle
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs.pickle_write import write_answer, write_expression
from netlab.calc.expression import BinaryExpression, Constant, Expression, FunctionCall, UnaryExpression
from netlab.calc.functions import OPERATORS
from netlab.calc.header import HEADER_LENGTH
from netlab.calc.messages import Failure, Success
from netlab.calc.parser import parse
from tests.calc.cases import for_each, tries
from tests.calc.codecs import deployed
from tests.calc.expressions import BY_NAME, BY_SYMBOL, SIGN_BY_SYMBOL, any_numbers, trees

integers = st.integers() | st.builds(
    lambda power, offset, sign: sign * (2**power + offset),
    st.integers(0, 2_500),
    st.integers(-1, 1),
    st.sampled_from([1, -1]),
)
numbers = integers | st.floats() | st.complex_numbers()
#: No text of one letter: Python keeps only one object of each, and a pickle says so.
texts = st.text(min_size=2, max_size=300).map(lambda text: "".join(list(text)))


def failures(depth: int = 3, numbers: st.SearchStrategy[int] = integers) -> st.SearchStrategy[Failure]:
    """Errors of every kind, with none or several arguments, and a cause perhaps."""
    kinds = st.sampled_from(sorted(deployed._ERRORS))
    plain = st.builds(Failure, kinds, st.lists(texts | numbers, max_size=5).map(tuple))
    if not depth:
        return plain
    caused = st.builds(
        lambda kind, words, cause: Failure(kind, (*words, cause)),
        kinds,
        st.lists(texts | numbers, max_size=3),
        failures(depth - 1, numbers),
    )
    return plain | caused


class AnswerTests(SynchronousTestCase):
    """Responses, as the deployed server would write them."""

    def as_python(self, result: Any, steps: list[str]) -> None:
        """Our bytes are the pickler's."""
        self.assertEqual(write_answer(Success(result, tuple(steps))), pickle.dumps((result, steps), 4))

    @given(numbers, st.lists(texts, max_size=5))
    @tries(300)
    def test_success(self, result: Any, steps: list[str]) -> None:
        """Integers of every width, floats with their NaN and infinities, complex numbers; any texts."""
        self.as_python(result, steps)

    @for_each({str(count): count for count in (0, 1, 2, 3, 999, 1000, 1001, 1999, 2000, 2001)})
    def test_batches(self, count: int) -> None:
        """Lists are written by batches of a thousand, one item alone without one."""
        self.as_python(1, [f"step {number}" for number in range(count)])

    @for_each({str(length): length for length in (0, 2, 254, 255, 256, 257, 5_000)})
    def test_lengths(self, length: int) -> None:
        """Texts of 256 bytes and more have a longer length; it is bytes that count."""
        self.as_python(1, ["x" * length])
        self.as_python(1, ["é" * (length // 2), "א" * (length // 2 + 1)])

    @for_each({str(bits): bits for bits in (1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 2031, 2032, 2039, 2040, 2041)})
    def test_widths(self, bits: int) -> None:
        """Around every power of two at which an integer needs a byte or another opcode more."""
        for value in (2**bits - 1, 2**bits, 2**bits + 1):
            self.as_python(value, [])
            self.as_python(-value, [])

    @given(failures())
    @tries(300)
    def test_failure(self, failure: Failure) -> None:
        """An exception as Python pickles it: class, arguments, causes within."""
        with deployed.installed():
            expected = pickle.dumps(deployed.error(failure), 4)
        self.assertEqual(write_answer(failure), expected)

    def test_proxy_error(self) -> None:
        """The proxy's answer when the server is down: 170 bytes with its header (protocols.md §1 Fixed points)."""
        cause = "Connection refused by server and the request was not in the cache/it was stale"
        failure = Failure("CalculatorServerError", ("Internal proxy error", Failure("CalculatorServerError", (cause,))))
        written = write_answer(failure)
        self.assertEqual(len(written) + HEADER_LENGTH, 170)
        with deployed.installed():
            loaded = pickle.loads(written)
        self.assertIs(type(loaded), deployed.CalculatorServerError)
        self.assertEqual(loaded.args[0], "Internal proxy error")
        self.assertIs(type(loaded.args[1]), deployed.CalculatorServerError)
        self.assertEqual(loaded.args[1].args, (cause,))

    def test_errno(self) -> None:
        """``1e308 ** 2`` fails with a number and a text."""
        failure = Failure("OverflowError", (34, "Numerical result out of range"))
        self.assertEqual(write_answer(failure), pickle.dumps(OverflowError(34, "Numerical result out of range"), 4))

    @given(numbers, st.lists(texts, max_size=3))
    @tries(100)
    def test_loaded(self, result: Any, steps: list[str]) -> None:
        """What the deployed client loads is the result itself, of the same type, and a list."""
        loaded, loaded_steps = pickle.loads(write_answer(Success(result, tuple(steps))))
        self.assertEqual((type(loaded), repr(loaded), loaded_steps), (type(result), repr(result), steps))


class ExpressionTests(SynchronousTestCase):
    """Requests, as the deployed client would write them."""

    def as_python(self, tree: Expression, source: random.Random | None = None) -> None:
        """Our bytes are the pickler's."""
        with deployed.installed():
            expected = pickle.dumps(deployed.expression(tree, source), 4)
        self.assertEqual(write_expression(tree, source.getstate() if source else ()), expected)

    @given(trees(any_numbers, max_leaves=40))
    @tries(300)
    def test_any_tree(self, tree: Expression) -> None:
        """Operators, functions and names are shared, numbers and nodes are not."""
        self.as_python(tree)

    @for_each({str(count): count for count in (0, 1, 2, 1000, 1001, 2001)})
    def test_arguments(self, count: int) -> None:
        """Arguments are a list, and written by batches."""
        self.as_python(FunctionCall(BY_NAME["max"], tuple(map(Constant, range(count)))))

    def test_symbols(self) -> None:
        """A sign and an operator of one symbol share its text."""
        operand = UnaryExpression(SIGN_BY_SYMBOL["-"], Constant(1))
        self.as_python(BinaryExpression(operand, BY_SYMBOL["-"], operand.operand))

    def test_long_memo(self) -> None:
        """Beyond 256 memoized objects a reference takes four bytes."""
        text = " + ".join(f"sin({number} ** 2.5) % {number}" for number in range(1, 90))
        self.as_python(parse(text + " - max(log(E), pow(PI, 2), 7 * TAU / cos(3))"))

    def test_deep(self) -> None:
        """No recursion: a chain of a thousand operators is written like any other."""
        tree: Expression = Constant(1)
        for _ in range(5_000):
            tree = BinaryExpression(Constant(1), OPERATORS[0], tree)
        self.assertEqual(write_expression(tree).count(b"b."), 1)

    @for_each({"fresh": 0, "after a gauss": 1})
    def test_rand(self, gauss: int) -> None:
        """``rand`` carries the state of its source; the second ``rand`` refers to the first."""
        source = random.Random(3)
        for _ in range(gauss):
            source.gauss(0, 1)
        once = FunctionCall(BY_NAME["rand"], (Constant(1), Constant(2)))
        self.as_python(once, source)
        self.as_python(BinaryExpression(once, BY_SYMBOL["+"], FunctionCall(BY_NAME["rand"], ())), source)
        self.as_python(FunctionCall(BY_NAME["max"], (once, Constant(3))), source)

    def test_rand_without_state(self) -> None:
        """A state is needed only by programs that believe it; ours writes an empty one."""
        written = write_expression(FunctionCall(BY_NAME["rand"], (Constant(1), Constant(2))))
        self.assertLess(len(written), 400)
