"""The pinger and its port with a clock turned by hand; UDP sockets on the loopback take the place of ICMP's."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netlab.icmp.errors import UnknownTarget
from netlab.icmp.events import Answered, Event, Lost, Target, Unsent
from netlab.icmp.packet import Family
from netlab.icmp.pinger import WINDOW, Pinger
from netlab.icmp.port import READS, Clocks
from netlab.icmp.resolving import Resolved
from netlab.icmp.sockets import Channel
from netlab.icmp.wishes import Wishes
from tests.icmp.peers import SECOND, reply_to


class Reactor(Clock):
    """A clock that also knows who reads."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[object] = set()

    def addReader(self, reader: object) -> None:  # noqa: N802 - Twisted's name
        self.readers.add(reader)

    def removeReader(self, reader: object) -> None:  # noqa: N802 - Twisted's name
        self.readers.discard(reader)


class PingerCase(SynchronousTestCase):
    """A pinger whose targets are UDP sockets of the test."""

    def setUp(self) -> None:
        """A clock, and nobody to ping yet."""
        self.reactor = Reactor()
        self.events: list[Event] = []
        self.ahead = 1_800_000_000 * SECOND
        self.hosts: dict[str, socket.socket] = {}

    def udp(self, address: str) -> socket.socket:
        """A socket there."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.bind((address, 0))
        sock.setblocking(False)
        return sock

    def now(self) -> int:
        """Monotonic nanoseconds."""
        return round(self.reactor.seconds() * SECOND)

    def pinger(self, told: Callable[[Event], object] | None = None, **wishes: object) -> Pinger:
        """A pinger that is stopped when the test ends."""
        channel = Channel(self.udp("127.0.0.1"), Family.IPV4, 7, False)
        clocks = Clocks(self.now, lambda: self.now() + self.ahead)
        pinger = Pinger(
            self.reactor, Wishes(**wishes), told or self.events.append, None, clocks, lambda family, ttl: channel
        )  # type: ignore[arg-type]
        self.addCleanup(pinger.stop)
        return pinger

    def host(self, pinger: Pinger, address: str = "127.0.0.1") -> None:
        """One more target."""
        self.hosts[address] = self.udp(address)
        target = Target(address, address, Family.IPV4)
        pinger.add(Resolved(target, self.hosts[address].getsockname()))

    def requests(self, address: str = "127.0.0.1") -> list[tuple[bytes, tuple[str, int]]]:
        """What has come to a target since the last time, and from where."""
        found = []
        while True:
            try:
                found.append(self.hosts[address].recvfrom(65_536))
            except BlockingIOError:
                return found

    def reply(self, address: str = "127.0.0.1") -> int:
        """The target answers all that has come; how much that was. The pinger has not read it then."""
        requests = self.requests(address)
        for request, sender in requests:
            self.hosts[address].sendto(reply_to(request), sender)
        return len(requests)

    def read(self) -> None:
        """A turn of reading."""
        for reader in list(self.reactor.readers):
            reader.doRead()  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Nothing is left of the pinger."""
        self.assertEqual((self.reactor.getDelayedCalls(), self.reactor.readers), ([], set()))


class LifeTests(PingerCase):
    """From the first request to the last."""

    def test_count(self) -> None:
        """Ends when all that was wanted was sent and answered, and leaves nothing."""
        pinger = self.pinger(count=2)
        self.host(pinger)
        done = pinger.start()
        self.assertEqual(self.reply(), 1)
        self.read()
        self.assertNoResult(done)
        self.reactor.advance(1)
        self.assertEqual(self.reply(), 1)
        self.read()
        self.successResultOf(done)
        self.assertEqual([type(event) for event in self.events], [Answered, Answered])
        self.clean()

    def test_lost(self) -> None:
        """A loss is told when its time is over, and the end waits for that."""
        pinger = self.pinger(count=1, timeout=2.0)
        self.host(pinger)
        done = pinger.start()
        self.reactor.advance(1.999)
        self.assertEqual(self.events, [])
        self.reactor.advance(0.002)
        self.assertEqual([type(event) for event in self.events], [Lost])
        self.successResultOf(done)
        self.clean()

    def test_not_read_yet(self) -> None:
        """A reply that waits to be read when its time is over is read first: it is not lost."""
        pinger = self.pinger(count=1, timeout=2.0)
        self.host(pinger)
        done = pinger.start()
        self.reply()
        self.reactor.advance(2)
        self.assertEqual([type(event) for event in self.events], [Answered])
        self.successResultOf(done)

    def test_deadline(self) -> None:
        """At the deadline it ends; what is in flight is not lost."""
        pinger = self.pinger(deadline=1.5)
        self.host(pinger)
        done = pinger.start()
        self.reactor.pump([0.5] * 3)
        self.successResultOf(done)
        (session,) = pinger.exchange
        self.assertEqual((session.sent, session.lost, session.in_flight), (2, 0, 2))
        self.clean()

    def test_stop(self) -> None:
        """Stopping ends it at any time, twice as well, and before it began."""
        pinger = self.pinger()
        pinger.stop()
        pinger = self.pinger()
        self.host(pinger)
        done = pinger.start()
        pinger.stop()
        pinger.stop()
        self.successResultOf(done)
        self.clean()

    def test_stopped_by_who_is_told(self) -> None:
        """Whoever is told of an event may stop everything from there."""
        pinger = self.pinger(told=lambda event: (self.events.append(event), pinger.stop()), interval=0.1)
        self.host(pinger)
        self.host(pinger, "127.0.0.2")
        done = pinger.start()
        self.reactor.pump([0.1] * 40)
        self.successResultOf(done)
        self.assertEqual({type(event) for event in self.events}, {Lost})
        self.clean()

    def test_unsent(self) -> None:
        """What the system refuses to send is told, and the others go on."""
        pinger = self.pinger(count=1)
        self.host(pinger)
        pinger.add(Resolved(Target("bad", "192.0.2.1", Family.IPV4), ("255.255.255.255", 9)))
        done = pinger.start()
        self.assertIsInstance(self.events[0], Unsent)
        self.reply()
        self.read()
        self.successResultOf(done)


