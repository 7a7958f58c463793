"""A capture being told: packets with their sentences as they are read, and what is known when all have been."""

from collections.abc import Iterator
from typing import NamedTuple

from netlab.trace.choosing import Source
from netlab.trace.facts import Packet
from netlab.trace.ladder.layout import MAX_PACKETS, Ladder, ladder_of
from netlab.trace.words.captures import Totals, summary
from netlab.trace.words.conversations import conversation_sentences, datagram_sentences, title
from netlab.trace.words.packets import PacketTeller
from netlab.trace.words.people import Roles
from netlab.trace.words.sentence import Sentence


class ToldPacket(NamedTuple):
    """A packet, the nanoseconds since the first one, and everything there is to say of it."""

    packet: Packet
    since: int
    sentences: tuple[Sentence, ...]


class ToldConversation(NamedTuple):
    """A conversation's heading and its paragraph."""

    title: Sentence
    sentences: tuple[Sentence, ...]


class Telling:
    """Take `packets` first; the rest is complete when they have ended. Only the ladder's packets are kept."""

    def __init__(self, source: Source, roles: Roles) -> None:
        self._source = source
        self._roles = roles
        self._totals = Totals()
        self._kept: list[Packet] = []

    def packets(self) -> Iterator[ToldPacket]:
        """Each packet as it is read."""
        teller, totals, kept = PacketTeller(self._roles), self._totals, self._kept
        began: int | None = None
        for packet in self._source.packets():
            began = packet.time if began is None else began
            totals.count(packet)
            if len(kept) < MAX_PACKETS:
                kept.append(packet)
            yield ToldPacket(packet, packet.time - began, teller.sentences(packet))

    def read(self) -> None:
        """Read all packets without telling them, for who only wants the ladder."""
        for packet in self._source.packets():
            self._totals.count(packet)
            if len(self._kept) < MAX_PACKETS:
                self._kept.append(packet)

    def ladder(self, most_columns: int | None = None) -> Ladder:
        """The ladder of the first packets."""
        more = self._totals.packets - len(self._kept)
        return ladder_of(self._kept, more) if most_columns is None else ladder_of(self._kept, more, most_columns)

    def conversations(self) -> Iterator[ToldConversation]:
        """Every conversation: TCP, then UDP, by number."""
        for tcp in self._source.conversations():
            yield ToldConversation(title(tcp, self._roles), conversation_sentences(tcp, self._roles))
        for udp in self._source.datagram_conversations():
            yield ToldConversation(title(udp, self._roles), datagram_sentences(udp, self._roles))

    def summary(self) -> tuple[Sentence, ...]:
        """What it all adds up to."""
        source = self._source
        return summary(self._totals, source.conversations(), source.file, source.damage, source.passed_over)
