"""The pinger as a service: it finds the addresses of its targets, pings them while it runs, and logs what happens."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import Service
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from netlab.common.daemon import CannotStart
from netlab.common.errors import LocalError
from netlab.icmp.errors import NoSocket
from netlab.icmp.events import Answered, Duplicated, Event
from netlab.icmp.fields import event_fields, summary_fields, whom
from netlab.icmp.packet import Family
from netlab.icmp.pinger import Pinger
from netlab.icmp.reachability import Reachability
from netlab.icmp.resolving import resolve
from netlab.icmp.wishes import Wishes
from netlab.icmp.words import MAX_COPIES, counts_text, event_text, times_text

#: Seconds until a name that had no address is asked for again.
RETRY = 10.0


class PingService(Service):
    """Pings ``names`` while it runs.

    A name without an address is said so in the log and asked for again every ten seconds: a daemon may start before
    the network does.

    :param report: seconds from one line of statistics for each target to the next.
    :param reply_log: whether each reply is a line in the log.
    :param alive: is called after every reply.
    """

    log = Logger(namespace="netlab.icmp")

    def __init__(
        self,
        reactor: Any,
        names: Sequence[str],
        wishes: Wishes,
        report: float,
        *,
        reply_log: bool = True,
        alive: Callable[[], object] = lambda: None,
    ) -> None:
        self.setName("netlab-ping")
        self.pinger = Pinger(reactor, wishes, self._tell)
        self.reachability = Reachability()
        self._reactor = reactor
        self._names = list(names)
        self._wishes = wishes
        self._reply_log = reply_log
        self._alive = alive
        self._reporting = LoopingCall(self._report)
        self._reporting.clock = reactor
        self._report_period = report
        self._searches: dict[str, Deferred[None]] = {}
        self._opened = False

    def privilegedStartService(self) -> None:
        """Open the sockets while we may still be root."""
        super().privilegedStartService()
        self._open()

    def startService(self) -> None:
        """Begin to ping.

        :raises CannotStart: there can be no socket; the exit status is 2.
        """
        super().startService()
        self._open()
        self.pinger.start()
        self._reporting.start(self._report_period, now=False)
        for name in self._names:
            self._searches[name] = Deferred.fromCoroutine(self._find(name))

    def stopService(self) -> None:
        """Stop, with a last line of statistics for each target."""
        super().stopService()
        for search in list(self._searches.values()):
            search.cancel()
        if self._reporting.running:
            self._reporting.stop()
        self.pinger.stop()
        self._report()
        self.log.info("{name} has stopped", name=self.name)

    def _open(self) -> None:
        """Have a socket for each family that is needed; for a name, whose is not known yet, one of them will do."""
        if self._opened:
            return
        self._opened = True
        families = [_family_of(name, self._wishes) for name in self._names]
        for family in {family for family in families if family is not None}:
            self._try_to_open(family)
        if None in families:
            refused = [family for family in Family if self._refused(family)]
            if len(refused) == len(Family):
                self._try_to_open(Family.IPV4)

    def _refused(self, family: Family) -> bool:
        try:
            self.pinger.open(family)
        except NoSocket:
            return True
        return False

    def _try_to_open(self, family: Family) -> None:
        try:
            self.pinger.open(family)
        except NoSocket as error:
            raise CannotStart(f"{self.name}: {error}", 2) from None

    async def _find(self, name: str) -> None:
        """Find the address of ``name``, however long that takes, and ping it."""
        try:
            while not await self._found(name):
                await deferLater(self._reactor, RETRY)
        except CancelledError:
            pass
        finally:
            self._searches.pop(name, None)

    async def _found(self, name: str) -> bool:
        try:
            session = self.pinger.add(await resolve(self._reactor, name, self._wishes.family))
        except LocalError as error:
            self.log.error("{error}; trying again in {seconds:g} s", error=str(error), seconds=RETRY)
            return False
        self.log.info("pinging {target} at {address}", **whom(session.target))
        return True

    def _tell(self, event: Event) -> None:
        name, fields = event_fields(event)
        words = event_text(event, self._wishes.timeout)
        if isinstance(event, Answered):
            self._alive()
            if self._reply_log:
                self.log.info("{words}", words=words, event=name, **fields)
        elif not isinstance(event, Duplicated) or event.copies <= MAX_COPIES:
            self.log.warn("{words}", words=words, event=name, **fields)
        change = self.reachability.take(event, self._reactor.seconds())
        if change is not None:
            log = self.log.info if change.answers else self.log.error
            log("{words}", words=str(change), event="answers" if change.answers else "silent", **whom(event.target))

    def _report(self) -> None:
        for session in self.pinger.exchange:
            summary = session.summary()
            words = f"{session.target.name}: {counts_text(summary)}"
            if summary.times is not None:
                words += f"; {times_text(summary.times)}"
            self.log.info("{words}", words=words, event="summary", **whom(session.target), **summary_fields(summary))


def _family_of(name: str, wishes: Wishes) -> Family | None:
    """The family of an address; `None` for a name, unless it is wished for."""
    if isIPAddress(name):
        return Family.IPV4
    return Family.IPV6 if isIPv6Address(name) else wishes.family
