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
        #: Time and IP packet of the latest that have no twin yet.
        self.recent: deque[tuple[int, bytes]] = deque(maxlen=LOOK_BACK)


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
        _kind, start = link.network_of(packet.link_type, packet.data)
        inner = packet.data[start:]
        for before in one.recent:
            if before[1] == inner and packet.time - before[0] <= APART:
                one.recent.remove(before)
                one.pairs += 1
                one.apart = max(one.apart, packet.time - before[0])
                if len(one.frames) < MAX_FRAMES:
                    one.frames.append(packet.number)
                return
        one.recent.append((packet.time, inner))

    def facts(self) -> Iterator[Pairs]:
        """The interfaces where at least nine packets in ten have a twin."""
        for number, one in sorted(self._interfaces.items()):
            if one.pairs >= ENOUGH and 20 * one.pairs >= 9 * one.packets:
                numbers = {"interface": number, "pairs": one.pairs, "packets": one.packets, "apart": one.apart}
                yield Pairs(tuple(one.frames), one.pairs, numbers)
