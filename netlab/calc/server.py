"""The calculator daemon: connections joined to `netlab.calc.calculator`."""

from typing import Any

from netlab.calc.calculator import Calculator, Reply
from netlab.calc.connection import CalcProtocol
from netlab.calc.errors import FramingError
from netlab.calc.serving import ServingFactory


class CalcFactory(ServingFactory):
    """Answers from a calculator.

    :param calculator: what answers; the other parameters are those of `ServingFactory`.
    """

    def __init__(self, calculator: Calculator, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._calculator = calculator

    def reply(self, connection: CalcProtocol, frame: bytes) -> Reply:
        """Answer one packet; a fault of ours is logged with its traceback and answered without."""
        try:
            reply = self._calculator.reply(frame)
        except Exception:
            self.log.failure("{{{peer}}} A fault of ours while answering", peer=connection.peer)
            reply = self._calculator.fault(frame)
        self.log_request(connection, frame)
        self.log_reply(connection, reply)
        return reply

    def refuse(self, fault: FramingError) -> Reply:
        """The answer to a stream that can no longer be cut into packets."""
        return self._calculator.refuse(fault)
