"""Pickles that attack: none runs anything, none kills anything, and each gets a decent answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.budget import Budget
from netlab.calc.calculator import Calculator
from netlab.calc.codecs import json_body
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.codecs.pickle_read import ExpressionReader
from netlab.calc.errors import BudgetExceeded, CalcError, PickleRefused
from netlab.calc.header import CLIENT_ERROR, HEADER_LENGTH, MAX_BODY, Header, encode_packet
from netlab.calc.messages import Failure, Success
from netlab.cli.calc_output import step_lines
from tests.calc.cases import for_each, peak_memory
from tests.calc.codecs import malicious
from tests.calc.expressions import never, ours
from tests.parts import temporary_folder

ROOT = Path(__file__).resolve().parents[3]
READER = ExpressionReader(Budget())
_MIB = 2**20


class CorpusTests(SynchronousTestCase):
    """Every body of the corpus, given to everything that reads bodies."""

    def test_good(self) -> None:
        """The same assembler makes a request that is answered, so the others fail for their own reasons."""
        self.assertEqual(
            ours(READER.read(malicious.GOOD)), (0, ["-(2) + max(2, -3)", "-2 + max(2, -3)", "-2 + 2", "0"])
        )

    @for_each(malicious.CORPUS)
    def test_request(self, body: bytes) -> None:
        """As a request it is refused, for what it is or for what it would cost."""
        error = self.assertRaises((PickleRefused, BudgetExceeded), READER.read, body)
        self.assertTrue(0 < len(str(error)) < 300, str(error))

    @for_each(malicious.CORPUS)
    def test_response(self, body: bytes) -> None:
        """As a response it is refused or, where it happens to be one, plain data."""
        if body == malicious.CORPUS["a tuple alone"]:
            self.assertEqual(read_answer(body).steps, ())
        else:
            self.assertRaises(PickleRefused, read_answer, body)

    @for_each(malicious.CORPUS)
    def test_reply(self, body: bytes) -> None:
        """A calculator answers it with 400 and a reason that every client can read, and lives."""
        self.assertLessEqual(len(body), MAX_BODY)
        calculator = Calculator(never)
        reply = calculator.reply(encode_packet(body, timestamp=1, request=True, steps=True))
        answer = read_answer((bytes(4) + reply.tail)[HEADER_LENGTH:])
        self.assertEqual(Header.decode(bytes(4) + reply.tail).status, CLIENT_ERROR)
        assert isinstance(answer, Failure)
        self.assertEqual((answer.kind, answer.message), ("CalculatorClientError", reply.note))

    @for_each(malicious.LONG_WINDED)
    def test_shown(self, body: bytes) -> None:
        """An answer as long-winded as a packet allows is shown in a few megabytes, in either codec."""
        self.assertLessEqual(len(body), MAX_BODY)
        answer = (json_body.read_answer if body[:1] == b"{" else read_answer)(body)
        assert isinstance(answer, Success)
        self.assertLessEqual(sum(map(len, answer.steps)), MAX_BODY)

        def show() -> None:
            self.assertLess(sum(map(len, step_lines(answer.steps))), 8 * _MIB)

        self.assertLess(peak_memory(show), 8 * _MIB)

    @for_each(malicious.TOO_MUCH)
    def test_memory(self, body: bytes) -> None:
        """It takes no more memory than its own size explains, as a request or as a response."""

        def read() -> None:
            self.assertRaises(CalcError, READER.read, body)
            self.assertRaises(CalcError, read_answer, body)

        self.assertLess(peak_memory(read), 16 * _MIB)


class ExecutionTests(SynchronousTestCase):
    """Nothing that the corpus names is found, imported, opened or run."""

    def test_nothing_happens(self) -> None:
        """Python's own audit events say so, and no canary file is left; the same hook does see `pickle.loads`."""
        folder = temporary_folder(self)
        run = subprocess.run(
            [sys.executable, "-m", "tests.calc.codecs.audited"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        report = json.loads(run.stdout)
        self.assertEqual(report["seen"], [])
        self.assertEqual(report["fed"], len(malicious.CORPUS))
        self.assertTrue(any(event.startswith("pickle.find_class") for event in report["control"]), report["control"])
        self.assertEqual(os.listdir(folder), [])
