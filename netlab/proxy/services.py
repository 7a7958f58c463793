"""What of the proxy runs beside its listening: the store, and the connections to the upstreams."""

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.common.daemon import CannotStart
from netlab.proxy.pool import Pool
from netlab.proxy.stores.base import StoreError, StoreRefused
from netlab.proxy.stores.sqlite import SqliteStore
from netlab.proxy.stores.tiers import Tiers


class StoreService(Service):
    """Opens the store when the daemon starts, and closes it when everything that uses it has stopped."""

    log = Logger(namespace="netlab.proxy")

    def __init__(self, store: Tiers) -> None:
        self.setName("store")
        self._store = store

    def privilegedStartService(self) -> None:
        """Find out now what opening would find out when nobody looks at the terminal any more.

        :raises CannotStart: the file is damaged or another program's.
        """
        super().privilegedStartService()
        self._look()

    def startService(self) -> None:
        """Open it.

        :raises CannotStart: it needs what is not installed.
        """
        super().startService()
        starting = self._store.start()
        failures: list[Failure] = []
        if starting.called:
            starting.addErrback(failures.append)
        else:
            starting.addErrback(self._refused)
        if failures:
            raise CannotStart(f"netlab-proxy: --store {failures[0].getErrorMessage()}")

    def stopService(self) -> "Deferred[None]":
        """Finish what was begun and close it."""
        super().stopService()
        return self._store.stop()

    def _look(self) -> None:
        if not isinstance(self._store.second, SqliteStore):
            return
        try:
            self._store.second.inspect()
        except StoreRefused as error:
            raise CannotStart(f"netlab-proxy: --store sqlite:{error}") from None
        except StoreError:  # which may pass: the store says so, and goes on by itself
            return

    def _refused(self, failure: Failure) -> None:
        self.log.critical("The store is of no use, serving goes on from memory: {why}", why=failure.getErrorMessage())


class PoolService(Service):
    """Gives the connections to the upstreams up when the daemon stops."""

    def __init__(self, pool: Pool) -> None:
        self.setName("upstreams")
        self._pool = pool

    def stopService(self) -> "Deferred[None]":
        """Give them up; fires when all are gone."""
        super().stopService()
        return self._pool.stop()
