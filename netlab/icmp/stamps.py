"""When a packet came, by the kernel's stamp on it, told in the time of the monotonic clock.

The kernel stamps what it receives with the system's clock, the one that can be set; round trips are measured by the
monotonic clock. Both run at one rate, so what lies between them changes only when the system's clock is set. Reading
it between two readings of the monotonic clock says within which bounds the difference lies; all readings together
narrow them to some 100 ns, and one that contradicts those before it shows that the clock was set in between.
"""

#: A stamp may seem this much earlier than the packet was sent, for the two clocks are not read at one moment.
_SLACK = 10_000


class Stamps:
    """Knows the difference between the two clocks. All times are whole nanoseconds."""

    __slots__ = ("_high", "_low", "_trusted")

    def __init__(self) -> None:
        self._low: int | None = None
        self._high = 0
        self._trusted = False

    def synchronize(self, before: int, system: int, after: int) -> None:
        """Take a reading: the monotonic clock, the system's, and the monotonic again. Do so before using stamps.

        Stamps of the time since the reading before are not used when the clock was set meanwhile: which of them are
        from before that cannot be told.
        """
        low, high = system - after, system - before
        if self._low is not None and max(low, self._low) <= min(high, self._high):
            self._low, self._high = max(low, self._low), min(high, self._high)
            self._trusted = True
        else:
            self._trusted = self._low is None
            self._low, self._high = low, high

    def arrival(self, stamp: int | None, sent: int, now: int) -> int:
        """When a packet came that has this stamp (`None`: it has none), was asked for at ``sent``, and is read ``now``.

        Where the stamp cannot be right, that is ``now``.
        """
        if stamp is None or not self._trusted or self._low is None:
            return now
        came = stamp - (self._low + self._high) // 2
        if sent <= came <= now:
            return came
        return sent if sent - _SLACK <= came <= now else now
