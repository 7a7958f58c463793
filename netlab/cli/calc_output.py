"""What ``netlab calc`` shows of the answers: the story that the lab's old client told, or JSON lines."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import click

from netlab.calc.batch import Outcome, Watcher
from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs import json_body
from netlab.calc.header import FOREVER
from netlab.calc.messages import Failure, Success
from netlab.calc.numbers import number_text
from netlab.calc.question import Question, Response
from netlab.common.printable import printable

#: Whatever fits into a packet may be printed.
_FREE = Budget(max_work=1 << 62)


class Text(NamedTuple):
    """An expression as it was given; ``line`` is its place in a file, from 1, and 0 on the command line."""

    text: str
    line: int = 0


#: Takes an error: its line, and lines with details.
Complain = Callable[[str, str], None]


class Output(Watcher):
    """What all outputs have: the texts, whether any failed, and where errors go."""

    def __init__(self, texts: Sequence[Text], complain: Complain, colour: bool) -> None:
        self.texts = texts
        self.failed = False
        self.done = 0
        self._complain = complain
        self._colour = colour

    def answered(self, number: int, outcome: Outcome) -> None:
        """Count."""
        self.done = number + 1


class Story(Output):
    """What happened, as the old client told it; a block for each expression of a file."""

    _peer = ""

    def connected(self, peer: str) -> None:
        """Say so."""
        self._peer = f"{{{printable(peer)}}}"
        self._tell("Connection established")

    def sending(self, number: int, question: Question) -> None:
        """Say so, if there is no block for it to be in."""
        if not self.texts[number].line:
            self._tell(f"Sending request of length {question.length} bytes")

    def answered(self, number: int, outcome: Outcome) -> None:
        """Show the result and its steps, or complain."""
        super().answered(number, outcome)
        text, line = self.texts[number]
        if line:
            self._echo(f"\nLine {line}: {printable(text)}")
        if isinstance(outcome, Response):
            if line:
                self._tell(f"Sending request of length {outcome.request_length} bytes")
            self._tell(f"Got response of length {outcome.response_length} bytes")
            if isinstance(outcome.answer, Success):
                self._show(outcome, outcome.answer)
                return
        self.failed = True
        place = f"line {line}: " if line else ""
        self._complain(f"{place}{_message(outcome)}", getattr(outcome, "caret", ""))

    def closed(self, peer: str) -> None:
        """Say so."""
        if self.texts[0].line:
            self._echo("")
        self._tell("Connection closed")

    def _show(self, response: Response, answer: Success) -> None:
        value = number_text(answer.result, Meter(_FREE))
        self._echo("Result: " + (click.style(value, bold=True) if self._colour else value))
        if answer.steps:
            self._echo("Steps:")
            self._echo(steps_text(answer.steps))
        elif response.steps_missing:
            self._echo("Steps: not sent (the server leaves them out when they do not fit into a packet)")

    def _tell(self, what: str) -> None:
        line = f"{self._peer} {what}"
        self._echo(click.style(line, dim=True) if self._colour else line)

    def _echo(self, line: str) -> None:
        click.echo(line, color=self._colour)


class JsonLines(Output):
    """One JSON object a line for each expression, errors of its own included (docs/client.md)."""

    def answered(self, number: int, outcome: Outcome) -> None:
        """Write the object."""
        super().answered(number, outcome)
        text, line = self.texts[number]
        fields: dict[str, Any] = {"line": line} if line else {}
        fields["expression"] = text
        if isinstance(outcome, Response):
            fields |= json.loads(json_body.write_answer(outcome.answer, Meter(_FREE))) | _header(outcome)
            self.failed |= isinstance(outcome.answer, Failure)
        else:
            fields["error"] = {"type": type(outcome).__name__, "message": str(outcome)}
            self.failed = True
        click.echo(json.dumps(fields))


def steps_text(steps: Sequence[str]) -> str:
    """The steps below one another, every ``=`` under the first."""
    first, *others = map(printable, steps)
    indent = " " * len(first)
    return "\n".join([f"{first} = {others[0]}", *(f"{indent} = {step}" for step in others[1:])]) if others else first


def _header(response: Response) -> dict[str, Any]:
    header = response.header
    return {
        "status": header.status,
        "cache": header.cache,
        "max_age": "inf" if header.max_age == FOREVER else header.max_age,
        "timestamp": header.timestamp,
        "request_length": response.request_length,
        "response_length": response.response_length,
    }


def _message(outcome: Outcome) -> str:
    if isinstance(outcome, Response) and isinstance(outcome.answer, Failure):
        return f"{outcome.answer.kind}: {outcome.answer.message}"
    return str(outcome)
