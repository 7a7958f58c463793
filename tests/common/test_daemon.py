"""What daemons do alike: stopping in order, listening with room for a crowd."""

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.daemon import CannotStart, DaemonOptions, InOrder


class Slow(Service):
    """A service that stops when it is told that it has."""

    def __init__(self, name: str, stopped: list[str]) -> None:
        self.setName(name)
        self.done: Deferred[None] = Deferred()
        self._stopped = stopped

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self._stopped.append(str(self.name))
        return self.done


class InOrderTests(SynchronousTestCase):
    """One after another."""

    def test_order(self) -> None:
        """What was added last stops first, the next when that has; a failure is logged and stops nobody else."""
        stopped: list[str] = []
        services = [Slow(name, stopped) for name in ("store", "upstreams", "listening")]
        both = InOrder()
        for service in services:
            service.setServiceParent(both)
        both.startService()
        ending = both.stopService()
        self.assertEqual(stopped, ["listening"])
        services[2].done.callback(None)
        self.assertEqual(stopped, ["listening", "upstreams"])
        services[1].done.errback(ZeroDivisionError())
        self.assertEqual(stopped, ["listening", "upstreams", "store"])
        self.assertNoResult(ending)
        services[0].done.callback(None)
        self.successResultOf(ending)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class EndpointTests(SynchronousTestCase):
    """``--listen``."""

    def endpoint(self, text: str) -> object:
        options = DaemonOptions()
        options["listen"] = text
        return options.endpoint("listen", Clock())

    def test_backlog(self) -> None:
        """TCP gets room for a crowd unless the user said how much; other endpoints are left as they are."""
        for text, backlog in (("tcp:9999", 1024), ("tcp:0:interface=127.0.0.1", 1024), ("tcp:1:backlog=7", 7)):
            self.assertEqual(vars(self.endpoint(text))["_backlog"], backlog)
        self.assertEqual(vars(self.endpoint("unix:s"))["_backlog"], 50)

    def test_nonsense(self) -> None:
        """A wrong one is shown as it was written."""
        for text in ("tcp:", "tcp:x", "nonsense:1", ""):
            error = self.assertRaises(CannotStart, self.endpoint, text)
            self.assertIn(f"--listen {text} is no endpoint", str(error))
            self.assertNotIn("backlog", str(error))
