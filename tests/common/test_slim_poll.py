"""The slim poll loop: events are served, faults are logged, the reactor is given back as it was."""

import os
from typing import Any

from twisted.internet import abstract
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.slim_poll import SlimPolling, is_known


class Pipe(abstract.FileDescriptor):
    """The reading end of a pipe with a byte in it, which does what it is told when it is read."""

    def __init__(self, reactor: Any, read: Any) -> None:
        super().__init__(reactor)
        self._ends = os.pipe()
        os.write(self._ends[1], b"x")
        self.doRead = read

    def fileno(self) -> int:
        return self._ends[0]

    def close(self) -> None:
        """Close both ends."""
        for end in self._ends:
            os.close(end)


class SlimPollingTests(SynchronousTestCase):
    """On an epoll reactor of its own, which is never run."""

    def setUp(self) -> None:
        self.reactor = EPollReactor()
        self.service = SlimPolling(self.reactor)
        self.service.startService()

    def pipe(self, read: Any) -> Pipe:
        pipe = Pipe(self.reactor, read)
        self.addCleanup(pipe.close)
        self.addCleanup(self.reactor.removeReader, pipe)
        self.reactor.addReader(pipe)
        return pipe

    def test_serves(self) -> None:
        """An event reaches its transport."""
        heard: list[int] = []
        self.pipe(lambda: heard.append(1))
        self.reactor.doIteration(0)
        self.assertEqual(heard, [1])

    def test_faults(self) -> None:
        """What a transport raises is logged, and the others are served all the same."""
        heard: list[int] = []

        def fail() -> None:
            heard.append(1)
            raise ZeroDivisionError

        self.pipe(fail)
        self.pipe(lambda: heard.append(2))
        self.reactor.doIteration(0)
        self.assertEqual(sorted(heard), [1, 2])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_given_back(self) -> None:
        """Stopped, the reactor polls in its own way again; another reactor is never touched."""
        self.assertIn("doIteration", vars(self.reactor))
        self.service.stopService()
        self.assertNotIn("doIteration", vars(self.reactor))
        clock = Clock()
        self.assertFalse(is_known(clock))
        other = SlimPolling(clock)
        other.startService()
        other.stopService()
        self.assertFalse(hasattr(clock, "doIteration"))
