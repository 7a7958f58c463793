"""Packets that stand in a capture twice: what a machine sends to itself is seen going out and coming in."""

from collections import deque
from collections.abc import Iterator, Mapping

from attrs import frozen

from netlab.trace import link
from netlab.trace.facts import Packet

#: How many packets back, and how long ago in ns, a twin may be.
LOOK_BACK = 4
APART = 1_000_000
#: Frames of pairs that are kept, and the pairs that an interface must have to be believed.
MAX_FRAMES = 32
ENOUGH = 2
#: An interface that has no pair among so many packets has none.
TRIAL = 1000
#: The last bytes of a packet tell most packets apart.
TAIL = 12


@frozen
class Pairs:
    """The pairs of one interface: the later frame of each of the first, and how many there are."""

    frames: tuple[int, ...]
    pairs: int
    numbers: Mapping[str, int]


class _Interface:
    __slots__ = ("apart", "frames", "packets", "pairs", "recent")

    def __init__(self) -> None:
        self.packets = 0
        self.pairs = 0
        self.apart = 0
        self.frames: list[int] = []
        #: The latest that have no twin yet.
        self.recent: deque[Packet] = deque(maxlen=LOOK_BACK)


class Twins:
    """Packets in; the interfaces on which each was captured twice out."""

    def __init__(self) -> None:
        self._interfaces: dict[int, _Interface] = {}

    def packet(self, packet: Packet) -> None:
        """The next packet."""
        if packet.source is None:
            return
        one = self._interfaces.get(packet.interface)
        if one is None:
            one = self._interfaces[packet.interface] = _Interface()
        one.packets += 1
        if one.packets > TRIAL and not one.pairs:
            return
        data = packet.data
        tail = data[-TAIL:]
        for before in one.recent:
            if before.data[-TAIL:] == tail and packet.time - before.time <= APART and _inner(before) == _inner(packet):
                one.recent.remove(before)
                one.pairs += 1
                one.apart = max(one.apart, packet.time - before.time)
                if len(one.frames) < MAX_FRAMES:
                    one.frames.append(packet.number)
                return
        one.recent.append(packet)

    def facts(self) -> Iterator[Pairs]:
        """The interfaces where at least nine packets in ten have a twin."""
        for number, one in sorted(self._interfaces.items()):
            if one.pairs >= ENOUGH and 20 * one.pairs >= 9 * one.packets:
                numbers = {"interface": number, "pairs": one.pairs, "packets": one.packets, "apart": one.apart}
                yield Pairs(tuple(one.frames), one.pairs, numbers)


def _inner(packet: Packet) -> bytes:
    """What the link layer carries: of the two, one may say that it goes out and the other that it comes in."""
    _kind, start = link.network_of(packet.link_type, packet.data)
    return packet.data[start:]