class TurnTests(PingerCase):
    """Whose turn it is."""

    def test_many(self) -> None:
        """40 targets have three turns in each second, and each has one request a second."""
        pinger = self.pinger(timeout=10.0)
        for number in range(1, 41):
            self.host(pinger, f"127.0.1.{number}")
        pinger.start()
        bursts = []
        for _ in range(6):
            bursts.append([len(self.requests(address)) for address in self.hosts])
            self.reactor.advance(1 / 3)
        self.assertEqual([sum(burst) for burst in bursts], [14, 13, 13] * 2)
        self.assertEqual([sum(column) for column in zip(*bursts, strict=True)], [2] * 40)

    def test_add_while_running(self) -> None:
        """A target that is found later has its turns from then on."""
        pinger = self.pinger()
        pinger.start()
        self.host(pinger)
        self.reactor.advance(1)
        self.assertEqual(len(self.requests()), 1)
        self.assertRaises(UnknownTarget, self.host, pinger)

    def test_no_number_free(self) -> None:
        """A target whose 65,536 numbers are all in flight has to wait."""
        pinger = self.pinger(interval=0.01, timeout=2.0)
        self.host(pinger)
        (session,) = pinger.exchange
        session.packets(65_536)
        session.begin([0] * 65_536)
        pinger.start()
        self.reactor.advance(0.01)
        self.assertEqual((session.sent, self.events), (65_536, []))

    def test_as_fast_as_possible(self) -> None:
        """At interval 0 answers make room for more, so much at a time; without answers it goes on slowly."""
        pinger = self.pinger(interval=0, count=200)
        self.host(pinger)
        done = pinger.start()
        self.assertEqual(self.reply(), WINDOW)
        self.read()
        self.assertEqual(len(self.requests()), WINDOW)
        self.reactor.advance(0.01)
        self.assertEqual(len(self.requests()), 1)
        (session,) = pinger.exchange
        self.assertEqual((session.received, session.sent), (WINDOW, 2 * WINDOW + 1))
        for _ in range(120):
            self.reactor.advance(0.01)
            self.reply()
            self.read()
        self.reactor.advance(2)
        self.successResultOf(done)
        self.assertEqual(session.sent, 200)

    def test_answers_at_once(self) -> None:
        """At interval 0 over the loopback, answered within `sendto`, a turn reads and sends a bounded number."""
        pinger = self.pinger(interval=0)
        self.host(pinger)
        (port,) = pinger._ports.values()
        sendto = port._sendto

        def answered(*words: Any) -> None:
            sendto(*words)
            self.reply()

        port._sendto = answered
        pinger.start()
        (session,) = pinger.exchange
        for turn in range(4):
            self.assertEqual((session.received, session.in_flight), (turn * WINDOW, WINDOW))
            self.read()

    def test_no_room(self) -> None:
        """At interval 0 what the socket has no room for is not lost, but sent later, when there is."""
        pinger = self.pinger(interval=0)
        self.host(pinger)
        (port,) = pinger._ports.values()
        sendto, left = port._sendto, [20]

        def limited(*words: Any) -> None:
            if not left[0]:
                raise BlockingIOError
            left[0] -= 1
            sendto(*words)

        port._sendto = limited
        pinger.start()
        (session,) = pinger.exchange
        self.assertEqual((session.sent, self.events), (20, []))
        left[0] = 10
        self.reply()
        self.read()
        self.assertEqual((session.sent, session.received, session.lost), (30, 20, 0))
        self.reactor.advance(0.01)
        self.assertIn("send buffer is full", self.events[-1].reason)  # type: ignore[union-attr]

    def test_reading_comes_first(self) -> None:
        """At interval 0 with more targets than are read in a turn, answers do not pile up until they are dropped."""
        pinger = self.pinger(interval=0)
        for number in range(1, 41):
            self.host(pinger, f"127.0.1.{number}")
        pinger.start()
        for _ in range(100):
            self.reactor.advance(0.01)
            for address in self.hosts:
                self.reply(address)
            self.read()
            self.assertLess(sum(session.in_flight for session in pinger.exchange), 3 * READS)
        self.assertGreater(sum(session.received for session in pinger.exchange), 50 * READS)

    def test_large_ones(self) -> None:
        """So many large requests are sent ahead as leave room for their answers."""
        pinger = self.pinger(interval=0, size=60_000)
        self.host(pinger)
        pinger.start()
        self.assertEqual([session.sent for session in pinger.exchange], [8])

    def test_as_fast_as_possible_with_many(self) -> None:
        """At interval 0 each of many targets has its share, however few requests a turn has room for."""
        pinger = self.pinger(interval=0)
        for number in range(1, 41):
            self.host(pinger, f"127.0.1.{number}")
        pinger.start()
        for _ in range(60):
            self.reactor.advance(0.01)
        self.assertTrue(all(session.sent for session in pinger.exchange))


