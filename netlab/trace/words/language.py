"""A language: sentences in, text out.

In a text that runs from right to left, whatever runs from left to right in it is isolated (Unicode Standard Annex 9,
U+2066…U+2069), so that ``127.0.0.1:9999`` and ``Seq 1`` stay whole and in their place. A stranger's text is made
printable first, and isolated by its own direction wherever it could disturb what stands around it.
"""

from gettext import NullTranslations

from netlab.common.printable import printable
from netlab.trace.facts import Endpoint
from netlab.trace.words.sentence import Duration, Listing, Notation, Plain, Sentence, Value

LEFT_TO_RIGHT, FIRST_STRONG, POP = "\u2066", "\u2068", "\u2069"
#: The scripts that run from right to left lie here: Hebrew, Arabic and their neighbours, and what is shown like them.
_RIGHT_TO_LEFT = ((0x0590, 0x08FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFF), (0x10800, 0x10FFF), (0x1E800, 0x1EFFF))

_SECOND = 1_000_000_000
#: A text of the file is shown up to here.
MAX_TEXT = 400


class Language:
    """Says sentences in the language that ``translations`` are of."""

    def __init__(self, code: str, translations: NullTranslations, *, right_to_left: bool = False) -> None:
        self.code = code
        self.right_to_left = right_to_left
        self._one = translations.gettext
        self._counted = translations.ngettext

    def say(self, sentence: Sentence) -> str:
        """The text of ``sentence``."""
        message, values, plural, number = sentence
        text = self._one(message) if plural is None else self._counted(message, plural, number)
        return text.format_map({name: self.value(value) for name, value in values.items()}) if values else text

    def value(self, value: Value) -> str:
        """A value as it stands in a sentence."""
        if isinstance(value, Sentence):
            return self.say(value)
        if isinstance(value, str):
            return self.stranger(value)
        if isinstance(value, Listing):
            return ", ".join(map(self.value, value.items))
        text = notation(value)
        return f"{LEFT_TO_RIGHT}{text}{POP}" if self.right_to_left else text

    def stranger(self, text: str) -> str:
        """A text that came with the capture: short, printable, and unable to turn what stands beside it."""
        text = printable(text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…")
        return f"{FIRST_STRONG}{text}{POP}" if self.right_to_left or turns(text) else text

    def isolated(self, text: str) -> str:
        """``text``, which runs from left to right, for a place in a line of this language."""
        return f"{LEFT_TO_RIGHT}{text}{POP}" if self.right_to_left else text


def notation(value: int | Plain | Duration | Notation | Endpoint) -> str:
    """What is the same in every language."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Plain):
        return str(value.number)
    if isinstance(value, Duration):
        return duration(value.nanoseconds)
    return endpoint(value) if isinstance(value, Endpoint) else value.text


def turns(text: str) -> bool:
    """Whether something in ``text`` runs from right to left."""
    return not text.isascii() and any(
        first <= ord(character) <= last for character in text for first, last in _RIGHT_TO_LEFT
    )


def duration(time: int) -> str:
    """Nanoseconds as a person reads them: ``12.300 µs``, ``1.000 s``."""
    for unit, size in (("s", _SECOND), ("ms", 1_000_000), ("µs", 1_000)):
        if abs(time) >= size:
            return f"{time / size:,.3f} {unit}"
    return f"{time} ns"


def endpoint(one: Endpoint) -> str:
    """``127.0.0.1:9999``, ``[::1]:9999``."""
    if one.port is None:
        return one.address
    return f"[{one.address}]:{one.port}" if ":" in one.address else f"{one.address}:{one.port}"
