"""A result and its capture, told: what all forms of the report are made from."""

from netlab.lab.result import Result
from netlab.trace.passage import Passage
from netlab.trace.reading import Trace
from netlab.trace.report.telling import Telling, ToldPacket
from netlab.trace.words.people import Roles


class Written:
    """The packets with their sentences, the conversations and the ladder of a result."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.roles: Roles = {port: name for port, name in result.plan.roles.items()}  # noqa: C416 - other keys
        self.telling = Telling(Trace([result.capture] if result.capture else []), None, self.roles)
        self.packets: tuple[ToldPacket, ...] = tuple(self.telling.packets()) if result.capture else ()

    @property
    def that_matter(self) -> tuple[ToldPacket, ...]:
        """The packets that judgements cite."""
        cited = set(self.result.cited)
        return tuple(told for told in self.packets if told.packet.number in cited)

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What the proxy did, in the order of the requests; empty without one."""
        return tuple(sorted(self.result.evidence.findings.passages, key=lambda one: one.request.first))
