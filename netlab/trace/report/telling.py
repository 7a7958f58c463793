"""A capture being told: packets with their sentences as they are read, and what is known when all have been."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from netlab.trace.app.artefacts import LOOPBACK
from netlab.trace.app.findings import Applications, Findings
from netlab.trace.choosing import Choice, Chosen
from netlab.trace.facts import Endpoint, Packet
from netlab.trace.ladder.layout import MAX_PACKETS, Ladder, ladder_of
from netlab.trace.reading import Trace
from netlab.trace.words.artefacts import artefact_notes, artefact_sentence, on_loopback
from netlab.trace.words.captures import Totals, summary
from netlab.trace.words.conversations import conversation_sentences, datagram_sentences, pair_of, title
from netlab.trace.words.echoes import echo_notes, echo_sentences, echo_title
from netlab.trace.words.messages import note_sentences
from netlab.trace.words.packets import PacketTeller
from netlab.trace.words.passages import caused_by, passage_sentences
from netlab.trace.words.people import Roles, introduced
from netlab.trace.words.sentence import Sentence
from netlab.trace.words.talks import MAX_TOLD, application_sentences

#: Packets that are held back until it is known what they carried; of later ones only TCP is told.
MAX_HELD = 5_000


class ToldPacket(NamedTuple):
    """A packet, the nanoseconds since the first one of the file, and everything there is to say of it."""

    packet: Packet
    since: int
    sentences: tuple[Sentence, ...]


class ToldConversation(NamedTuple):
    """A conversation's heading and its paragraphs, the second about what the programs said."""

    title: Sentence
    sentences: tuple[Sentence, ...]
    programs: tuple[Sentence, ...]


class Telling:
    """Take `packets` first; the rest is complete when they have ended."""

    def __init__(self, trace: Trace, choice: Choice | None, roles: Roles) -> None:
        by_port = {port: role for port, role in roles.items() if isinstance(port, int)}
        self._applications = Applications(roles=by_port)
        self._teller = PacketTeller(roles)
        self._source = Chosen(trace, choice, self._watch)
        self._roles = roles
        self._totals = Totals()
        self._kept: list[Packet] = []
        self._began: int | None = None
        self._found: Findings | None = None
        #: Whether packets were told without what they carried of programs' messages.
        self.messages_left_out = False

    def packets(self, most_held: int = MAX_HELD) -> Iterator[ToldPacket]:
        """Each packet; if there are no more than ``most_held``, then with what it carried of programs' messages."""
        told = self._told()
        held = list(islice(told, most_held + 1))
        if len(held) > most_held:
            self.messages_left_out = True
            yield from held
            yield from told
            return
        notes = self._notes()
        for one in held:
            extra = notes.get(one.packet.number)
            yield one._replace(sentences=(*one.sentences, *extra)) if extra else one

    def _watch(self, packet: Packet, chosen: bool) -> None:
        self._applications.packet(packet)
        if self._began is None:
            self._began = packet.time
        if not chosen:
            self._totals.passed += 1
            self._teller.pass_over(packet)

    def _told(self) -> Iterator[ToldPacket]:
        teller = self._teller
        for packet in self._read():
            yield ToldPacket(packet, packet.time - (self._began or 0), teller.sentences(packet))

    def _read(self) -> Iterator[Packet]:
        totals, kept = self._totals, self._kept
        for packet in self._source.packets():
            totals.count(packet)
            if len(kept) < MAX_PACKETS:
                kept.append(packet)
            yield packet

    def read(self) -> None:
        """Read all packets without telling them, for who only wants the ladder."""
        for _ in self._read():
            pass

    def ladder(self) -> Ladder:
        """The ladder of the first packets."""
        left_out = self._totals.packets - len(self._kept)
        clients = {one.number: one.client for one in self._source.conversations()}
        return ladder_of(self._kept, left_out, self._programs(), began=self._began, clients=clients)

    def _programs(self) -> dict[Endpoint, Endpoint]:
        """The proxies' own ports: where their connections upstream come from."""
        known = {one.number: one for one in self._source.all_conversations()}
        programs = {}
        for passage in self._findings().passages:
            for number in passage.caused:
                upstream = known.get(number)
                if upstream is not None:
                    programs[upstream.endpoints[upstream.client or 0]] = passage.proxy
        return programs

    def conversations(self) -> Iterator[ToldConversation]:
        """Every conversation: TCP, then UDP, by number, then echoes."""
        said = self._said()
        for tcp in self._source.conversations():
            sentences = conversation_sentences(tcp, self._roles)
            yield ToldConversation(title(tcp, self._roles), sentences, tuple(said.get(tcp.number, ())))
        for udp in self._source.datagram_conversations():
            yield ToldConversation(title(udp, self._roles), datagram_sentences(udp, self._roles), ())
        for echo in self._findings().echoes:
            yield ToldConversation(echo_title(echo), tuple(echo_sentences(echo)), ())

    def summary(self) -> tuple[Sentence, ...]:
        """What it all adds up to."""
        source = self._source
        told = summary(self._totals, source.conversations(), source.file, source.damage, source.passed_over)
        found = self._findings().artefacts
        odd = [artefact_sentence(one) for one in found if one.conversation is None]
        return (*told, *odd, *on_loopback(found))

    def _findings(self) -> Findings:
        if self._found is None:
            self._found = self._source.kept(self._applications.findings(self._source.all_conversations()))
        return self._found

    def _notes(self) -> dict[int, list[Sentence]]:
        """What is known of packets above TCP, by frame."""
        found = self._findings()
        notes = echo_notes(found.echoes)
        for frame, carried in found.notes().items():
            for note in carried:
                notes.setdefault(frame, []).extend(note_sentences(note))
        for frame, sentence in artefact_notes(found.artefacts):
            notes.setdefault(frame, []).append(sentence)
        return notes

    def _said(self) -> dict[int, list[Sentence]]:
        """What the programs of each conversation said, by its number."""
        found = self._findings()
        said: defaultdict[int, list[Sentence]] = defaultdict(list)
        for application in found.applications:
            said[application.conversation].extend(application_sentences(application))
        told: defaultdict[int, int] = defaultdict(int)
        for passage in found.passages:
            proxy = introduced(passage.proxy, self._roles)
            for number in (passage.conversation, *passage.caused):
                told[number] += 1
                if told[number] <= MAX_TOLD:
                    here = number == passage.conversation
                    said[number].extend(passage_sentences(passage, proxy) if here else (caused_by(passage, proxy),))
        known = {one.number: one for one in self._source.all_conversations()}
        for artefact in found.artefacts:
            if artefact.conversation is not None and artefact.kind != LOOPBACK:
                pair = pair_of(known[artefact.conversation], self._roles)
                said[artefact.conversation].append(artefact_sentence(artefact, pair[artefact.sender or 0].inside))
        return said
