"""What stands in calculator packets: bodies as text, through the daemon's own bounded readers."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from attrs import frozen

from netlab.calc.header import HEADER_LENGTH, Header
from netlab.trace.app.span import Span

if TYPE_CHECKING:
    from netlab.trace.app.calc_reading import Reading

#: Bodies whose texts are remembered: programs ask the same again and again, and reading is the slow part.
MAX_REMEMBERED = 512


@frozen
class Contents:
    """A packet as it was cut from its stream; ``problem`` says why its body need not be looked at."""

    span: Span
    header: Header
    flags: int
    body: bytes
    problem: str | None = None


@frozen
class Body:
    """What a body says, in texts. ``error`` is kind and message."""

    codec: str | None = None
    expression: str | None = None
    result: str | None = None
    steps: tuple[str, ...] = ()
    error: tuple[str, str] | None = None
    problem: str | None = None


class Bodies:
    """Reads bodies; each costs at most what the budget of one request allows."""

    def __init__(self) -> None:
        self._readers: Reading | None = None
        self._remembered: dict[Hashable, Body] = {}

    def request(self, body: bytes) -> Body:
        """What is asked."""
        return self._known(body, lambda: Body(**self._reading().request(body)))

    def response(self, header: Header, body: bytes) -> Body:
        """What is answered, with a ``header`` that says whether that is an error."""
        return self._known((header.status, body), lambda: Body(**self._reading().response(header, body)))

    def _known(self, key: Hashable, read: Callable[[], Body]) -> Body:
        known = self._remembered.get(key)
        if known is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[key] = read()
        return known

    def _reading(self) -> "Reading":
        """What reads, imported when there is something to read: parsers take a while, and most captures need none."""
        if self._readers is None:
            from netlab.trace.app.calc_reading import Reading

            self._readers = Reading()
        return self._readers


def contents(frame: bytes, span: Span, problem: str | None = None) -> Contents:
    """A whole packet's header and body."""
    flags = int.from_bytes(frame[6:8], "big")
    return Contents(span, Header.decode(frame), flags, frame[HEADER_LENGTH:], problem)
