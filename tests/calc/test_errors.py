"""The calculator's errors: one root, a class a cause."""

import inspect

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc import errors
from netlab.calc.errors import BodyError, CalcError, EvaluationError, ExpressionError, FramingError, SyntaxRefused
from netlab.common.errors import RemoteError

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]


class ErrorTests(SynchronousTestCase):
    """What programs that catch them go by."""

    def test_one_root(self) -> None:
        """All are the peer's fault, and all are caught as `CalcError`."""
        self.assertTrue(issubclass(CalcError, RemoteError))
        self.assertTrue(all(issubclass(kind, CalcError) for kind in CLASSES))

    def test_stream_or_packet(self) -> None:
        """A fault after which the stream is lost is no kind of one after which it goes on."""
        self.assertFalse(issubclass(FramingError, BodyError | ExpressionError))

    def test_explained(self) -> None:
        """Each says what it is."""
        self.assertTrue(all(inspect.getdoc(kind) for kind in CLASSES))

    def test_syntax(self) -> None:
        """A refused text says where."""
        error = SyntaxRefused("wrong", 3, "1 $\n  ^")
        self.assertEqual((str(error), error.column, error.caret), ("wrong, at column 3", 3, "1 $\n  ^"))

    def test_evaluation(self) -> None:
        """Failed arithmetic is named as Python names it; one argument stands alone."""
        self.assertEqual(str(EvaluationError("ValueError", ("math domain error",))), "ValueError: math domain error")
        self.assertEqual(str(EvaluationError("OverflowError", (34, "range"))), "OverflowError: (34, 'range')")
