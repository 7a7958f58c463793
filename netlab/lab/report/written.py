"""A result and its capture, told: what all forms of the report are made from."""

from collections.abc import Iterable, Iterator, Sequence

from netlab.lab.result import Result
from netlab.trace.passage import Passage
from netlab.trace.reading import Trace
from netlab.trace.report.telling import Telling, ToldPacket
from netlab.trace.words.packets import comment_sentence
from netlab.trace.words.people import Roles


class Written:
    """The packets with their sentences, the conversations and the ladder of a result."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.roles: Roles = {port: name for port, name in result.plan.roles.items()}  # noqa: C416 - other keys
        self.telling = Telling(Trace([result.capture] if result.capture else []), None, self.roles)
        packets = self.telling.packets() if result.capture else ()
        self.packets: tuple[ToldPacket, ...] = tuple(_less(told, ours) for told, ours in self._with_comments(packets))

    def _with_comments(self, packets: Iterable[ToldPacket]) -> Iterator[tuple[ToldPacket, Sequence[str]]]:
        comments = self.result.comments()
        return ((told, comments.get(told.packet.number, ())) for told in packets)

    @property
    def that_matter(self) -> tuple[ToldPacket, ...]:
        """The packets that judgements cite."""
        cited = set(self.result.cited)
        return tuple(told for told in self.packets if told.packet.number in cited)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What the proxy did, in the order of the requests; empty without one."""
        return tuple(sorted(self.result.evidence.findings.passages, key=lambda one: one.request.first))


def _less(told: ToldPacket, ours: Sequence[str]) -> ToldPacket:
    """A packet less the comments that name the claims: a report has these in a table of their own."""
    named = [comment_sentence(one) for one in ours]
    return told._replace(sentences=tuple(one for one in told.sentences if one not in named))
