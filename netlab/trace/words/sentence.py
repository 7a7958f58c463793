"""Sentences before they are in a language: a message of the catalogues, and the values that it is about.

A message is English and whole; its values stand in braces by name. `said` and `counted` are what Babel looks for
(`scripts/words`), so their messages are always literals.
"""

from collections.abc import Iterable
from typing import NamedTuple

from netlab.trace.facts import Endpoint


class Plain(NamedTuple):
    """A number that is a name: of a packet, a port, a place in a stream. It is written without separators."""

    number: int


class Duration(NamedTuple):
    """A time between two events, in nanoseconds."""

    nanoseconds: int


class Notation(NamedTuple):
    """What is written the same in every language, from left to right: addresses, flags, names of fields."""

    text: str


class Listing(NamedTuple):
    """Several of a kind, listed with commas."""

    items: tuple["Value", ...]


class Sentence(NamedTuple):
    """A message and its values; ``plural`` and ``number`` if its form depends on one.

    A part of a sentence, such as ``13 bytes``, is one too, and a value of others.
    """

    message: str
    values: dict[str, "Value"]
    plural: str | None = None
    number: int = 0


#: A `str` is a stranger's text, such as a comment in the file.
Value = int | str | Plain | Duration | Notation | Endpoint | Listing | Sentence


def said(message: str, /, **values: Value) -> Sentence:
    """A sentence whose form does not depend on a number."""
    return Sentence(message, values)


def counted(one: str, many: str, /, count: int, **values: Value) -> Sentence:
    """A sentence about ``count`` things; both messages may have ``{count}`` in them."""
    return Sentence(one, {"count": count, **values}, many, count)


def frames(numbers: Iterable[int]) -> Listing:
    """Packets by their numbers."""
    return Listing(tuple(map(Plain, numbers)))


def octets(count: int) -> Sentence:
    """So many bytes."""
    return counted("{count} byte", "{count} bytes", count)


def packets(count: int) -> Sentence:
    """So many packets."""
    return counted("{count} packet", "{count} packets", count)
