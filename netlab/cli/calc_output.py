"""What ``netlab calc`` shows of the answers: the story that the lab's old client told, or JSON lines."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from netlab.calc.batch import Outcome, Watcher
from netlab.calc.budget import Budget, Meter
from netlab.calc.codecs import json_body
from netlab.calc.header import FOREVER
from netlab.calc.messages import Failure, Success
from netlab.calc.numbers import number_text
from netlab.calc.question import Question, Response
from netlab.cli.calc_input import Text
from netlab.common.errors import NetlabError
from netlab.common.printable import printable

#: Whatever fits into a packet may be printed.
_FREE = Budget(max_work=1 << 62)

#: Columns. Below a longer text nobody looks for the ``=`` at its end.
_MAX_INDENT = 200
_SMALL_INDENT = "   "


#: Takes an error: its line, and lines with details.
Complain = Callable[[str, str], None]


class Output(Watcher):
    """What all outputs have: how far they are, whether any expression failed, and where errors go.

    :param alone: there is one expression, from the command line.
    """

    def __init__(self, complain: Complain, colour: bool, *, alone: bool) -> None:
        #: What was asked, or is about to be, and has no outcome yet.
        self.pending: deque[Text] = deque()
        #: How many have their outcome, and how many of these are responses.
        self.done = 0
        self.answers = 0
        self.failed = False
        self._alone = alone
        self._complain = complain
        self._colour = colour

    def answered(self, number: int, outcome: Outcome) -> None:
        """Count, and show it."""
        self.done += 1
        self.answers += isinstance(outcome, Response)
        self.show(self.pending.popleft(), outcome)

    def taken(self, text: Text) -> str:
        """Remember that ``text`` is the next to be asked; its words."""
        self.pending.append(text)
        return text.text

    def show(self, text: Text, outcome: Outcome) -> None:
        """Show what came of an expression."""

    def unanswered(self, error: NetlabError) -> None:
        """No more answers come, because of ``error``; somebody else says so on stderr."""


class Story(Output):
    """What happened, as the old client told it; a block for each expression of a file."""

    _peer = ""

    def connected(self, peer: str) -> None:
        """Say so."""
        self._peer = f"{{{printable(peer)}}}"
        self._tell("Connection established")

    def sending(self, number: int, question: Question) -> None:
        """Say so, if there is no block for it to be in."""
        if self._alone:
            self._tell(f"Sending request of length {question.length} bytes")

    def show(self, text: Text, outcome: Outcome) -> None:
        """Show the result and its steps, or complain."""
        words, line = text
        if line:
            self._echo(f"\nLine {line}: {printable(words)}")
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
        if not self._alone:
            self._echo("")
        self._tell("Connection closed")

    def _show(self, response: Response, answer: Success) -> None:
        value = number_text(answer.result, Meter(_FREE))
        self._echo("Result: " + (click.style(value, bold=True) if self._colour else value))
        if answer.steps:
            self._echo("Steps:")
            for line in step_lines(answer.steps):
                self._echo(line)
        elif response.steps_missing:
            self._echo("Steps: not sent (the server leaves them out when they do not fit into a packet)")

    def _tell(self, what: str) -> None:
        line = f"{self._peer} {what}"
        self._echo(click.style(line, dim=True) if self._colour else line)

    def _echo(self, line: str) -> None:
        click.echo(line, color=self._colour)


class JsonLines(Output):
    """One JSON object a line for each expression, errors of its own included (docs/client.md)."""

    def show(self, text: Text, outcome: Outcome) -> None:
        """Write the object."""
        words, line = text
        fields: dict[str, Any] = {"line": line} if line else {}
        fields["expression"] = words
        if isinstance(outcome, Response):
            fields |= json.loads(json_body.write_answer(outcome.answer, Meter(_FREE))) | _header(outcome)
            self.failed |= isinstance(outcome.answer, Failure)
        else:
            fields["error"] = {"type": type(outcome).__name__, "message": str(outcome)}
            self.failed = True
        click.echo(json.dumps(fields))

    def unanswered(self, error: NetlabError) -> None:
        """Write an object for everything that is pending."""
        while self.pending:
            self.show(self.pending.popleft(), error)


def step_lines(steps: Sequence[str]) -> Iterator[str]:
    """The steps below one another, every ``=`` under the first; one after a long text has a line of its own."""
    first, *others = steps
    start = printable(first)
    if len(start) > _MAX_INDENT or not others:
        yield start
        indent = _SMALL_INDENT
    else:
        indent = " " * len(start)
        yield f"{start} = {printable(others.pop(0))}"
    for step in others:
        yield f"{indent} = {printable(step)}"


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
