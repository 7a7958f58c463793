"""The calculator's connections on string transports and a clock: order, limits, closing, stopping."""

from __future__ import annotations

from struct import unpack_from
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netlab.calc.calculator import Calculator
from netlab.calc.codecs import json_body
from netlab.calc.connection import CalcProtocol
from netlab.calc.header import CLIENT_ERROR, SERVER_ERROR, SUCCESS, Header, encode_packet
from netlab.calc.limits import Limits
from netlab.calc.messages import Answer, Success
from netlab.calc.server import CalcFactory
from netlab.common.turns import SLICE

PEER = IPv4Address("TCP", "127.0.0.1", 12345)
NOW = 1_700_000_000.9


def request(text: str, **fields: Any) -> bytes:
    """A request in JSON."""
    return encode_packet(json_body.write_expression(text), timestamp=7, request=True, **fields)


def packets(data: bytes) -> list[tuple[Header, bytes]]:
    """Every packet of what a server wrote."""
    found = []
    while data:
        (length,) = unpack_from("!H", data, 4)
        found.append((Header.decode(data), data[12:length]))
        data = data[length:]
    return found


def answers(data: bytes) -> list[Answer]:
    """The answers in what a server wrote, all in JSON."""
    return [json_body.read_answer(body) for _, body in packets(data)]


@implementer(IHalfCloseableDescriptor)
class Transport(StringTransportWithDisconnection):
    """A transport that remembers writes one by one, half-closes, and can refuse to drain."""

    def __init__(self, protocol: CalcProtocol) -> None:
        super().__init__(peerAddress=PEER)
        self.protocol = protocol
        self.writes: list[bytes] = []
        self.half_closed = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        super().write(data)

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def writeConnectionLost(self, reason: Failure) -> None:
        """Part of the interface; nothing here calls it."""

    def readConnectionLost(self, reason: Failure) -> None:
        """Part of the interface; nothing here calls it."""

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()


class ConnectionTests(SynchronousTestCase):
    """One connection, seen from its transport."""

    limits = Limits(idle_timeout=60.0, packet_timeout=10.0, max_pending=1000)

    def setUp(self) -> None:
        self.clock = Clock()
        self.fine = 0.0
        self.calculator = Calculator(lambda low, high: low)
        self.factory = CalcFactory(
            self.calculator, self.clock, self.limits, wall=lambda: NOW, measure=lambda: self.fine
        )
        self.protocol, self.transport = self.connect()

    def connect(self) -> tuple[CalcProtocol, Transport]:
        protocol = self.factory.buildProtocol(PEER)
        assert protocol is not None
        transport = Transport(protocol)
        protocol.makeConnection(transport)
        return protocol, transport

    def results(self) -> list[Any]:
        return [answer.result if isinstance(answer, Success) else answer for answer in answers(self.transport.value())]

    def drain(self) -> None:
        """The peer reads all that waited for it."""
        self.transport.producer.resumeProducing()


