"""Which column each lane stands in: who calls stands left of who is called, and lanes that never meet take turns."""

from collections.abc import Sequence


def columns_of(calls: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]], most: int) -> list[int]:
    """A column for each lane, from 0 at the left.

    :param calls: caller and called, as numbers of lanes.
    :param spans: of each lane the first and the last row that it is in.
    :param most: so many columns may be used before lanes have to take turns.
    """
    depths = _depths(calls, len(spans))
    order = sorted(range(len(spans)), key=lambda lane: (depths[lane], spans[lane]))
    share = len(spans) > most
    ends: list[tuple[int, int]] = []
    places = [0] * len(spans)
    for lane in order:
        first, last = spans[lane]
        place = next(
            (column for column, (depth, end) in enumerate(ends) if share and depth == depths[lane] and end < first),
            len(ends),
        )
        if place == len(ends):
            ends.append((depths[lane], last))
        else:
            ends[place] = (depths[lane], last)
        places[lane] = place
    return places


def _depths(calls: Sequence[tuple[int, int]], count: int) -> list[int]:
    """How many calls lie between a lane and those that only call; a circle of calls is cut where it closes."""
    depths = [0] * count
    for _ in range(min(count, 8)):
        changed = False
        for caller, called in calls:
            if caller != called and depths[called] <= depths[caller] < 8:
                depths[called] = depths[caller] + 1
                changed = True
        if not changed:
            break
    return depths
