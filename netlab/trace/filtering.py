"""The language of ``--filter``: which packets are shown (docs/trace-reports.md, "Choosing packets").

``port 9999 and not flag any``, ``conversation 3 or (udp and host 10.0.0.0/8)``, ``frame 10-20``.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from netlab.common.errors import LocalError
from netlab.trace import filter_terms as terms
from netlab.trace.choosing import Choice

#: Longer filters, and deeper brackets, are refused.
MAX_LENGTH, MAX_DEPTH = 2_000, 50

_TOKEN = re.compile(r"\s*(?:([()])|([^\s()]+))")
_JOINING = ("and", "or", "not")


class FilterError(LocalError):
    """A filter cannot be understood; ``place`` is where, in characters from 0."""

    def __init__(self, message: str, text: str, place: int) -> None:
        super().__init__(message)
        self.text = text
        self.place = place

    @property
    def caret(self) -> str:
        """The filter, and a mark below the place."""
        return f"{self.text}\n{'':{self.place}}^"


class _Token(NamedTuple):
    text: str
    place: int


def choice_of(text: str) -> Choice:
    """What ``text`` chooses.

    :raises FilterError: it is no filter.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"a filter is at most {MAX_LENGTH:,} characters long", "", 0)
    return _Parser(text).whole()


def every(choices: list[Choice]) -> Choice:
    """What all ``choices`` choose."""
    return lambda packet: all(choice(packet) for choice in choices)


class _Parser:
    """Recursive descent; ``or`` binds less than ``and``, and ``and`` less than ``not``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [
            _Token(found[1] or found[2], found.start(1) if found[1] else found.start(2))
            for found in _TOKEN.finditer(text)
        ]
        self._at = 0
        self._depth = 0

    def whole(self) -> Choice:
        choice = self._either()
        rest = self._peek()
        if rest is not None:
            raise self._wrong("there is one ) too many" if rest.text == ")" else f"put and or or before {rest.text!r}")
        return choice

    def _either(self) -> Choice:
        choices = [self._both()]
        while self._take("or"):
            choices.append(self._both())
        return choices[0] if len(choices) == 1 else lambda packet: any(choice(packet) for choice in choices)

    def _both(self) -> Choice:
        choices = [self._negated()]
        while self._take("and"):
            choices.append(self._negated())
        return choices[0] if len(choices) == 1 else every(choices)

    def _negated(self) -> Choice:
        negations = 0
        while self._take("not"):
            negations += 1
        choice = self._bracketed() if self._take("(") else self._term()
        return (lambda packet: not choice(packet)) if negations % 2 else choice

    def _bracketed(self) -> Choice:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(f"brackets are nested more than {MAX_DEPTH} deep")
        choice = self._either()
        if not self._take(")"):
            raise self._wrong("a ) is missing")
        self._depth -= 1
        return choice

    def _term(self) -> Choice:
        token = self._peek()
        if token is None or token.text == ")":
            raise self._wrong("something is missing here")
        name = token.text.lower()
        if name in terms.PLAIN:
            self._at += 1
            return terms.PLAIN[name]
        make = terms.WITH_VALUE.get(name)
        if make is None:
            raise self._wrong(f"there is no {token.text!r}; {_offer(name)}")
        self._at += 1
        return self._with_value(name, make)

    def _with_value(self, name: str, make: Callable[[str], Choice]) -> Choice:
        value = self._peek()
        if value is None or value.text in ("(", ")") or value.text.lower() in _JOINING:
            raise self._wrong(f"{name} needs {terms.VALUES[name]}")
        try:
            choice = make(value.text)
        except ValueError:
            raise self._wrong(f"{name} needs {terms.VALUES[name]}, not {value.text!r}") from None
        self._at += 1
        return choice

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, word: str) -> bool:
        token = self._peek()
        if token is None or token.text.lower() != word:
            return False
        self._at += 1
        return True

    def _wrong(self, message: str) -> FilterError:
        token = self._peek()
        return FilterError(message, self._text, len(self._text) if token is None else token.place)


def _offer(name: str) -> str:
    from difflib import get_close_matches

    known = [*terms.PLAIN, *terms.WITH_VALUE]
    close = get_close_matches(name, known)
    return f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(sorted(known))}"
