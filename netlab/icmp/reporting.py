"""Signs of life to a watchdog (protocols.md §4): it is connected to, told of every reply, and connected to again."""

from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger

from netlab.common.errors import NetlabError
from netlab.watchdog.client import Connection, connect

#: Seconds until a watchdog that is not there is looked for again.
RETRY = 2.0


class WatchdogReport(Service):
    """Keeps a connection to a watchdog while it runs.

    :param endpoint: where the watchdog listens; ``description`` is how the user wrote that.
    :param required: whether the daemon is to stop when there is no watchdog.
    """

    log = Logger(namespace="netlab.icmp")

    def __init__(self, reactor: Any, endpoint: IStreamClientEndpoint, description: str, required: bool) -> None:
        self.setName("watchdog report")
        self._reactor = reactor
        self._endpoint = endpoint
        self._description = description
        self._required = required
        self._connection: Connection | None = None
        self._keeping: Deferred[None] | None = None

    def startService(self) -> None:
        """Begin to look for the watchdog."""
        super().startService()
        self._keeping = Deferred.fromCoroutine(self._keep())

    def stopService(self) -> "Deferred[None]":
        """Say goodbye to the watchdog; fires when the connection is gone."""
        super().stopService()
        connection, self._connection = self._connection, None
        if self._keeping is not None:
            self._keeping.cancel()
        return succeed(None) if connection is None else connection.close()

    def alive(self) -> None:
        """Give a sign of life, if anybody watches."""
        if self._connection is not None:
            self._connection.alive()

    async def _keep(self) -> None:
        """Connect, and again whenever the connection is gone, until we are stopped."""
        try:
            while True:
                await self._report()
                if self._required:
                    self.log.error("stopping, for the watchdog is required")
                    self._reactor.callLater(0, self._reactor.stop)
                    return
                await deferLater(self._reactor, RETRY)
        except CancelledError:
            pass

    async def _report(self) -> None:
        """Report over one connection, until it is gone."""
        try:
            connection = await connect(self._endpoint, self._reactor)
            self._connection = connection
            connection.start()
            self.log.info("the watchdog at {watchdog} watches", watchdog=self._description)
            await connection.when_gone()
        except NetlabError as error:
            self.log.error("no watchdog at {watchdog}: {error}", watchdog=self._description, error=str(error))
        finally:
            if self.running:
                self._connection = None