class AnsweringTests(ConnectionTests):
    """Requests in, answers out."""

    def test_answers_with_the_time(self) -> None:
        """An answer carries the wall clock's whole seconds and the flags of a success."""
        self.protocol.dataReceived(request("max(2, 3) + 3", steps=True))
        ((header, _),) = packets(self.transport.value())
        self.assertEqual((header.timestamp, header.status, header.steps), (1_700_000_000, SUCCESS, True))

    def test_byte_by_byte(self) -> None:
        """A request in as many segments as it has bytes is one request."""
        for byte in request("1 + 2"):
            self.protocol.dataReceived(bytes((byte,)))
        self.assertEqual(self.results(), [3])

    def test_pipelined_in_order_in_one_write(self) -> None:
        """All requests of a segment are answered, in order, and their answers leave together."""
        self.protocol.dataReceived(b"".join(request(f"{number} + 0") for number in range(20)))
        self.assertEqual(self.results(), list(range(20)))
        self.assertEqual(len(self.transport.writes), 1)

    def test_bad_body_goes_on(self) -> None:
        """A body that is no expression is answered with 400, and the next request with its result."""
        junk = encode_packet(b"junk", timestamp=0, request=True)
        self.protocol.dataReceived(junk + request("2"))
        (bad, _), (good, _) = packets(self.transport.value())
        self.assertEqual((bad.status, good.status), (CLIENT_ERROR, SUCCESS))
        self.assertFalse(self.transport.disconnecting)

    def test_our_fault(self) -> None:
        """A fault of ours is a 500 without internals, a traceback in the log, and the connection goes on."""
        self.patch(self.calculator, "_read", lambda codec, body: 1 / 0)
        self.protocol.dataReceived(request("1"))
        (failure,) = self.flushLoggedErrors(ZeroDivisionError)
        self.assertIn("division by zero", failure.getErrorMessage())
        ((header, body),) = packets(self.transport.value())
        self.assertEqual(header.status, SERVER_ERROR)
        self.assertNotIn(b"ZeroDivision", body)
        self.assertFalse(self.transport.disconnecting)

    def test_distrusted_stream(self) -> None:
        """A length under 12 is answered after what came before it, then closed, and what follows is dropped."""
        self.protocol.dataReceived(request("1") + bytes(12) + request("2"))
        self.protocol.dataReceived(request("3"))
        (first, _), (second, _) = packets(self.transport.value())
        self.assertEqual((first.status, second.status), (SUCCESS, CLIENT_ERROR))
        self.assertTrue(self.transport.half_closed)
        self.assertTrue(self.transport.connected)
        self.protocol.readConnectionLost()
        self.assertFalse(self.transport.connected)

    def test_distrusted_peer_that_stays(self) -> None:
        """A peer that does not close its end either is cut off after the packet time-out."""
        self.protocol.dataReceived(bytes(12))
        self.clock.advance(10)
        self.assertTrue(self.transport.aborted)

    def test_half_closed_client_gets_its_answers(self) -> None:
        """A client that shuts down its sending side still reads every answer; half a packet is forgotten."""
        self.protocol.dataReceived(request("1") + request("2")[:5])
        self.protocol.readConnectionLost()
        self.assertEqual(self.results(), [1])
        self.assertFalse(self.transport.connected)


class TimeTests(ConnectionTests):
    """Deadlines, each with its own cause."""

    def test_idle(self) -> None:
        """A peer that asks nothing is closed, and leaves no timer."""
        self.clock.advance(59)
        self.assertTrue(self.transport.connected)
        self.clock.advance(1)
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.factory.stop().called, True)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_asking_keeps_it_open(self) -> None:
        """Every answer gives a whole new time."""
        for _ in range(3):
            self.clock.advance(50)
            self.protocol.dataReceived(request("1"))
        self.assertTrue(self.transport.connected)

    def test_unfinished_packet(self) -> None:
        """A packet that trickles in is not given more time for each byte."""
        for byte in request("1 + 2 + 3")[:12]:
            self.protocol.dataReceived(bytes((byte,)))
            self.clock.advance(1)
        self.assertFalse(self.transport.connected)
        self.assertIn("not finished in 10 s", self.protocol.why or "")

    def test_each_packet_has_its_own_time(self) -> None:
        """A packet begun in the segment that ended another has a whole time of its own."""
        packet = request("1")
        self.protocol.dataReceived(packet[:20])
        self.clock.advance(9)
        self.protocol.dataReceived(packet[20:] + packet[:20])
        self.clock.advance(9)
        self.assertTrue(self.transport.connected)
        self.protocol.dataReceived(packet[20:])
        self.clock.advance(30)
        self.assertTrue(self.transport.connected)

    def test_late_while_half_a_packet_waits_after_reset(self) -> None:
        """A connection that is reset with half a packet here leaves nothing behind."""
        self.protocol.dataReceived(request("1")[:20])
        self.protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.factory.stop().called, True)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SlowReaderTests(ConnectionTests):
    """Peers that do not read are not read from, and end after a time."""

    limits = Limits(max_pending=10)

    def test_held_and_released(self) -> None:
        """After so many unread answers nothing more is answered; once they are read, everything is."""
        self.protocol.dataReceived(b"".join(request(str(number)) for number in range(25)))
        self.assertEqual(self.results(), list(range(10)))
        self.assertEqual(self.transport.producerState, "paused")
        self.drain()
        self.assertEqual(self.results(), list(range(20)))
        self.drain()
        self.assertEqual(self.results(), list(range(25)))
        self.assertEqual(self.transport.producerState, "producing")

    def test_large_answers_are_held_sooner(self) -> None:
        """However few answers wait, their bytes are bounded."""
        protocol, transport = self.connect()
        self.factory.limits = Limits(max_pending=100_000)
        steps = request("+".join(["1234567890"] * 80), steps=True)
        protocol.dataReceived(steps * 20)
        self.assertLess(len(transport.value()), 6 * 65_535)
        self.assertEqual(transport.producerState, "paused")

    def test_never_reads(self) -> None:
        """A peer that never reads is cut off after the idle time-out."""
        self.protocol.dataReceived(request("1") * 25)
        self.clock.advance(60)
        self.assertTrue(self.transport.aborted)


