"""Connections on string transports and a clock: order, limits, time-outs, closing, stopping."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netlab.web import server
from netlab.web.access_file import AccessLog
from netlab.web.access_log import Exchange
from netlab.web.connection import WebProtocol
from netlab.web.folder import Folder
from netlab.web.kept import Kept
from netlab.web.limits import Limits
from netlab.web.server import WebFactory
from netlab.web.site import OriginSite, redirects_of
from tests.parts import temporary_folder
from tests.web.raw import Answer, parse

PEER = IPv4Address("TCP", "127.0.0.1", 12345)
GET = b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSE = b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
BIG = b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n"
NOW = 4e9


@implementer(IHalfCloseableDescriptor)
class Transport(StringTransportWithDisconnection):
    """A transport that half-closes, and drains when it is told to."""

    def __init__(self, protocol: WebProtocol) -> None:
        super().__init__(peerAddress=PEER)
        self.protocol = protocol
        self.half_closed = self.aborted = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def writeConnectionLost(self, reason: Failure) -> None:
        """Part of the interface; nothing here calls it."""

    def readConnectionLost(self, reason: Failure) -> None:
        """Part of the interface; nothing here calls it."""

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()

    def drain(self) -> None:
        """The peer reads all there is, and what comes then, for ever."""
        while self.producer is not None:
            self.producer.resumeProducing()


class Told(AccessLog):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def opened(self, peer: str, when: float) -> None:
        self.events.append("opened")

    def exchange(self, it: Exchange) -> None:
        self.events.append((it.asked.request, it.asked.status))

    def closed(self, peer: str, when: float, requests: int, why: str) -> None:
        self.events.append((requests, why))


class ConnectionTests(SynchronousTestCase):
    """One connection, seen from its transport."""

    def setUp(self) -> None:
        self.root = temporary_folder(self)
        (self.root / "a.txt").write_text("hello")
        self.big = os.urandom(200_000)
        (self.root / "big.bin").write_bytes(self.big)
        self.clock = Clock()
        self.fine = 0.0
        self.told = Told()
        self.folder = Folder(str(self.root), Kept(1 << 20), follow_symlinks=False, packs=True, wall=lambda: NOW)
        self.site = OriginSite(self.folder, redirects_of([]), lists=False, boundary="B", wall=lambda: NOW)
        self.addCleanup(self.site.close)
        limits = Limits(idle_timeout=1.0, request_timeout=5.0, send_timeout=3.0, max_connections=2)
        self.factory = WebFactory(self.site, self.clock, limits, self.told, wall=lambda: NOW, measure=lambda: self.fine)
        self.protocol, self.transport = self.connect()

    def connect(self) -> tuple[WebProtocol, Transport]:
        protocol = self.factory.buildProtocol(PEER)
        assert protocol is not None
        transport = Transport(protocol)
        protocol.makeConnection(transport)
        return protocol, transport

    def answers(self) -> list[Answer]:
        data, found = self.transport.value(), []
        while data:
            answer, data = parse(data)
            found.append(answer)
        return found

    def test_order(self) -> None:
        """Requests of one segment are answered in order, the big ones piece by piece."""
        self.protocol.dataReceived(GET + BIG + GET + BIG)
        self.transport.drain()
        self.assertEqual([answer.body for answer in self.answers()], [b"hello", self.big] * 2)

    def test_one_piece_at_a_time(self) -> None:
        """A peer that does not read has one piece waiting for it, and is read from no more when it has asked enough."""
        self.protocol.dataReceived(BIG)
        self.assertLess(len(self.transport.value()), 70_000)
        for _ in range(40):
            self.protocol.dataReceived(GET * 100)
        self.assertEqual(self.transport.producerState, "paused")
        self.assertLess(len(self.transport.value()), 70_000)
        self.transport.drain()
        self.assertEqual(len(self.answers()), 4_001)
        self.assertEqual(self.transport.producerState, "producing")

    def test_silence(self) -> None:
        """Silence between requests, or within one, ends the connection; an answer gives it another period."""
        self.clock.advance(0.9)
        self.protocol.dataReceived(GET)
        self.transport.drain()
        self.clock.advance(0.9)
        self.assertTrue(self.transport.connected)
        self.clock.advance(0.2)
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.told.events, ["opened", (GET.split(b"\r\n")[0], 200), (1, "timeout!")])

    def test_a_slow_request(self) -> None:
        """A request has its time, however busily its bytes come."""
        for place in range(20):
            self.protocol.dataReceived(GET[place : place + 1])
            self.clock.advance(0.5)
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.told.events[-1], (0, "a request was not finished in 5 s"))

    def test_each_request_has_its_own_time(self) -> None:
        """The time of a request starts with it, not with the one before."""
        for _ in range(8):
            self.protocol.dataReceived(GET[:10])
            self.clock.advance(0.9)
            self.protocol.dataReceived(GET[10:])
            self.transport.drain()
            self.clock.advance(0.9)
        self.assertTrue(self.transport.connected)

    def test_a_peer_that_reads_nothing(self) -> None:
        """It is cut off after its time; one that takes a piece gets as much again."""
        self.protocol.dataReceived(BIG)
        self.clock.advance(2.9)
        assert self.transport.producer is not None
        self.transport.producer.resumeProducing()
        self.clock.advance(2.9)
        self.assertTrue(self.transport.connected)
        self.clock.advance(0.2)
        self.assertTrue(self.transport.aborted)
        self.assertEqual(self.told.events[-1], (1, "nothing read for 3 s"))

    def test_the_same_again(self) -> None:
        """A request that is known is answered with what the file is by now; its bytes within others are no request."""
        for content in ("hello", "hello again", "good bye"):
            (self.root / "a.txt").write_text(content)
            self.protocol.dataReceived(GET)
            self.transport.drain()
            self.assertEqual(self.answers()[-1].body, content.encode())
        self.protocol.dataReceived(GET[:5])
        self.protocol.dataReceived(GET)
        self.transport.drain()
        self.assertEqual([answer.status for answer in self.answers()], [200, 200, 200, 400])
        self.assertEqual(self.protocol.requests, 3)

    def test_the_same_in_one_turn(self) -> None:
        """Who asks the same in one turn is answered by one look at the file; the next turn looks again."""
        looked: list[bytes] = []
        look = self.folder.look
        self.patch(self.folder, "look", lambda path: looked.append(path) or look(path))
        self.protocol.dataReceived(GET * 3 + BIG * 2 + GET)
        self.transport.drain()
        self.assertEqual([answer.body for answer in self.answers()], [b"hello"] * 3 + [self.big] * 2 + [b"hello"])
        self.assertLess(looked.count(b"a.txt"), 4)
        self.assertEqual(looked.count(b"big.bin"), 2)
        before = len(looked)
        self.protocol.dataReceived(GET)
        self.assertEqual(len(looked), before + 1)

    def between_polls(self) -> None:
        """Make the calls that are due, and none that they order, as a reactor does between two polls."""
        for call in [call for call in self.clock.calls if call.getTime() <= self.clock.seconds()]:
            self.clock.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def test_no_older_than_the_request(self) -> None:
        """What comes while another connection is between two turns is answered by what the file is by then."""
        self.patch(server, "_FEW", 0)
        other, transport = self.connect()
        ticks = iter(range(10_000))
        self.factory.turns.measure = lambda: next(ticks) * 0.001
        self.protocol.dataReceived(GET * 9)
        self.between_polls()
        self.transport.drain()
        self.between_polls()
        self.assertLess(self.protocol.requests, 9)
        (self.root / "a.txt").write_text("hello again")
        other.dataReceived(GET)
        for _ in range(20):
            self.between_polls()
        transport.drain()
        self.assertEqual(parse(transport.value())[0].body, b"hello again")

    def test_close(self) -> None:
        """The last answer of a connection is sent whole before the end; what follows its request is not answered."""
        self.protocol.dataReceived(CLOSE)
        self.transport.drain()
        self.assertEqual((self.transport.connected, self.transport.half_closed), (False, False))
        self.assertEqual(self.told.events[-1], (1, "Connection: close"))
        self.protocol, self.transport = self.connect()
        self.protocol.dataReceived(CLOSE + GET)
        self.transport.drain()
        self.assertEqual(len(self.answers()), 1)
        self.assertTrue(self.transport.half_closed)
        self.protocol.dataReceived(GET)
        self.protocol.readConnectionLost()
        self.assertFalse(self.transport.connected)

    def test_a_farewell_has_its_time(self) -> None:
        """A peer that is told off and goes on sending is cut off."""
        self.protocol.dataReceived(b"junk\r\n")
        self.transport.drain()
        self.assertEqual(self.answers()[0].status, 400)
        for _ in range(7):
            self.protocol.dataReceived(b"x" * 1_000)
            self.clock.advance(0.9)
        self.assertTrue(self.transport.aborted)

    def test_the_peer_has_said_all(self) -> None:
        """Who shuts down its sending side still gets its answers."""
        self.protocol.dataReceived(BIG + GET + GET[:5])
        self.protocol.readConnectionLost()
        self.transport.drain()
        self.assertEqual([answer.body for answer in self.answers()], [self.big, b"hello"])
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.told.events[-1], (2, "data is empty"))

    def test_all_is_said_on_both_sides(self) -> None:
        """Who asks for the last time and shuts down its sending side gets all of the answer."""
        self.protocol.dataReceived(BIG.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        self.protocol.readConnectionLost()
        self.transport.drain()
        self.assertEqual([answer.body for answer in self.answers()], [self.big])
        self.assertFalse(self.transport.connected)

    def test_the_turn_is_shared(self) -> None:
        """Who asks much waits for the next turn of the reactor between its answers."""
        self.fine = 0.0
        ticks = iter(range(10_000))
        self.factory.turns.measure = lambda: next(ticks) * 0.001
        self.protocol.dataReceived(GET * 30)
        self.transport.drain()
        first = len(self.answers())
        self.assertLess(first, 30)
        for _ in range(60):
            self.clock.advance(0)
            self.transport.drain()
        self.assertEqual(len(self.answers()), 30)

    def test_a_fault_of_ours(self) -> None:
        """It is logged, answered by 500, and ends the connection."""
        self.patch(self.site, "respond", lambda request: 1 / 0)
        self.protocol.dataReceived(GET)
        self.transport.drain()
        self.assertEqual(self.answers()[0].status, 500)
        self.assertFalse(self.transport.connected)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_a_file_that_ends(self) -> None:
        """What was promised cannot be kept: the connection is cut."""
        self.protocol.dataReceived(BIG)
        os.truncate(self.root / "big.bin", 10)
        self.transport.drain()
        self.assertTrue(self.transport.aborted)
        self.assertEqual(self.told.events[-1], (1, "the file changed while it was sent"))

    def test_stopping(self) -> None:
        """Idle connections close at once, busy ones when they are done, stuck ones after a while."""
        busy, transport = self.connect()
        busy.dataReceived(BIG)
        stopped = self.factory.stop()
        self.assertFalse(self.transport.connected)
        self.assertNoResult(stopped)
        transport.drain()
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopping_with_a_stuck_peer(self) -> None:
        """It is aborted, and no file stays open."""
        before = len(os.listdir("/proc/self/fd"))
        self.protocol.dataReceived(BIG)
        stopped = self.factory.stop()
        self.clock.pump([1.0] * 6)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_lost_among_parts(self) -> None:
        """A file of which several parts were to be sent is closed once, and stays open for the others who send it."""
        _, other = self.connect()
        asked = b"GET /big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9,20-29,40-\r\n\r\n"
        for transport in (self.transport, other):
            transport.protocol.dataReceived(asked)
        self.transport.loseConnection()
        other.drain()
        (answer, rest) = parse(other.value())
        self.assertEqual((answer.status, rest), (206, b""))
        self.assertIn(self.big[40:], answer.body)

    def test_lost(self) -> None:
        """A connection that is lost leaves nothing behind."""
        self.protocol.dataReceived(BIG + GET)
        self.protocol.connectionLost(Failure(ConnectionLost()))
        self.site.close()
        self.assertEqual(self.told.events[-1][0], 1)
        self.clock.advance(100)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_too_many(self) -> None:
        """More connections than there may be are refused, until one is gone."""
        self.connect()
        self.assertIsNone(self.factory.buildProtocol(PEER))
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertIsNotNone(self.factory.buildProtocol(PEER))
