"""What ``netlab calc`` is given to ask: words of the command line, the lines of a file, or a stream of lines."""

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import click

from netlab.cli.calc_lines import is_whole, open_lines, whole_lines


class Text(NamedTuple):
    """An expression as it was given; ``line`` is its place in a file, from 1, and 0 on the command line."""

    text: str
    line: int = 0


class Given(NamedTuple):
    """What is to be asked: ``texts`` that are there, or what ``file``, open as ``descriptor``, gives bit by bit."""

    texts: list[Text] | None
    descriptor: int = 0
    file: str = ""

    @property
    def alone(self) -> bool:
        """Whether it is one expression from the command line."""
        return self.texts is not None and [text.line for text in self.texts] == [0]


def given(words: tuple[str, ...], file: str | None) -> Given:
    """What is to be asked."""
    if words == ("-",) and file is None:
        words, file = (), "-"
    if file is None and not words:
        raise click.UsageError("give an expression, - for stdin, or --file")
    if file is None:
        return Given([Text(" ".join(words))])
    if words:
        raise click.UsageError("give either an expression or --file, not both")
    descriptor = open_lines(file)
    if is_whole(descriptor):
        return Given([*filter(None, map(expressions(), whole_lines(descriptor, file)))], descriptor, file)
    return Given(None, descriptor, file)


def expressions() -> Callable[[str], Text | None]:
    """What makes the expression of each line, called with one after the other; `None` where there is none."""
    numbers = count(1)

    def expression(line: str) -> Text | None:
        text = Text(line.partition("#")[0].strip(), next(numbers))
        return text if text.text else None

    return expression
