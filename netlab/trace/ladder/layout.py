"""The layout of a ladder: lanes, and rows from top to bottom, as values that know nothing of how they are drawn."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from netlab.trace.facts import Endpoint, Packet, Segment
from netlab.trace.ladder.columns import columns_of
from netlab.trace.notation import ends_of, gist, marks
from netlab.trace.tcp import ACK, RST, SYN

#: More rows than that are a wall and no ladder.
MAX_PACKETS = 300
#: More lanes than that stand beside one another only if some can take turns in a column.
MAX_COLUMNS = 3
#: A pause gets a row of its own from here on, in nanoseconds, if it is also this part of the whole time.
_PAUSE, _PART = 1_000_000, 20
_LONG_PAUSE = 1_000_000_000


class Lane(NamedTuple):
    """A program's lane, ``number`` in the order in which they appear.

    ``column`` counts from the left; the line goes from row ``top`` to row ``bottom``. A lane that ``leads`` is the
    first in its column and has its name above all rows, another at its ``top``, where it takes the column over.
    """

    number: int
    endpoint: Endpoint
    column: int
    top: int
    bottom: int
    leads: bool


class Arrow(NamedTuple):
    """A packet from lane ``source`` to lane ``target``, by their numbers; the same twice is a packet to itself.

    ``time`` is nanoseconds since the ladder began. ``label`` and ``marks`` (names of analysis flags) are notation.
    ``reset`` says that it carries RST, ``hurt`` that it was not captured whole or cannot be read.
    """

    frame: int
    time: int
    source: int
    target: int
    label: str
    marks: tuple[str, ...]
    reset: bool
    hurt: bool
    conversation: int | None


class Pause(NamedTuple):
    """Nothing happened for ``length`` nanoseconds."""

    length: int


class Aside(NamedTuple):
    """A packet without addresses."""

    frame: int
    time: int
    label: str


class Ladder(NamedTuple):
    """``rows`` from top to bottom; ``left_out`` counts packets that were too many."""

    lanes: tuple[Lane, ...]
    columns: int
    rows: tuple[Arrow | Pause | Aside, ...]
    left_out: int

    def beginning(self, row: int) -> list[Lane]:
        """The lanes whose name belongs at ``row``."""
        return [lane for lane in self.lanes if lane.top == row and not lane.leads]

    def alive(self, row: int) -> list[Lane]:
        """The lanes whose line passes ``row``."""
        return [lane for lane in self.lanes if lane.top <= row <= lane.bottom]


#: Endpoints that are another's program: a proxy's ports upstream, and where it listens.
Programs = Mapping[Endpoint, Endpoint]
_Ends = tuple[Endpoint, Endpoint]


def ladder_of(
    packets: Sequence[Packet],
    left_out: int = 0,
    programs: Programs = MappingProxyType({}),
    most_columns: int = MAX_COLUMNS,
    began: int | None = None,
    clients: Mapping[int, int | None] = MappingProxyType({}),
) -> Ladder:
    """The ladder of ``packets``, in the order of the file; those beyond `MAX_PACKETS` are counted.

    ``clients`` are the sides that opened TCP conversations, by number, where the packets may not show it. Times count
    from ``began``, in nanoseconds since 1970; `None` is the time of the first packet.
    """
    shown, more = packets[:MAX_PACKETS], max(0, len(packets) - MAX_PACKETS)
    first = shown[0].time if shown else 0
    began = first if began is None else began
    lasted = max((packet.time for packet in shown), default=0) - first
    numbers: dict[Endpoint, int] = {}
    rows: list[Arrow | Pause | Aside] = []
    spans: list[list[int]] = []
    before = first
    for packet in shown:
        pause = packet.time - before
        if _is_pause(pause, lasted):
            rows.append(Pause(pause))
        before = max(before, packet.time)
        rows.append(_row(packet, began, numbers, programs))
        _touch(rows, spans)
    places = columns_of(
        _calls(shown, numbers, programs, clients), [(first, last) for first, last in spans], most_columns
    )
    lanes = _lanes(list(numbers), places, [first for first, _ in spans], len(rows))
    return Ladder(lanes, max(places, default=-1) + 1, tuple(rows), left_out + more)


def _lanes(ends: Sequence[Endpoint], places: Sequence[int], firsts: Sequence[int], rows: int) -> tuple[Lane, ...]:
    """Each lane with its part of its column."""
    until: dict[int, int] = {}
    lanes = []
    for number in sorted(range(len(ends)), key=lambda number: -firsts[number]):
        column = places[number]
        lanes.append(Lane(number, ends[number], column, firsts[number], until.get(column, rows) - 1, False))
        until[column] = firsts[number]
    return tuple(lane._replace(top=0, leads=True) if until[lane.column] == lane.top else lane for lane in sorted(lanes))


def _is_pause(pause: int, lasted: int) -> bool:
    return pause >= _LONG_PAUSE or (pause >= _PAUSE and pause * _PART >= lasted)


def _row(packet: Packet, began: int, numbers: dict[Endpoint, int], programs: Programs) -> Arrow | Aside:
    ends = _ends(packet, programs)
    time = packet.time - began
    if ends is None:
        return Aside(packet.number, time, gist(packet))
    source, target = (numbers.setdefault(end, len(numbers)) for end in ends)
    what = packet.transport
    segment = what if isinstance(what, Segment) else None
    return Arrow(
        frame=packet.number,
        time=time,
        source=source,
        target=target,
        label=gist(packet),
        marks=marks(packet),
        reset=segment is not None and bool(segment.bits & RST),
        hurt=any(flaw.kind != "fragment" for flaw in packet.flaws),
        conversation=segment.conversation if segment else None,
    )


def _ends(packet: Packet, programs: Programs) -> _Ends | None:
    ends = ends_of(packet)
    return None if ends is None else (programs.get(ends[0], ends[0]), programs.get(ends[1], ends[1]))


def _touch(rows: list[Arrow | Pause | Aside], spans: list[list[int]]) -> None:
    """Note that the lanes of the last row are there."""
    row = rows[-1]
    if not isinstance(row, Arrow):
        return
    place = len(rows) - 1
    for lane in (row.source, row.target):
        while lane >= len(spans):
            spans.append([place, place])
        spans[lane][1] = place


def _calls(
    packets: Iterable[Packet], numbers: dict[Endpoint, int], programs: Programs, clients: Mapping[int, int | None]
) -> list[tuple[int, int]]:
    """Who calls whom, as numbers of lanes: a conversation's client, or the sender of its SYN or of its first packet."""
    calls: dict[object, tuple[int, int]] = {}
    for packet in packets:
        ends = _ends(packet, programs)
        if ends is None:
            continue
        source, target = numbers[ends[0]], numbers[ends[1]]
        what = packet.transport
        key = what.conversation if isinstance(what, Segment) else frozenset((source, target))
        if isinstance(what, Segment) and _answers(what, clients.get(what.conversation)):
            source, target = target, source
        calls.setdefault(key, (source, target))
    return list(calls.values())


def _answers(one: Segment, client: int | None) -> bool:
    """Whether the sender of a conversation's first packet is the one who is called."""
    return one.bits & (SYN | ACK) == SYN | ACK if client is None else one.sender != client
