"""How a person wants to ping, and when which target has its turn."""

from math import ceil, isfinite

from attrs import field, frozen

from netlab.common.errors import LocalError
from netlab.icmp.packet import Family
from netlab.icmp.payload import LAB_DATA, MAX_SIZE

#: The shortest time between two requests to a target that only root may fall below, as with iputils.
COURTESY = 0.002

#: The longest time for anything: a month.
LONGEST = 31 * 86_400.0

#: So many targets may have their turn at once, at most, when there are many; and turns come no more often than this.
_GROUP = 16
_SHORTEST_TURN = 0.002

_SEQUENCES = 65_536


@frozen
class Wishes:
    """How to ping. Times are in seconds.

    :ivar interval: between two requests to one target; 0 sends as fast as answers come.
    :ivar timeout: until a request without an answer is lost.
    :ivar count: requests to each target; `None` to go on.
    :ivar deadline: after which to end, whatever is in flight; `None` for never.
    :ivar size: bytes of data in a request.
    :ivar ttl: the time to live, or hop limit, of requests; `None` for the system's own.
    :ivar lab: whether to send what the lab's old program sent.
    :ivar family: the one to use; `None` for whichever a name has first.
    """

    interval: float = 1.0
    timeout: float = 2.0
    count: int | None = None
    deadline: float | None = None
    size: int = 56
    ttl: int | None = None
    lab: bool = False
    family: Family | None = field(default=None, kw_only=True)

    def check(self, *, is_root: bool) -> None:
        """See whether this can be done.

        :raises LocalError: it cannot; the text names the option.
        """
        for name, value in (("interval", self.interval), ("timeout", self.timeout), ("deadline", self.deadline or 1)):
            if not isfinite(value) or value > LONGEST or value < 0:
                raise LocalError(f"--{name} is a time in seconds, at most {LONGEST:,.0f} (a month)")
        if self.timeout < 0.001:
            raise LocalError("--timeout cannot be under 0.001 s")
        if self.interval < COURTESY and not is_root:
            raise LocalError(f"--interval under {COURTESY:g} s floods the network, which is for root only")
        if self.interval and self.timeout / self.interval > _SEQUENCES // 2:
            raise LocalError(
                f"--timeout {self.timeout:g} with --interval {self.interval:g} has more requests in flight than "
                f"sequence numbers can tell apart; make --timeout at most {self.interval * (_SEQUENCES // 2):g}"
            )
        if not 0 <= self.size <= MAX_SIZE:
            raise LocalError(f"--size is 0 to {MAX_SIZE:,} bytes")

    @property
    def payload_size(self) -> int:
        """Bytes of data in each request."""
        return len(LAB_DATA) if self.lab else self.size


@frozen
class Rota:
    """The turns of the targets: they are split into ``groups``, and one group has its turn every ``period`` seconds.

    Few targets all have one turn together. Many would send, and be answered, in one long burst; they are spread.
    """

    groups: int
    period: float

    @classmethod
    def of(cls, targets: int, interval: float) -> "Rota":
        """The turns of so many targets, each of which is to have one every ``interval`` seconds (more than 0)."""
        groups = max(1, min(ceil(targets / _GROUP), int(interval / _SHORTEST_TURN)))
        return cls(groups, interval / groups)
