"""All that is found above TCP in a capture: packets in as they pass, a `Findings` out at the end."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from attrs import frozen

from netlab.trace.app.application import HTTP, Application, Room
from netlab.trace.app.artefacts import Artefact, Artefacts
from netlab.trace.app.holding import Holding
from netlab.trace.app.notes import Note, notes_of
from netlab.trace.app.readers import Readers
from netlab.trace.app.recognition import PORTS
from netlab.trace.app.talk import Talk
from netlab.trace.facts import Conversation, Packet, Segment
from netlab.trace.icmp import Message
from netlab.trace.pairing import passages
from netlab.trace.passage import Passage
from netlab.trace.streams import Streams

if TYPE_CHECKING:
    from netlab.trace.app.echo import Echoes, EchoSession

#: Conversations whose bytes are read.
MAX_TALKS = 65_536
#: Segments, and bytes of their packets, that wait. They are read conversation by conversation: what one needs is then
#: in the processor's cache for several segments, which takes a tenth less time where there are thousands.
MAX_WAITING, MAX_WAITING_BYTES = 8_000, 8 << 20


@frozen
class Findings:
    """What the programs of a capture said (docs/trace-apps.md)."""

    applications: tuple[Application, ...]
    echoes: "tuple[EchoSession, ...]"
    passages: tuple[Passage, ...]
    artefacts: tuple[Artefact, ...]
    left_out: Mapping[str, int]

    def notes(self) -> dict[int, tuple[Note, ...]]:
        """What each packet carried, by frame; packets that carried nothing that is known are not there."""
        return notes_of(self.applications)


class Applications:
    """Give it every packet of a capture, in order, then take the `findings`."""

    def __init__(self, ports: Mapping[int, str] | None = None, roles: Mapping[int, str] | None = None) -> None:
        """``ports`` are protocols by port, beside `PORTS`; ``roles`` words by port; ``proxy`` is understood."""
        self._ports = {**PORTS, **(ports or {})}
        self._proxies = frozenset(port for port, role in (roles or {}).items() if role == "proxy")
        self._room = Room()
        self._readers = Readers(self._room)
        self._streams = Streams()
        self._talks: dict[int, Talk] = {}
        self._echoes: Echoes | None = None
        self._artefacts = Artefacts()
        self._holding = Holding()
        self._left_out = 0
        self._time = 0
        #: conversation, frame, time, segment
        self._waiting: list[tuple[int, int, int, Segment]] = []
        self._octets = 0

    def packet(self, packet: Packet) -> None:
        """The next packet."""
        transport = packet.transport
        self._time = packet.time
        self._artefacts.packet(packet)
        if isinstance(transport, Segment):
            waiting = self._waiting
            waiting.append((transport.conversation, packet.number, packet.time, transport))
            self._octets += len(packet.data)
            if len(waiting) >= MAX_WAITING or self._octets > MAX_WAITING_BYTES:
                self._read()
        elif isinstance(transport, Message) and packet.source is not None and packet.destination is not None:
            if self._echoes is None:
                from netlab.trace.app.echo import Echoes

                self._echoes = Echoes()
            self._echoes.message(packet.number, packet.time, packet.source, packet.destination, transport)

    def _read(self) -> None:
        """Read what waits, each conversation's segments in their order."""
        number, talk = -1, None
        held, odd, pieces = self._holding.segment, self._artefacts.segment, self._streams.segment
        for conversation, frame, time, one in sorted(self._waiting, key=itemgetter(0)):
            if conversation != number:
                number, talk = conversation, self._talk(one)
            if talk is None:
                self._left_out += 1
                continue
            talk.segment(frame, time, one)
            held(frame, time, one, talk.ways)
            odd(frame, one)
            for sender, part in pieces(frame, time, one):
                talk.put(sender, part)
        self._waiting.clear()
        self._octets = 0

    def _talk(self, one: Segment) -> Talk | None:
        """The conversation that ``one`` belongs to; `None` if it is one too many."""
        talk = self._talks.get(one.conversation)
        if talk is None and len(self._talks) < MAX_TALKS:
            talk = self._talks[one.conversation] = Talk(one, self._ports, self._readers)
        return talk

    def findings(self, conversations: Sequence[Conversation]) -> Findings:
        """Everything; call it once, when all packets have passed, with the conversations of the same capture."""
        self._read()
        for number, talk in self._talks.items():
            for sender, part in self._streams.finish(number):
                talk.put(sender, part)
        known = {conversation.number: conversation for conversation in conversations}
        applications = tuple(talk.application() for talk in self._talks.values())
        if any(one.protocol == HTTP for one in applications):
            from netlab.trace.app.web import linked

            applications = linked(applications, known)
        left_out = dict(self._room.left_out)
        if self._echoes is not None and self._echoes.left_out:
            left_out["echoes"] = self._echoes.left_out
        if self._left_out:
            left_out["packets"] = self._left_out
        return Findings(
            applications,
            self._echoes.facts(self._time) if self._echoes is not None else (),
            passages(applications, known, self._talks, self._proxies),
            self._artefacts.facts(known.values(), applications, self._holding),
            left_out,
        )
