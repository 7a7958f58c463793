"""Which hosts answer and which have stopped to, from what becomes of the requests to them."""

from attrs import define, frozen

from netlab.icmp.events import Answered, Event, Lost, Reported, Target, Unsent

#: So many requests in a row without an answer make a host one that does not answer.
_LOST_IN_A_ROW = 3


@frozen
class Change:
    """A host began to answer, or stopped; ``seconds`` it was in the state before, `None` for the first time."""

    target: Target
    answers: bool
    seconds: float | None

    def __str__(self) -> str:
        if self.answers:
            return f"{self.target.name} answers" + (
                "" if self.seconds is None else f" again, after {self.seconds:.1f} s"
            )
        return f"{self.target.name} does not answer" + ("" if self.seconds is None else " any more")


@define
class _Host:
    answers: bool | None = None
    since: float = 0.0
    lost: int = 0


class Reachability:
    """Takes what becomes of requests, and tells when a host's state changes. Times are in seconds."""

    def __init__(self) -> None:
        self._hosts: dict[Target, _Host] = {}

    def take(self, event: Event, now: float) -> Change | None:
        """What changes with ``event``; `None` if nothing does."""
        host = self._hosts.setdefault(event.target, _Host())
        if isinstance(event, Answered) and not event.late:
            host.lost = 0
            return self._become(host, event.target, True, now)
        if isinstance(event, Lost | Reported | Unsent):
            host.lost += 1
            if host.lost >= _LOST_IN_A_ROW:
                return self._become(host, event.target, False, now)
        return None

    def count(self) -> tuple[int, int]:
        """How many hosts answer, of how many whose state is known."""
        known = [host.answers for host in self._hosts.values() if host.answers is not None]
        return sum(known), len(known)

    def _become(self, host: _Host, target: Target, answers: bool, now: float) -> Change | None:
        if host.answers is answers:
            return None
        seconds = None if host.answers is None else now - host.since
        host.answers, host.since = answers, now
        return Change(target, answers, seconds)
