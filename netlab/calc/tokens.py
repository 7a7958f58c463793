"""Infix text cut into tokens."""

import re
from collections.abc import Iterator

from netlab.calc.errors import SyntaxRefused

NUMBER = "number"
#: A name with an opening bracket after it; the bracket is a token of its own.
CALL = "call"
NAME = "name"
SIGN = "sign"
END = "end"

_TOKEN = re.compile(
    r"""
    [ \t\r\n\f\v]*+
    (?: (?P<number> (?: [0-9]+ \.? [0-9]* | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? )
      | (?P<sign> \*\* | [-+*/%(),] )
      | (?P<call> [A-Za-z_][A-Za-z_0-9]*+ (?= [ \t\r\n\f\v]*+ \( ) )
      | (?P<name> [A-Za-z_][A-Za-z_0-9]*+ )
      | (?P<end> \Z )
      | (?P<junk> . )
    )""",
    re.VERBOSE | re.DOTALL,
)

#: How much of a long text a caret line shows on either side of the column.
_WINDOW = 30


#: What a token is (one of the kinds above), its text, and the offset at which it starts, from 0.
Token = tuple[str, str, int]


def tokens(text: str) -> Iterator[Token]:
    """Cut ``text``, lazily, so that a reader that gives up early has paid only for what it read.

    The last token is `END`.

    :raises SyntaxRefused: a character that begins no token.
    """
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or END
        if kind == END:
            yield (END, "", found.end())
            return
        token = (kind, found[kind], found.start(kind))
        if kind == "junk":
            raise refuse(f"{token[1]!r} has no place in an expression", text, token[2])
        yield token


def refuse(reason: str, text: str, start: int) -> SyntaxRefused:
    """The error for what is wrong in ``text`` at offset ``start``, its caret lines included."""
    left = max(0, start - _WINDOW)
    window = text[left : start + _WINDOW]
    shown = "".join(character if character.isprintable() else " " for character in window)
    before, after = "…" if left else "", "…" if start + _WINDOW < len(text) else ""
    caret = " " * (len(before) + start - left) + "^"
    return SyntaxRefused(reason, start + 1, f"{before}{shown}{after}\n{caret}")
