"""What there is to judge an experiment by: the microscope's facts and the programs' events."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from netlab.lab.errors import BadBundle
from netlab.lab.events import Event
from netlab.trace.app.application import Application
from netlab.trace.app.findings import Applications, Findings
from netlab.trace.errors import NotACapture
from netlab.trace.facts import Conversation, Damage, Packet, Segment
from netlab.trace.reading import Trace

#: Packets of one experiment; the largest of ours has some hundreds. Judging takes up to their number squared.
MAX_PACKETS = 5_000

#: A packet, and the segment in it.
Sent = tuple[Packet, Segment]


@frozen
class Evidence:
    """Everything that is known; without a capture (``captured``) there are events only.

    ``segments`` are the packets of each TCP conversation, by its number.
    """

    packets: tuple[Packet, ...]
    segments: Mapping[int, Sequence[Sent]]
    conversations: tuple[Conversation, ...]
    findings: Findings
    events: tuple[Event, ...]
    captured: bool
    damage: Damage | None = None

    def to_port(self, port: int) -> tuple[Conversation, ...]:
        """The conversations that a client opened to ``port``, in the order of their beginnings."""
        return tuple(
            one for one in self.conversations if one.client is not None and one.endpoints[1 - one.client].port == port
        )

    def application(self, conversation: Conversation) -> Application | None:
        """What was said in a conversation."""
        found = (one for one in self.findings.applications if one.conversation == conversation.number)
        return next(found, None)

    def sent(self, conversation: Conversation, sender: int | None = None) -> list[Sent]:
        """The packets of a conversation, or those of one side, in order."""
        return [pair for pair in self.segments.get(conversation.number, ()) if sender in (None, pair[1].sender)]

    def data(self, conversation: Conversation, sender: int) -> list[Sent]:
        """The packets by which one side sent bytes."""
        return [pair for pair in self.sent(conversation, sender) if pair[1].length]

    def stream(self, conversation: Conversation, sender: int) -> bytes:
        """The bytes that one side sent, each once, in order, up to the first that is missing."""
        stream = bytearray()
        for _, segment in sorted(self.data(conversation, sender), key=lambda pair: pair[1].sequence):
            known = len(stream) - (segment.sequence - 1)
            if known < 0:
                break
            stream += segment.payload[known:]
        return bytes(stream)

    def said(self, source: str, kind: str | None = None) -> tuple[Event, ...]:
        """The events of one program."""
        return tuple(one for one in self.events if one.source == source and kind in (None, one.kind))


def analysed(blocks: Iterable[bytes] | None, roles: Mapping[int, str], events: Iterable[Event]) -> Evidence:
    """The evidence in a capture, given as blocks of a file, and in events; `None` if nothing was captured.

    :raises BadBundle: it is no capture, or far longer than an experiment's.
    """
    trace = Trace(blocks or ())
    applications = Applications(roles=roles)
    packets: list[Packet] = []
    segments: defaultdict[int, list[Sent]] = defaultdict(list)
    try:
        for packet in trace.packets() if blocks is not None else ():
            if len(packets) >= MAX_PACKETS:
                raise BadBundle(f"the capture has more than {MAX_PACKETS:,} packets")
            applications.packet(packet)
            packets.append(packet)
            if isinstance(packet.transport, Segment):
                segments[packet.transport.conversation].append((packet, packet.transport))
    except NotACapture as error:
        raise BadBundle(f"the capture cannot be read: {error}") from None
    conversations = trace.conversations()
    found = applications.findings(conversations)
    return Evidence(tuple(packets), segments, conversations, found, tuple(events), blocks is not None, trace.damage)
