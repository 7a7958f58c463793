"""``netlab ping --watchdog``: a watchdog of its own, which ends the ping when replies stop (protocols.md §4)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import frozen

from netlab.cli.terminal import say
from netlab.icmp.events import Answered, Event, Target, sequence_of

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from netlab.watchdog.companion import Companion


@frozen
class WatchWishes:
    """How the ping is to be watched.

    :ivar timeout: seconds without a reply after which it is ended.
    :ivar port: of 127.0.0.1, where the watchdog listens; 0 for a free one.
    :ivar required: whether to stop when the watchdog dies.
    """

    timeout: float
    port: int
    required: bool


class Watch:
    """The watchdog of one run.

    :param abandon: is called when the watchdog has died and is required.
    """

    def __init__(self, wishes: WatchWishes, abandon: Callable[[], object]) -> None:
        self._wishes = wishes
        self._abandon = abandon
        self._companion: Companion | None = None
        #: Whether the watchdog is ending us.
        self.has_expired = False
        #: Whether it died and was required.
        self.is_missed = False

    async def start(self, reactor: Any) -> None:
        """Start the watchdog as a child and have it watch.

        :raises NetlabError: it cannot be started, or its port is taken.
        """
        from netlab.watchdog.companion import Wishes, start_watchdog

        wishes = Wishes(port=self._wishes.port, timeout=self._wishes.timeout)
        self._companion = await start_watchdog(reactor, wishes)
        reactor.addSystemEventTrigger("before", "shutdown", self.stop)
        self._companion.start()
        self._companion.when_gone().addErrback(self._gone)

    def stop(self) -> "Deferred[None] | None":
        """End the watching; fires when the watchdog has ended. `None` when there is none."""
        return None if self._companion is None else self._companion.stop()

    def sent(self, target: Target, number: int) -> None:
        """A request leaves."""
        if self._companion is not None:
            self._companion.request(f"{target.name}: seq={sequence_of(number)}")

    def tell(self, event: Event) -> None:
        """A reply is a sign of life."""
        if isinstance(event, Answered) and self._companion is not None:
            self._companion.alive()

    def _gone(self, failure: "Failure") -> None:
        from netlab.watchdog.errors import BeingEnded

        if failure.check(BeingEnded):
            self.has_expired = True
            return
        self.is_missed = self._wishes.required
        then = "stopping, for it is required" if self.is_missed else "going on without it"
        say(f"netlab ping: {failure.getErrorMessage()}; {then}")
        if self.is_missed:
            self._abandon()
