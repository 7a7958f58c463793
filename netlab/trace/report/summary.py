"""A quick summary as lines of text: totals, and a table of conversations, those with most packets first."""

from collections.abc import Iterator

from netlab.trace.report.headings import TABLE
from netlab.trace.report.paint import Paint
from netlab.trace.summary import Summary, Talk
from netlab.trace.tcp import ACK, FIN, RST, SYN
from netlab.trace.words.damage import problem
from netlab.trace.words.language import Language, endpoint
from netlab.trace.words.sentence import Duration, Listing, Notation, Sentence, counted, octets, packets, said

_SECOND = 1_000_000_000
#: How wide the columns are between the two of endpoints, whose width is that of the longest.
_WIDTHS = (9, 9, 13, 13, 12, 12)


def report(summary: Summary, language: Language, paint: Paint) -> Iterator[str]:
    """The lines of a summary that has been read."""
    talks = sorted(summary.talks(), key=lambda one: -sum(one.packets))
    for sentence in _sentences(summary, len(talks)):
        yield language.say(sentence)
    if not talks:
        return
    ends = [tuple(map(endpoint, talk.endpoints)) for talk in talks]
    widths = [max(len(pair[side]) for pair in ends) for side in (0, 1)]
    yield ""
    yield paint.strong(_line(tuple(map(language.say, TABLE)), widths))
    for talk, names in zip(talks, ends, strict=True):
        yield language.isolated(_line((str(talk.number), *names, *_numbers(talk, summary.began), _bits(talk)), widths))


def _sentences(summary: Summary, talks: int) -> Iterator[Sentence]:
    yield said(
        "{packets}, {size} in {time}; {talks}.",
        packets=packets(summary.packets),
        size=octets(summary.bytes),
        time=Duration(summary.ended - summary.began),
        talks=counted("{count} TCP conversation", "{count} TCP conversations", talks),
    )
    listed = [said("{name} × {count}", name=Notation(name), count=n) for name, n in summary.protocols.most_common()]
    if listed:
        yield said("Protocols: {protocols}.", protocols=Listing(tuple(listed)))
    if summary.passed_over:
        yield counted(
            "{count} TCP packet is of conversations beyond the limit, and not followed.",
            "{count} TCP packets are of conversations beyond the limit, and not followed.",
            summary.passed_over,
        )
    if summary.damage is not None:
        yield said(
            "The file is damaged at byte {offset}: {problem}. Everything before that has been used.",
            offset=summary.damage.offset,
            problem=problem(summary.damage.problem),
        )


def _numbers(talk: Talk, began: int) -> Iterator[str]:
    for count in (*talk.packets, *talk.bytes):
        yield f"{count:,}"
    yield f"{(talk.began - began) / _SECOND:.6f}"
    yield f"{(talk.ended - talk.began) / _SECOND:.6f}"


def _bits(talk: Talk) -> str:
    bits = talk.bits[0] | talk.bits[1]
    return " ".join(name for bit, name in ((SYN, "SYN"), (ACK, "ACK"), (FIN, "FIN"), (RST, "RST")) if bits & bit)


def _line(parts: tuple[str, ...], widths: list[int]) -> str:
    number, one, two, *numbers, bits = parts
    columns = "".join(f" {part:>{width}}" for part, width in zip(numbers, _WIDTHS, strict=True))
    return f"{number:>5}  {one:<{widths[0]}}  {two:<{widths[1]}} {columns}  {bits}".rstrip()
