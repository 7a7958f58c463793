"""Messages of the calculator, made without sockets."""

from __future__ import annotations

from netlab.calc.calculator import Calculator
from netlab.calc.header import FOREVER, encode_packet
from netlab.calc.question import Question, ask
from tests.trace.app.talking import BEGAN

#: The second in which captures begin.
NOW = BEGAN // 1_000_000_000
_CALCULATOR = Calculator(lambda least, most: least)


def request(text: str, max_age: int = FOREVER, when: int = NOW) -> bytes:
    """A request."""
    question: Question = ask(text, tuple, max_age=None if max_age == FOREVER else max_age)
    return question.packet(when)


def response(asked: bytes, when: int = NOW, max_age: int = FOREVER) -> bytes:
    """The response to a request, made at ``when``."""
    made = when.to_bytes(4, "big") + _CALCULATOR.reply(asked).tail
    return made[:8] + max_age.to_bytes(2, "big") + made[10:]


def failure(text: str = "Connection refused by server", status: int = 500) -> bytes:
    """A response that says what failed."""
    from netlab.calc.codecs import pickle_write
    from netlab.calc.messages import Failure

    return encode_packet(
        pickle_write.write_answer(Failure("CalculatorServerError", (text,))), timestamp=NOW, status=status
    )
