"""Which bytes of a stream were seen: one contiguous part, islands beyond it, and gaps that were given up."""

#: Islands that are kept apart; when there are more, the first gap is taken to be final.
MAX_ISLANDS = 64
#: Gaps that are listed; of more, only the bytes are counted.
MAX_GAPS = 64


class Coverage:
    """What was seen of one side's stream, by relative numbers without a limit of 32 bits.

    ``end`` is the number after the contiguous part.
    """

    __slots__ = ("_gaps", "_islands", "_lost", "end", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self._islands: list[tuple[int, int]] = []
        self._gaps: list[tuple[int, int]] = []
        self._lost = 0

    @property
    def whole(self) -> bool:
        """Whether nothing lies beyond ``end``."""
        return not self._islands

    def place(self, low: int) -> int:
        """The number near ``end`` whose lower 32 bits are ``low``."""
        return self.end + ((low - self.end + 0x80000000 & 0xFFFFFFFF) - 0x80000000)

    def add(self, start: int, stop: int) -> None:
        """Bytes ``start`` to ``stop``, exclusive, were seen, perhaps again."""
        if stop <= self.end:
            return
        if start > self.end:
            self._add_island(start, stop)
            return
        self.end = stop
        while self._islands and self._islands[0][0] <= self.end:
            self.end = max(self.end, self._islands.pop(0)[1])

    def _add_island(self, start: int, stop: int) -> None:
        if not self._islands or start > self._islands[-1][1]:
            self._islands.append((start, stop))
        else:
            self._join_islands(start, stop)
        if len(self._islands) > MAX_ISLANDS:
            self._give_up()

    def _join_islands(self, start: int, stop: int) -> None:
        apart = []
        for island in self._islands:
            if island[1] < start or island[0] > stop:
                apart.append(island)
            else:
                start, stop = min(start, island[0]), max(stop, island[1])
        apart.append((start, stop))
        apart.sort()
        self._islands = apart

    def _give_up(self) -> None:
        start, stop = self._islands.pop(0)
        self._lost += start - self.end
        if len(self._gaps) < MAX_GAPS:
            self._gaps.append((self.end, start))
        self.end = stop

    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The missing places, at most `MAX_GAPS`."""
        found = list(self._gaps)
        end = self.end
        for start, stop in self._islands:
            found.append((end, start))
            end = stop
        return tuple(found[:MAX_GAPS])

    def missing(self) -> int:
        """How many bytes are missing."""
        end, total = self.end, self._lost
        for start, stop in self._islands:
            total += start - end
            end = stop
        return total

    def seen(self) -> int:
        """How many bytes were seen, each counted once."""
        end = self._islands[-1][1] if self._islands else self.end
        return end - self.start - self.missing()
