"""What the two sides say to each other, free of any codec: answers, and the checks on a request's header."""

from attrs import frozen

from netlab.calc.errors import CalcError, EvaluationError, RequestAsResponse, ResponseAsRequest, StatusInRequest
from netlab.calc.expression import Number
from netlab.calc.header import Header

#: Which module each error of the protocol lives in, for programs that load it by name (protocols.md §1 Bodies).
ERROR_MODULES = {
    "ZeroDivisionError": "builtins",
    "TypeError": "builtins",
    "ValueError": "builtins",
    "OverflowError": "builtins",
    "CalculatorClientError": "api",
    "CalculatorServerError": "api",
}


@frozen
class Success:
    """A result and the texts of its steps; no texts when none were asked for, or none fit."""

    result: Number
    steps: tuple[str, ...] = ()


@frozen
class Failure:
    """An error by name and arguments. ``kind`` is a key of `ERROR_MODULES`; an argument can be a cause."""

    kind: str
    arguments: "tuple[str | int | Failure, ...]"

    @property
    def message(self) -> str:
        """The error as one sentence, causes included."""
        words = [item.message if isinstance(item, Failure) else str(item) for item in self.arguments]
        return ": ".join(words) or self.kind


Answer = Success | Failure


def failure_of(error: CalcError) -> Failure:
    """What to tell a client whose request ended in ``error``."""
    if isinstance(error, EvaluationError):
        return Failure(error.kind, error.arguments)
    caret = getattr(error, "caret", None)
    return Failure("CalculatorClientError", (f"{error}\n{caret}" if caret else str(error),))


def check_request(header: Header) -> None:
    """Check that a packet is a request.

    :raises ResponseAsRequest: it is a response.
    :raises StatusInRequest: it is a request with a status.
    """
    if not header.request:
        raise ResponseAsRequest("Received a response instead of a request")
    if header.status:
        raise StatusInRequest(f"a request carries the status {header.status}, which belongs in responses only")


def check_response(header: Header) -> None:
    """Check that a packet is a response.

    :raises RequestAsResponse: it is a request.
    """
    if header.request:
        raise RequestAsResponse("Received a request instead of a response")
