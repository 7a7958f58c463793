"""What is wrong with a damaged file, in words: the problems that the readers of the formats report."""

import re

from netlab.trace.words.sentence import Notation, Value, said

#: A number in a problem; in the messages it stands as ``{a}``, the next as ``{b}``.
_NUMBER = re.compile(r"\d+(?:,\d{3})*")


def problem(text: str) -> Value:
    """The problem ``text`` as a part of a sentence; as it is if it is none of those that are known."""
    numbers = [Notation(number) for number in _NUMBER.findall(text)]
    names = iter("abcdefgh")
    known = PROBLEMS.get(_NUMBER.sub(lambda _: f"{{{next(names, 'h')}}}", text))
    if known is None:
        return text
    return known._replace(values=dict(zip("abcdefgh", numbers, strict=False)))


PROBLEMS = {
    sentence.message: sentence
    for sentence in (
        said("what gzip packed is damaged"),
        said("the gzip file ends too early"),
        said("the file ends inside its header of {a} bytes"),
        said("the file ends inside its first block"),
        said("version {a} of the pcap format is not known ({b} is)"),
        said("the file ends inside a record, {a} bytes after it began"),
        said("a record says that it has {a} bytes, more than any packet ({b})"),
        said("the file ends inside a block, {a} bytes after it began"),
        said("a block says that it is {a} bytes long, which no block can be"),
        said("a block says that it is {a} bytes long; {b} are believed"),
        said("the file ends inside a block of {a} bytes"),
        said("a block of {a} bytes says another length at its end"),
        said("a section's header has no byte-order mark"),
        said("a section's header says that it is {a} bytes long"),
        said("the file ends inside a section's header"),
        said("a section's header says another length at its end"),
        said("more than {a} interfaces are described"),
        said("a packet of {a} bytes is said to be in a block of {b}"),
        said("a packet is said to be of interface {a}, which was not described"),
        said("a simple packet comes before any interface was described"),
        said("a block has {a} bytes, and its kind needs {b}"),
        said("the description of an interface has {a} bytes instead of {b} or more"),
    )
}
