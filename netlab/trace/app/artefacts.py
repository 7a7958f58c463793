"""What only looks odd because of where and how it was captured, and what kernels make of a program's sends.

A capture on the sending machine is taken before the network card cuts long segments (offloading); one on loopback sees
each packet go out and come in, and segments as long as no network takes them. A capture that was not quick enough, or
stood in the wrong place, has not got what the other side acknowledges. Several sends become one segment when the kernel
holds the later ones back until the first is acknowledged (Nagle's algorithm, RFC 896, RFC 9293 §3.7.4).
"""

from collections.abc import Iterable, Mapping

from attrs import frozen

from netlab.trace.app.application import Application
from netlab.trace.app.holding import Holding
from netlab.trace.app.joined import joined
from netlab.trace.app.twins import Twins
from netlab.trace.facts import Conversation, Segment
from netlab.trace.flags import ACK_LOST_SEGMENT
from netlab.trace.tcp import SYN

#: Frames of one artefact that are listed.
MAX_FRAMES = 32
#: TCP's options are at most so long.
MAX_OPTIONS = 40
#: Conversations whose segments are compared with an MSS.
MAX_FOLLOWED = 65_536
#: The kind of what is true of a whole machine, and told once.
LOOPBACK = "loopback_mss"
#: Largest segments of Linux' loopback, and what they are: the longest packet of IPv4 and the MTU of the loopback, less
#: the headers of IP and TCP.
LOOPBACK_MSS: Mapping[int, tuple[int, int]] = {65_495: (65_535, 40), 65_476: (65_536, 60)}
#: Bits of the completeness that say that somebody acknowledged something: SYN-ACK, ACK, data (`Conversation`).
_ACKNOWLEDGED = 2 | 4 | 8


@frozen
class Artefact:
    """Something about a capture: its kind and ``numbers`` are in docs/trace-apps.md.

    ``conversation`` and ``sender`` are `None` where it is about the whole capture; ``frames`` are the first of
    ``count``.
    """

    kind: str
    conversation: int | None
    sender: int | None
    frames: tuple[int, ...]
    count: int
    numbers: Mapping[str, int]


class _Tally:
    """Frames that are alike, and the largest of something that they have."""

    __slots__ = ("count", "frames", "largest", "room")

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.count = 0
        self.largest = 0
        self.room = 0

    def add(self, frame: int, size: int = 0) -> None:
        self.count += 1
        self.largest = max(self.largest, size)
        if len(self.frames) < MAX_FRAMES:
            self.frames.append(frame)


#: conversation, sender
_Way = tuple[int, int]


class Artefacts:
    """Packets in, in the order of the file; what they show, out. Each goes to ``packet``; segments to `segment` too."""

    def __init__(self) -> None:
        #: The MSS that a side announced.
        self._mss: dict[_Way, int] = {}
        self._large: dict[_Way, _Tally] = {}
        #: Acknowledgments of what a side sent and the capture has not got.
        self._unseen: dict[_Way, _Tally] = {}
        self._twins = Twins()
        #: Give it the next packet, whatever it is.
        self.packet = self._twins.packet
        #: The lowest MSS that was announced, less the longest options: no shorter segment needs a look.
        self._least = 0xFFFF

    def segment(self, frame: int, one: Segment) -> None:
        """The same packet, if it is a segment whose conversation is followed."""
        if one.bits & SYN:
            self._announced(one)
        elif one.length > self._least:
            self._compare(frame, one)
        if one.flags and any(flag.kind == ACK_LOST_SEGMENT for flag in one.flags):
            self._unseen.setdefault((one.conversation, 1 - one.sender), _Tally()).add(frame)

    def facts(
        self, conversations: Iterable[Conversation], applications: Iterable[Application], holding: Holding
    ) -> tuple[Artefact, ...]:
        """All artefacts, those of the whole capture first."""
        found = [*self._larger(), *self._missing()]
        for talk in conversations:
            found += _of_conversation(talk)
        found += [
            Artefact("captured_twice", None, None, one.frames, one.pairs, one.numbers) for one in self._twins.facts()
        ]
        for one in applications:
            for what in joined(one, holding):
                frames = what.frames[:MAX_FRAMES]
                found.append(Artefact(what.kind, one.conversation, what.sender, frames, len(what.frames), what.numbers))
        return tuple(sorted(found, key=lambda one: (one.conversation is not None, one.frames[:1], one.kind)))

    def _announced(self, one: Segment) -> None:
        mss = one.options.mss
        if mss is not None and len(self._mss) < MAX_FOLLOWED:
            self._mss[one.conversation, one.sender] = mss
            self._least = min(self._least, mss - MAX_OPTIONS)

    def _compare(self, frame: int, one: Segment) -> None:
        """A segment with data, and what the other side said that it takes (RFC 6691: less the options)."""
        known = self._mss.get((one.conversation, 1 - one.sender))
        if known is None:
            return
        room = known - len(one.option_bytes)
        if one.length > room:
            tally = self._large.setdefault((one.conversation, one.sender), _Tally())
            tally.room = room
            tally.add(frame, one.length)

    def _larger(self) -> Iterable[Artefact]:
        for (conversation, sender), tally in self._large.items():
            mss = self._mss[conversation, 1 - sender]
            numbers = {"mss": mss, "room": tally.room, "largest": tally.largest}
            yield Artefact("larger_than_mss", conversation, sender, tuple(tally.frames), tally.count, numbers)

    def _missing(self) -> Iterable[Artefact]:
        for (conversation, sender), tally in self._unseen.items():
            yield Artefact("missing_frames", conversation, sender, tuple(tally.frames), tally.count, {})


def _of_conversation(one: Conversation) -> Iterable[Artefact]:
    """What a conversation shows as a whole: that it is on loopback, or that one side's packets are not there."""
    largest = max((way.options.mss or 0 for way in one.directions if way.options), default=0)
    if largest in LOOPBACK_MSS:
        packet, headers = LOOPBACK_MSS[largest]
        frames = tuple(frame for frame in one.handshake[:2] if frame is not None)[:1]
        numbers = {"mss": largest, "packet": packet, "headers": headers}
        yield Artefact(LOOPBACK, one.number, None, frames, len(frames), numbers)
    for sender, way in enumerate(one.directions):
        other = one.directions[1 - sender]
        if not way.packets and other.packets > 1 and one.completeness & _ACKNOWLEDGED:
            yield Artefact("one_sided", one.number, sender, (), 0, {})
