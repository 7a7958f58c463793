"""Segments that left when an acknowledgment came: what Nagle's algorithm held back (RFC 9293 §3.7.4)."""

from typing import NamedTuple

from netlab.trace.facts import Segment
from netlab.trace.tcp import ACK, RST

#: A segment that leaves within this time of the ACK, in ns, left because of it.
AT_ONCE = 200_000
#: Segments that are remembered.
MAX_HELD = 100_000


class Held(NamedTuple):
    """A segment that waited for the one before to be acknowledged.

    ``waited`` is how long after the ACK it left, in ns, ``held`` how long after the segment before; ``before`` is that
    one's length, and ``length`` its own, in bytes.
    """

    waited: int
    held: int
    before: int
    length: int


class Way:
    """What one side of a conversation sent last."""

    __slots__ = ("acked", "end", "length", "time")

    def __init__(self) -> None:
        #: The number after what was sent, when that was, and how long the last segment was.
        self.end = 0
        self.time = 0
        self.length = 0
        #: When all of it was acknowledged, 0 as long as it is not.
        self.acked = 0


class Holding:
    """Segments in; those that were held back out, by frame."""

    def __init__(self) -> None:
        self.held: dict[int, Held] = {}

    def segment(self, frame: int, time: int, one: Segment, ways: tuple[Way, Way]) -> None:
        """The next segment, and what is known of the two sides of its conversation."""
        if one.bits & ACK:
            other = ways[1 - one.sender]
            if other.length and not other.acked and one.acknowledgment == other.end:
                other.acked = time
        if not one.length or one.bits & RST:
            return
        way = ways[one.sender]
        if way.acked and one.sequence == way.end and time - way.acked <= AT_ONCE and len(self.held) < MAX_HELD:
            self.held[frame] = Held(time - way.acked, time - way.time, way.length, one.length)
        way.end = one.next_sequence
        way.time, way.length, way.acked = time, one.length, 0