class PortTests(PingerCase):
    """What the socket gives."""

    def started(self) -> Pinger:
        """A pinger with one request in flight."""
        pinger = self.pinger(interval=100.0, timeout=10.0)
        self.host(pinger)
        pinger.start()
        return pinger

    def test_flood(self) -> None:
        """One turn reads a bounded number of messages, so a flood leaves others their turns; ours is found in it."""
        pinger = self.started()
        request, sender = self.requests()[0]
        for _ in range(READS * 2):
            self.hosts["127.0.0.1"].sendto(b"\0" * 8, sender)
        self.hosts["127.0.0.1"].sendto(reply_to(request), sender)
        self.read()
        self.assertEqual(pinger.exchange.foreign.total(), READS)
        self.read()
        self.assertEqual(self.events, [])
        self.read()
        self.assertEqual(pinger.exchange.foreign.total(), 2 * READS)
        self.assertIsInstance(self.events[0], Answered)

    def test_loss_waits_for_a_flood_to_be_read(self) -> None:
        """When time is over and more waits than one turn reads, nothing is lost before all of it was read."""
        self.started()
        request, sender = self.requests()[0]
        for _ in range(READS):
            self.hosts["127.0.0.1"].sendto(b"\0" * 8, sender)
        self.hosts["127.0.0.1"].sendto(reply_to(request), sender)
        self.reactor.advance(10)
        self.reactor.advance(0)
        self.assertEqual([type(event) for event in self.events], [Answered])

    def test_a_flood_without_end(self) -> None:
        """A flood that never ends puts off no loss for ever."""
        pinger = self.started()
        _, sender = self.requests()[0]
        self.reactor.advance(9.9)
        turns = 0
        while not self.events:
            for _ in range(READS):
                self.hosts["127.0.0.1"].sendto(b"\0" * 8, sender)
            self.reactor.advance(0.1 if not turns else 0)
            turns += 1
            self.assertLess(turns, 1_000)
        self.assertIsInstance(self.events[0], Lost)
        self.assertEqual(pinger.exchange.foreign.total(), turns * READS)

    def test_longer_than_any(self) -> None:
        """A packet longer than any answer could be is cut off by the kernel, and counted."""
        pinger = self.started()
        _, sender = self.requests()[0]
        self.hosts["127.0.0.1"].sendto(bytes(9_000), sender)
        self.read()
        self.assertEqual({reason.name: count for reason, count in pinger.exchange.foreign.items()}, {"CUT": 1})

    def test_system_clock_set_back(self) -> None:
        """Set back an hour, neither a round trip nor a deadline is another."""
        pinger = self.pinger(interval=1.0, timeout=2.0)
        self.host(pinger)
        pinger.start()
        self.ahead -= 3_600 * SECOND
        self.reactor.advance(0.25)
        self.reply()
        self.read()
        self.reactor.pump([0.75, 2.0])
        self.assertEqual([(type(event), event.number) for event in self.events], [(Answered, 0), (Lost, 1)])
        self.assertApproximates(self.events[0].rtt, SECOND // 4, 1_000)  # type: ignore[union-attr]

    def test_false_alarms(self) -> None:
        """The reactor takes waiting errors for the socket's end; it is kept, but not for ever without a reason."""
        self.started()
        (port,) = self.reactor.readers
        alarms = 0
        while self.reactor.readers:
            self.reactor.readers.clear()
            port.connectionLost(Failure(ConnectionLost()))  # type: ignore[attr-defined]
            alarms += 1
        self.assertEqual(alarms, 101)
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        port.connectionLost(Failure(ConnectionLost()))  # type: ignore[attr-defined]
        self.assertEqual(port.fileno(), -1)  # type: ignore[attr-defined]
