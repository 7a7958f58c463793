"""A capture's way from its source to where it is written: order, holding back, and what cannot be written."""

from __future__ import annotations

from threading import Event
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from netlab.trace.capturing import session
from netlab.trace.capturing.errors import CannotCapture
from netlab.trace.capturing.ring import Captured
from netlab.trace.capturing.session import Session
from netlab.trace.capturing.source import Lost, Received
from netlab.trace.link import ETHERNET
from netlab.trace.reading import Trace


class FakeSource:
    """Gives what a test gives it, and notes when it is held back."""

    link_type = ETHERNET

    def __init__(self) -> None:
        self.said: list[str] = []
        self.resumed: Deferred[None] = Deferred()

    def begin(self, _reactor: Any, received: Received, lost: Lost) -> None:
        self.received, self.lost = received, lost

    def pause(self) -> None:
        self.said.append("pause")

    def resume(self) -> None:
        self.said.append("resume")
        self.resumed.callback(None)

    async def close(self) -> int:
        return 7

    def abandon(self) -> None:
        """Nothing is open."""


class FakeSink:
    """Keeps what is written, and waits or fails when it is told to."""

    def __init__(self) -> None:
        self.data = b""
        self.open = Event()
        self.open.set()
        self.fault: Exception | None = None

    def write(self, data: bytes) -> None:
        self.open.wait(30)
        if self.fault is not None:
            raise self.fault
        self.data += data


class SessionTests(TestCase):
    """A session between the two."""

    timeout = 60

    def setUp(self) -> None:
        """Begin."""
        self.source, self.sink = FakeSource(), FakeSink()
        self.failed: Deferred[Exception] = Deferred()
        self.session = Session(reactor, "lo", "port 1", [self.sink], self.tell)
        self.session.start(self.source)

    def tell(self, error: Exception) -> None:
        """As a command does, which counts the first fault."""
        if not self.failed.called:
            self.failed.callback(error)

    def give(self, *numbers: int) -> None:
        self.source.received([Captured(number, 8, b"%08d" % number) for number in numbers])

    async def test_order(self) -> None:
        """What comes in pieces is written in its order, with the kernel's count in the end."""
        for number in range(100):
            self.give(number, number + 1_000)
        summary = await self.session.finish()
        trace = Trace([self.sink.data])
        found = [int(packet.data) for packet in trace.packets()]
        self.assertEqual(found, [one for number in range(100) for one in (number, number + 1_000)])
        self.assertEqual((summary.packets, summary.dropped, trace.file.dropped), (200, 7, 7))

    async def test_held_back(self) -> None:
        """When too much waits to be written the source is held back, until there is room."""
        self.patch(session, "_MAX_WAITING", 20)
        self.sink.open.clear()
        self.give(1)
        self.give(2, 3)
        self.assertEqual(self.source.said, [])
        self.give(4)
        self.assertEqual(self.source.said, ["pause"])
        self.sink.open.set()
        await self.source.resumed
        self.assertEqual((await self.session.finish()).packets, 4)
        self.assertEqual([int(packet.data) for packet in Trace([self.sink.data]).packets()], [1, 2, 3, 4])

    async def test_fault(self) -> None:
        """What cannot be written is told once, and nothing is kept for it."""
        before = self.sink.data
        self.sink.fault = CannotCapture("full")
        self.give(1)
        self.assertIs(await self.failed, self.sink.fault)
        self.sink.fault = None
        self.give(2)
        self.assertEqual((await self.session.finish()).packets, 0)
        self.assertEqual(self.sink.data, before)
