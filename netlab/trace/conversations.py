"""All TCP conversations of a capture: which one a segment belongs to, and when its ports are a new one's."""

from collections.abc import Iterator

from netlab.trace.facts import Conversation, Segment
from netlab.trace.flags import REUSED_PORTS, Flag
from netlab.trace.flow import MAX_REMEMBERED, Flow
from netlab.trace.following import Body, Header, follow
from netlab.trace.ip import address_text
from netlab.trace.outcome import conversation_of
from netlab.trace.tcp import ACK, SYN

#: Conversations of one capture that are followed; segments of others are read, and not explained.
MAX_CONVERSATIONS = 65_536


class Conversations:
    """Segments in, in the order of the file; facts about them out, and about the conversations when all have passed.

    A conversation is known by a key: both addresses and both ports as they are in the headers, the sender's first.
    """

    def __init__(self, most: int = MAX_CONVERSATIONS) -> None:
        self._most = most
        self._table: dict[bytes, tuple[Flow, int]] = {}
        self._flows: list[Flow] = []
        #: Segments that belong to conversations beyond the limit.
        self.passed_over = 0

    def facts(self) -> Iterator[Conversation]:
        """Every conversation so far, by number."""
        return map(conversation_of, self._flows)

    def quoted(self, key: bytes, frame: int, time: int) -> int | None:
        """The conversation that an ICMP error is about, by number; Wireshark numbers one that is only quoted too."""
        entry = self._table.get(key) or self._begin(key, frame, time)
        if entry is None:
            return None
        if len(entry[0].errors) < MAX_REMEMBERED:
            entry[0].errors.append(frame)
        return entry[0].number

    def segment(self, key: bytes, frame: int, time: int, wire: int, header: Header, body: Body) -> Segment | None:
        """What a segment means, in a packet of ``wire`` bytes.

        `None`: it is of one conversation more than are followed.
        """
        entry = self._table.get(key)
        reused: tuple[Flag, ...] = ()
        if entry is None:
            entry = self._begin(key, frame, time)
        elif header[2] & SYN:
            entry, reused = self._again(entry, key, frame, time, header[0], header[2])
        if entry is None:
            self.passed_over += 1
            return None
        return follow(entry[0], entry[1], frame, time, wire, header, body, reused)

    def _begin(self, key: bytes, frame: int, time: int) -> tuple[Flow, int] | None:
        if len(self._flows) >= self._most:
            return None
        size = (len(key) - 4) // 2
        source, destination, ports = key[:size], key[size : 2 * size], key[2 * size :]
        numbers = int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:], "big")
        flow = Flow(len(self._flows), (address_text(source), address_text(destination)), numbers, frame, time)
        self._flows.append(flow)
        self._table[destination + source + ports[2:] + ports[:2]] = flow, 1
        self._table[key] = flow, 0
        return flow, 0

    def _again(
        self, entry: tuple[Flow, int], key: bytes, frame: int, time: int, seq: int, bits: int
    ) -> tuple[tuple[Flow, int] | None, tuple[Flag, ...]]:
        """A SYN on ports that are known already: the same one again, or a new conversation's first."""
        flow, sender = entry
        this = flow.sides[sender]
        if this.base is None or seq == this.base:
            return entry, ()
        numbers = {
            "initial_sequence": seq,
            "previous_initial_sequence": this.base,
            "previous_conversation": flow.number,
        }
        flag = Flag(REUSED_PORTS, numbers)
        if bits & ACK:
            this.base = seq
            new: tuple[Flow, int] | None = entry
        else:
            new = self._begin(key, frame, time)
        if new is not None:
            counts = new[0].sides[new[1]].flag_counts
            counts[REUSED_PORTS] = counts.get(REUSED_PORTS, 0) + 1
        return new, (flag,)
