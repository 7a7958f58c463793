"""A part of a capture: the packets that somebody chose, and the conversations that these belong to."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attrs import evolve

from netlab.trace.facts import Conversation, Damage, DatagramConversation, Packet, Segment
from netlab.trace.icmp import Message
from netlab.trace.reading import Trace
from netlab.trace.records import CaptureFile
from netlab.trace.udp import Datagram

if TYPE_CHECKING:
    from netlab.trace.app.application import Application
    from netlab.trace.app.artefacts import Artefact
    from netlab.trace.app.echo import EchoSession
    from netlab.trace.app.findings import Findings
    from netlab.trace.passage import Passage

#: ICMP messages whose frames are remembered.
MAX_OTHERS = 200_000

Choice = Callable[[Packet], bool]


class Chosen:
    """What `Trace` has, for the packets of which ``choice`` is true, or all.

    All others are analysed too, and not shown; each packet of the file is first given to ``watch``, with whether it is
    chosen.
    """

    def __init__(
        self, trace: Trace, choice: Choice | None = None, watch: Callable[[Packet, bool], None] | None = None
    ) -> None:
        self._trace = trace
        self._choice = choice
        self._watch = watch
        self._conversations: set[int] = set()
        self._datagrams: set[int] = set()
        self._others: set[int] = set()

    def packets(self) -> Iterator[Packet]:
        """The chosen packets, in the order of the file."""
        choice, watch = self._choice, self._watch
        if choice is None:
            yield from self._all()
            return
        for packet in self._trace.packets():
            chosen = choice(packet)
            if watch is not None:
                watch(packet, chosen)
            if chosen:
                self._note(packet)
                yield packet

    def _all(self) -> Iterator[Packet]:
        watch = self._watch
        for packet in self._trace.packets():
            if watch is not None:
                watch(packet, True)
            yield packet

    def kept(self, found: "Findings") -> "Findings":
        """What was found in the chosen conversations, and of the capture as a whole."""
        if self._choice is None:
            return found

        def chosen(one: "Application | Passage | Artefact") -> bool:
            return one.conversation is None or one.conversation in self._conversations

        def shown(one: "EchoSession") -> bool:
            return any((echo.request or echo.reply) in self._others for echo in one.echoes)

        return evolve(
            found,
            applications=tuple(filter(chosen, found.applications)),
            echoes=tuple(filter(shown, found.echoes)),
            passages=tuple(filter(chosen, found.passages)),
            artefacts=tuple(filter(chosen, found.artefacts)),
        )

    def _note(self, packet: Packet) -> None:
        what = packet.transport
        if isinstance(what, Segment):
            self._conversations.add(what.conversation)
        elif isinstance(what, Datagram) and what.conversation is not None:
            self._datagrams.add(what.conversation)
        elif isinstance(what, Message) and len(self._others) < MAX_OTHERS:
            self._others.add(packet.number)

    def conversations(self) -> tuple[Conversation, ...]:
        """The whole TCP conversations that a chosen packet belongs to."""
        if self._choice is None:
            return self._trace.conversations()
        return tuple(one for one in self._trace.conversations() if one.number in self._conversations)

    def datagram_conversations(self) -> tuple[DatagramConversation, ...]:
        """The whole UDP conversations that a chosen packet belongs to."""
        if self._choice is None:
            return self._trace.datagram_conversations()
        return tuple(one for one in self._trace.datagram_conversations() if one.number in self._datagrams)

    def all_conversations(self) -> tuple[Conversation, ...]:
        """Those of packets that were not chosen too."""
        return self._trace.conversations()

    @property
    def file(self) -> CaptureFile:
        """What the file says of itself."""
        return self._trace.file

    @property
    def damage(self) -> Damage | None:
        """Where the file is damaged."""
        return self._trace.damage

    @property
    def passed_over(self) -> int:
        """How many TCP segments were not followed."""
        return self._trace.passed_over


#: What reports are made from.
Source = Trace | Chosen
