"""Responses in pickle: read as strictly as requests."""

import contextlib
import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.codecs.pickle_write import write_answer
from netlab.calc.errors import CalcError, PickleRefused
from netlab.calc.messages import ERROR_MODULES, Failure, Success
from tests.calc.cases import for_each, mutated, peak_memory, tries
from tests.calc.codecs import deployed
from tests.calc.codecs.malicious import TOO_MUCH
from tests.calc.codecs.test_pickle_write import failures, numbers, texts
from tests.calc.vectors import VECTORS

#: Integers in errors are error numbers.
FAILURES = failures(numbers=st.integers(-(2**63), 2**63))
PROTOCOLS = st.sampled_from([2, 3, 4, 5])


class ReadTests(SynchronousTestCase):
    """What an honest server says is understood."""

    @given(numbers, st.lists(texts, max_size=4), PROTOCOLS)
    @tries(200)
    def test_success(self, result: Any, steps: list[str], protocol: int) -> None:
        """A result and its steps, from any protocol of Python's own pickler."""
        answer = read_answer(pickle.dumps((result, steps), protocol))
        assert isinstance(answer, Success)
        self.assertEqual((type(answer.result), repr(answer.result)), (type(result), repr(result)))
        self.assertEqual(answer.steps, tuple(steps))

    @given(FAILURES, PROTOCOLS)
    @tries(200)
    def test_failure(self, failure: Failure, protocol: int) -> None:
        """An exception with its causes, from any protocol, by the names of Python 2 too."""
        with deployed.installed():
            pickled = pickle.dumps(deployed.error(failure), protocol)
        self.assertEqual(read_answer(pickled), failure)

    @given(st.builds(Success, numbers, st.lists(texts).map(tuple)) | FAILURES)
    @tries(200)
    def test_round_trip(self, answer: Any) -> None:
        """What we write we read."""
        self.assertEqual(repr(read_answer(write_answer(answer))), repr(answer))

    def test_many_steps(self) -> None:
        """Two thousand steps are no more than a packet may hold."""
        steps = tuple(f"step {number}" for number in range(2_500))
        self.assertEqual(read_answer(write_answer(Success(1, steps))), Success(1, steps))


class RefusalTests(SynchronousTestCase):
    """What no server of this protocol says is refused."""

    CASES = {
        "a number": 2,
        "a list": [2, []],
        "a long tuple": (2, [], 3),
        "a short tuple": (2,),
        "steps in a tuple": (2, ()),
        "steps that are numbers": (2, [2]),
        "steps that are None": (2, None),
        "a text for a result": ("2", []),
        "nothing for a result": (None, []),
        "a truth for a result": (True, []),
        "an unknown error": KeyError("x"),
        "an error with a list": ValueError([1]),
        "an error with a float": ValueError(1.5),
        "an error with many arguments": ValueError(*range(9)),
        "an error with two causes": ValueError(ValueError("a"), ValueError("b")),
        "a dictionary": {"result": 2, "steps": []},
    }

    @for_each(CASES)
    def test_refused(self, value: Any) -> None:
        """It is refused."""
        for protocol in (2, 4):
            self.assertRaises(PickleRefused, read_answer, pickle.dumps(value, protocol))

    def test_kinds(self) -> None:
        """Every error of the protocol is read by its module's name and no other's."""
        for kind, module in ERROR_MODULES.items():
            good = f"\x80\x02c{module}\n{kind}\n)R.".encode("latin-1")
            self.assertEqual(read_answer(good), Failure(kind, ()))
            self.assertRaises(PickleRefused, read_answer, good.replace(module.encode(), b"os"))

    def test_repeated_texts(self) -> None:
        """Texts that are longer than a body can only be one text, referred to again and again."""
        for name, what in (("a bomb of steps", "the steps are"), ("a bomb of causes", "the texts of the error are")):
            error = self.assertRaises(PickleRefused, read_answer, TOO_MUCH[name])
            self.assertEqual(str(error), f"the pickle was refused: {what} longer than a body")

    def test_causes(self) -> None:
        """A chain of causes may have eight links."""
        error = ValueError("root")
        for _ in range(7):
            error = ValueError("why", error)
        self.assertEqual(read_answer(pickle.dumps(error, 4)).kind, "ValueError")
        self.assertRaises(PickleRefused, read_answer, pickle.dumps(ValueError("why", error), 4))

    def test_complex(self) -> None:
        """A complex number is made of two floats."""
        for arguments in (b"K\x01\x85", b"K\x01K\x02\x86", b"]\x85", b")"):
            self.assertRaises(PickleRefused, read_answer, b"\x80\x04cbuiltins\ncomplex\n" + arguments + b"R]\x86.")


class JunkTests(SynchronousTestCase):
    """Bytes at random, and good responses with a few bytes changed."""

    SEEDS = [
        *(vector.body for vector in VECTORS.values() if len(vector.body) < 600),
        write_answer(Failure("ValueError", ("a", Failure("TypeError", ("b", 34))))),
        write_answer(Success(1 + 2j, ("a", "b"))),
    ]

    @given(st.binary(max_size=100) | mutated(SEEDS))
    @tries(1_000)
    def test_junk(self, junk: bytes) -> None:
        """Only our own errors, or an answer that can be shown."""
        with contextlib.suppress(CalcError):
            answer = read_answer(junk)
            str(answer)
            if isinstance(answer, Failure):
                str(answer.message)

    def test_huge_argument(self) -> None:
        """An error carries error numbers, not integers of 150,000 digits, which Python's `str` would not show."""
        self.assertEqual(read_answer(pickle.dumps(OverflowError(-(2**63)), 4)).message, str(-(2**63)))
        for number in (1 << 64, -1 << 64, 1 << 500_000):
            self.assertRaises(PickleRefused, read_answer, pickle.dumps(ValueError(number), 4))

    def test_memory(self) -> None:
        """A response full of references takes memory in proportion."""
        pickled = b"\x80\x04]\x94" + b"(" + b"h\x00" * 30_000 + b"e."

        def read() -> None:
            self.assertRaises(PickleRefused, read_answer, pickled)

        self.assertLess(peak_memory(read), 8 * 2**20)