class SharingTests(ConnectionTests):
    """The time of a turn is shared."""

    def slow(self, seconds: float) -> None:
        """Make every answer take a while on the fine clock."""
        reply = self.calculator.reply

        def slowly(frame: bytes) -> Any:
            self.fine += seconds
            return reply(frame)

        self.patch(self.calculator, "reply", slowly)

    def test_long_work_is_spread(self) -> None:
        """Costly requests are answered over several turns, in order, and nothing is read meanwhile."""
        self.slow(0.75 * SLICE)
        self.protocol.dataReceived(b"".join(request(str(number)) for number in range(6)))
        self.assertEqual(self.results(), [0, 1])
        self.assertEqual(self.transport.producerState, "paused")
        for _ in range(6):
            self.clock.advance(0)
        self.assertEqual(self.results(), list(range(6)))
        self.assertEqual(self.transport.producerState, "producing")

    def test_one_peer_does_not_take_all_turns(self) -> None:
        """Of two peers with costly requests each is answered in its turn."""
        self.slow(2 * SLICE)
        other, transport = self.connect()
        self.protocol.dataReceived(request("1") * 3)
        other.dataReceived(request("2") * 3)
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertGreaterEqual(len(packets(transport.value())), 1)
        for _ in range(10):
            self.clock.advance(0)
        self.assertEqual(len(packets(transport.value())), 3)
        self.assertEqual(len(packets(self.transport.value())), 3)

    def test_gone_while_it_waits(self) -> None:
        """A peer that leaves while its requests wait for a turn is forgotten."""
        self.slow(2 * SLICE)
        self.protocol.dataReceived(request("1") * 5)
        self.protocol.connectionLost(Failure(ConnectionDone()))
        written = len(self.transport.value())
        self.clock.advance(0)
        self.assertEqual(len(self.transport.value()), written)


class StoppingTests(ConnectionTests):
    """What has begun is finished, for a while."""

    limits = Limits(stop_timeout=5.0)

    def test_idle_connections_close_at_once(self) -> None:
        """With nothing begun, stopping takes no time and leaves no timer."""
        self.successResultOf(self.factory.stop())
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_begun_packet_is_answered(self) -> None:
        """A packet that had begun is answered, the one after it is not."""
        packet = request("1 + 1")
        self.protocol.dataReceived(packet[:20])
        stopped = self.factory.stop()
        self.assertNoResult(stopped)
        self.protocol.dataReceived(packet[20:] + packet)
        self.assertEqual(self.results(), [2])
        self.successResultOf(stopped)

    def test_at_most_five_seconds(self) -> None:
        """What is not finished by then is cut off."""
        self.protocol.dataReceived(request("1 + 1")[:20])
        stopped = self.factory.stop()
        self.clock.advance(5)
        self.successResultOf(stopped)
        self.assertTrue(self.transport.aborted)

    def test_nobody_new(self) -> None:
        """A client that comes while the daemon stops is turned away."""
        self.factory.stop()
        self.assertIsNone(self.factory.buildProtocol(PEER))

    def test_too_many(self) -> None:
        """More connections than allowed are turned away, and a place that is free again is given."""
        self.factory.limits = Limits(max_connections=1)
        self.assertIsNone(self.factory.buildProtocol(PEER))
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertIsNotNone(self.factory.buildProtocol(PEER))
