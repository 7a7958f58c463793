"""A whole capture: blocks of a file in, packets out one by one, conversations and what went wrong in the end."""

from collections.abc import Iterable, Iterator

from netlab.trace.dissect import Dissector
from netlab.trace.errors import DamagedCapture
from netlab.trace.facts import Conversation, Damage, DatagramConversation, Packet
from netlab.trace.records import CaptureFile, read_records
from netlab.trace.window import Window


class Trace:
    """A capture that is being read.

    Take `packets` first; ``file``, ``damage`` and the conversations are complete when it has ended. No packet is kept.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        """:param blocks: the file's bytes in order, unpacked, in pieces of any size (`netlab.trace.opening`)."""
        self.file = CaptureFile()
        self.damage: Damage | None = None
        self._window = Window(blocks)
        self._dissector = Dissector(self.file)

    def packets(self) -> Iterator[Packet]:
        """Every packet, in the order of the file.

        A file that is damaged ends where the damage is, and ``damage`` says so.

        :raises NotACapture: at the first packet, if the file is no capture at all.
        """
        packet = self._dissector.packet
        try:
            for record in read_records(self._window, self.file):
                yield packet(record)
        except DamagedCapture as error:
            self.damage = Damage(error.problem, error.offset)

    def conversations(self) -> tuple[Conversation, ...]:
        """The TCP conversations of the packets so far, by number."""
        return tuple(self._dissector.conversations.facts())

    def datagram_conversations(self) -> tuple[DatagramConversation, ...]:
        """The UDP conversations of the packets so far, by number."""
        return tuple(self._dissector.datagrams.facts())

    @property
    def offset(self) -> int:
        """How far the file has been read, in bytes."""
        return self._window.offset

    @property
    def passed_over(self) -> int:
        """How many TCP segments belong to more conversations than are followed."""
        return self._dissector.conversations.passed_over
