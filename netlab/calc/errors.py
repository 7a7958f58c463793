"""What can be wrong with calculator traffic, each cause a class, each text one sentence for its reader."""

from netlab.common.errors import ConnectionFault, RemoteError


class CalcError(RemoteError):
    """Any fault in what a calculator peer sent."""


class FramingError(CalcError):
    """The byte stream can no longer be cut into packets; nothing after it can be trusted."""


class LengthTooShort(FramingError):
    """A header gives a total length under the 12 bytes of the header itself."""


class ReservedBitsSet(FramingError):
    """A header has one of the bits 15 to 13 set, which no version of the protocol gives a meaning."""


class MessageError(CalcError):
    """A whole packet arrived that has no place here; the stream itself is sound."""


class StatusInRequest(MessageError):
    """A request carries a status, which only responses have."""


class ResponseAsRequest(MessageError):
    """A response stands where a request belongs."""


class RequestAsResponse(MessageError):
    """A request stands where a response belongs."""


class UnexpectedAnswer(MessageError):
    """A response came and no question was open."""


class BodyError(CalcError):
    """A body cannot be read."""


class UnknownCodec(BodyError):
    """The first byte of a body belongs to no codec."""


class PickleRefused(BodyError):
    """A pickle holds an opcode, a global or a shape that no message of this protocol has."""


class JsonRefused(BodyError):
    """A JSON body is not of the documented form."""


class AnswerMismatch(BodyError):
    """A response holds an error with a status of success, or the other way round."""


class ExpressionError(CalcError):
    """An expression cannot be read or computed, through its own fault."""


class SyntaxRefused(ExpressionError):
    """A text is no expression.

    ``column`` counts from 1; ``caret`` is two lines that show the place: a window of the text, and a caret.
    """

    def __init__(self, reason: str, column: int, caret: str) -> None:
        super().__init__(f"{reason}, at column {column}")
        self.column = column
        self.caret = caret


class BudgetExceeded(ExpressionError):
    """An expression asks for more than one request may have (`netlab.calc.budget`)."""


class EvaluationError(ExpressionError):
    """The arithmetic itself failed.

    ``kind`` is the name of the built-in exception the deployed server answers with (``ZeroDivisionError``,
    ``TypeError``, ``ValueError``, ``OverflowError``), ``arguments`` what it carries.
    """

    def __init__(self, kind: str, arguments: tuple[str | int, ...]) -> None:
        super().__init__(f"{kind}: {arguments[0] if len(arguments) == 1 else arguments}")
        self.kind = kind
        self.arguments = arguments


class ConnectionClosed(CalcError, ConnectionFault):
    """The connection ended before the answer came."""


class AnswerTimeout(CalcError, ConnectionFault):
    """The server owed an answer for too long."""
