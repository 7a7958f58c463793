"""What the two sides say to each other, and the checks on who says it."""

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.errors import (
    BudgetExceeded,
    EvaluationError,
    RequestAsResponse,
    ResponseAsRequest,
    StatusInRequest,
    SyntaxRefused,
)
from netlab.calc.header import Header, encode_packet
from netlab.calc.messages import Failure, Success, check_request, check_response, failure_of


def header(*, request: bool, status: int = 0) -> Header:
    """A header of that kind."""
    return Header.decode(encode_packet(b"", timestamp=0, request=request, status=status))


class CheckTests(SynchronousTestCase):
    """Who may say what."""

    def test_request(self) -> None:
        """A request has bit T and no status; a response is no request, whatever its status."""
        self.assertIsNone(check_request(header(request=True)))
        self.assertRaises(StatusInRequest, check_request, header(request=True, status=200))
        self.assertRaises(ResponseAsRequest, check_request, header(request=False, status=200))
        self.assertRaises(ResponseAsRequest, check_request, header(request=False))

    def test_response(self) -> None:
        """A response has no bit T."""
        self.assertIsNone(check_response(header(request=False, status=200)))
        self.assertRaises(RequestAsResponse, check_response, header(request=True))

    def test_old_words(self) -> None:
        """The deployed server's own words."""
        error = self.assertRaises(ResponseAsRequest, check_request, header(request=False))
        self.assertEqual(str(error), "Received a response instead of a request")


class FailureTests(SynchronousTestCase):
    """Errors on their way to a client."""

    def test_arithmetic(self) -> None:
        """Failed arithmetic keeps its type and arguments."""
        self.assertEqual(failure_of(EvaluationError("OverflowError", (34, "x"))), Failure("OverflowError", (34, "x")))

    def test_others(self) -> None:
        """Everything else is the client's error, in one sentence."""
        self.assertEqual(failure_of(BudgetExceeded("too much")), Failure("CalculatorClientError", ("too much",)))

    def test_syntax(self) -> None:
        """A text is shown with its caret."""
        failure = failure_of(SyntaxRefused("wrong", 3, "1 $\n  ^"))
        self.assertEqual(failure.arguments, ("wrong, at column 3\n1 $\n  ^",))

    def test_message(self) -> None:
        """All arguments in one sentence, causes included; the kind itself where there are none."""
        cause = Failure("CalculatorServerError", ("refused",))
        self.assertEqual(Failure("CalculatorServerError", ("proxy", cause)).message, "proxy: refused")
        self.assertEqual(Failure("OverflowError", (34, "range")).message, "34: range")
        self.assertEqual(Failure("ValueError", ()).message, "ValueError")

    def test_values(self) -> None:
        """Answers compare by what they say."""
        self.assertEqual(Success(1), Success(1, ()))
        self.assertNotEqual(Success(1, ("1",)), Success(1))
