"""A part of a capture: the packets that somebody chose, and the conversations that these belong to."""

from collections.abc import Callable, Iterator

from netlab.trace.facts import Conversation, Damage, DatagramConversation, Packet, Segment
from netlab.trace.reading import Trace
from netlab.trace.records import CaptureFile
from netlab.trace.udp import Datagram

Choice = Callable[[Packet], bool]


class Chosen:
    """What `Trace` has, for the packets of which ``choice`` is true. All others are analysed too, and not shown."""

    def __init__(self, trace: Trace, choice: Choice) -> None:
        self._trace = trace
        self._choice = choice
        self._conversations: set[int] = set()
        self._datagrams: set[int] = set()

    def packets(self) -> Iterator[Packet]:
        """The chosen packets, in the order of the file."""
        choice = self._choice
        for packet in self._trace.packets():
            if choice(packet):
                self._note(packet)
                yield packet

    def _note(self, packet: Packet) -> None:
        what = packet.transport
        if isinstance(what, Segment):
            self._conversations.add(what.conversation)
        elif isinstance(what, Datagram) and what.conversation is not None:
            self._datagrams.add(what.conversation)

    def conversations(self) -> tuple[Conversation, ...]:
        """The whole TCP conversations that a chosen packet belongs to."""
        return tuple(one for one in self._trace.conversations() if one.number in self._conversations)

    def datagram_conversations(self) -> tuple[DatagramConversation, ...]:
        """The whole UDP conversations that a chosen packet belongs to."""
        return tuple(one for one in self._trace.datagram_conversations() if one.number in self._datagrams)

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
