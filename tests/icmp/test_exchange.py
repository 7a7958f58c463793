"""Many targets on one socket: packets to the session that they belong to, strangers counted, deadlines in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.icmp.errors import PacketFault, UnknownTarget
from netlab.icmp.events import Answered, Event, Foreign, Lost, Reported, Target
from netlab.icmp.exchange import Exchange
from netlab.icmp.packet import Family
from netlab.icmp.payload import TokenPayload
from netlab.icmp.session import Session
from tests.icmp.peers import HOST, OTHER_HOST, SECOND, SECRET, error_about, ipv4, ipv6, reply_to

OURS, ROUTER = 7, "192.0.2.254"


def target(address: str, name: str = "") -> Target:
    """A target; its family is that of its address."""
    return Target(name or address, address, Family.IPV6 if ":" in address else Family.IPV4)


class ExchangeCase(SynchronousTestCase):
    """An exchange with two targets."""

    def setUp(self) -> None:
        """Each has one request in flight, the second's sent half a second after the first's."""
        self.exchange = Exchange(2 * SECOND)
        self.packets: dict[str, bytes] = {}
        for place, address in enumerate((HOST, OTHER_HOST)):
            self.add(address, place * SECOND // 2)

    def add(self, address: str, now: int) -> Session:
        """One more target and its first request."""
        session = Session(target(address), OURS, TokenPayload(SECRET, 56), self.exchange.timeout)
        self.exchange.add(session)
        (self.packets[address],) = session.packets(1)
        self.exchange.begin(session, [now])
        return session

    def comes(self, message: bytes, sender: str = HOST, stamp: int | None = None, now: int = SECOND) -> Event | None:
        """A message comes."""
        family = Family.IPV6 if ":" in sender else Family.IPV4
        awaited = self.exchange.answer(message, sender, stamp, now)
        return awaited or self.exchange.receive(family, OURS, message, sender, stamp, now)

    def foreign(self, reason: Foreign, message: bytes, sender: str = HOST) -> None:
        """It is none of ours, for this reason alone, and nobody's request is the less in flight."""
        before = self.exchange.foreign.copy()
        self.assertIsNone(self.comes(message, sender))
        before[reason] += 1
        self.assertEqual(self.exchange.foreign, before)
        self.assertTrue(all(session.in_flight == 1 for session in self.exchange))


class ReplyTests(ExchangeCase):
    """Replies."""

    def test_ours(self) -> None:
        """Each reply goes to its own target's session."""
        found = self.comes(reply_to(self.packets[OTHER_HOST]), OTHER_HOST)
        self.assertEqual(found, Answered(target(OTHER_HOST), 0, SECOND // 2))
        self.assertEqual([session.in_flight for session in self.exchange], [1, 0])

    def test_stamped(self) -> None:
        """The kernel's stamp says when it came, not the time when it was read."""
        self.exchange.stamps.synchronize(0, 1_000 * SECOND, 0)
        found = self.comes(reply_to(self.packets[HOST]), stamp=1_000 * SECOND + 5_000)
        self.assertEqual(found, Answered(target(HOST), 0, 5_000))

    def test_foreign(self) -> None:
        """Another's identifier, another's address, a bad checksum, half a packet, no packet, never asked for."""
        reply = reply_to(self.packets[HOST])
        request = bytearray(self.packets[HOST])
        request[5] ^= 1
        self.foreign(Foreign.IDENTIFIER, reply_to(bytes(request)))
        self.foreign(Foreign.ADDRESS, reply, "192.0.2.77")
        self.foreign(Foreign.CHECKSUM, reply[:-1] + b"\0")
        self.foreign(Foreign.CUT, reply_to(self.packets[HOST][:-9]))
        self.foreign(Foreign.CUT, reply[:7])
        self.foreign(Foreign.CUT, b"")
        request = bytearray(self.packets[HOST])
        request[7] = 1
        self.foreign(Foreign.UNASKED, reply_to(bytes(request)))
        request = bytearray(self.packets[HOST])
        request[20] ^= 1
        self.foreign(Foreign.TOKEN, reply_to(bytes(request)))

    def test_what_is_no_reply(self) -> None:
        """Requests from others, as a socket on the loopback sees them, are nobody's business."""
        self.assertIsNone(self.comes(self.packets[HOST]))
        self.assertEqual(self.exchange.foreign.total(), 0)

    def test_refused(self) -> None:
        """What is no ICMP message at all counts as malformed."""
        self.exchange.refuse(PacketFault("no IPv4 header"))
        self.assertEqual(self.exchange.foreign, {Foreign.MALFORMED: 1})

    def test_flood(self) -> None:
        """However many strangers come, only numbers grow."""
        for number in range(10_000):
            request = number.to_bytes(2, "big").join((self.packets[HOST][:4], self.packets[HOST][6:]))
            self.comes(reply_to(request), f"198.51.100.{number % 256}")
        self.assertEqual(self.exchange.foreign.total(), 10_000)
        self.assertLessEqual(len(self.exchange.foreign), len(Foreign))
        self.assertEqual(sum(len(session._requests) for session in self.exchange), 2)

    @given(st.binary(max_size=100), st.sampled_from([HOST, "192.0.2.77", "2001:db8::1"]))
    def test_junk(self, junk: bytes, sender: str) -> None:
        """Any bytes from anybody: counted, and nothing else."""
        self.assertIsNone(self.comes(junk, sender))

    def test_twice(self) -> None:
        """One address under two names could not be told apart."""
        session = Session(target(HOST, "other.name"), OURS, TokenPayload(SECRET, 56), 1)
        error = self.assertRaises(UnknownTarget, self.exchange.add, session)
        self.assertIn(f"{HOST} and other.name would be pinged twice at {HOST}", str(error))


class ErrorTests(ExchangeCase):
    """ICMP errors, from the wire and from the kernel's queue."""

    def quoted(self, identifier: int = OURS, to: str = HOST) -> bytes:
        """What a router quotes of our request."""
        packet = self.packets[HOST]
        return ipv4(packet[:4] + identifier.to_bytes(2, "big") + packet[6:], "192.0.2.9", to)

    def test_matched(self) -> None:
        """An error is told of the request that it quotes, by the router's address, and that request is over."""
        found = self.comes(error_about(self.quoted(), 11, 0), ROUTER)
        self.assertEqual(found, Reported(target(HOST), 0, ROUTER, "time to live exceeded", 11, 0))
        self.assertEqual(self.exchange.next_deadline, 5 * SECOND // 2)

    def test_ipv6(self) -> None:
        """The same with IPv6, whose addresses are compared in their short form."""
        self.add("2001:db8::1", 0)
        packet = ipv6(self.packets["2001:db8::1"], "2001:db8::9", "2001:db8::1")
        found = self.comes(error_about(packet, 1, 3, quoted=200), "2001:db8::fe")
        self.assertEqual(found, Reported(target("2001:db8::1"), 0, "2001:db8::fe", "address unreachable", 1, 3))

    def test_not_ours(self) -> None:
        """About another program's ping, another host's, about no ping, with another token, about what was not sent."""
        for quoted, reason in (
            (self.quoted(OURS + 1), Foreign.ERROR),
            (self.quoted(to="192.0.2.77"), Foreign.ERROR),
            (ipv4(b"udp.....", HOST, HOST, protocol=17), Foreign.ERROR),
        ):
            self.foreign(reason, error_about(quoted, 3, 1), ROUTER)
        packet = self.packets[HOST]
        self.foreign(Foreign.UNASKED, error_about(ipv4(packet[:6] + b"\0\1" + packet[8:], HOST, HOST), 3, 1), ROUTER)
        spoofed = ipv4(packet[:8] + b"guessed!" + packet[16:], HOST, HOST)
        self.foreign(Foreign.TOKEN, error_about(spoofed, 3, 1, quoted=84), ROUTER)

    def test_from_the_queue(self) -> None:
        """What an unprivileged socket gives: our message as it was sent, to whom, and what a router said."""
        arguments = (Family.IPV4, OURS, self.packets[HOST], HOST, ROUTER, (3, 4, 1_400))
        found = self.exchange.report(*arguments)
        self.assertEqual(found, Reported(target(HOST), 0, ROUTER, "fragmentation needed (MTU 1,400)", 3, 4))
        self.assertIsNone(self.exchange.report(Family.IPV4, OURS, b"", HOST, ROUTER, (3, 1, 0)))
        self.assertIsNone(self.exchange.report(Family.IPV4, OURS, bytes(8), HOST, ROUTER, (3, 1, 0)))
        self.assertEqual(self.exchange.foreign, {Foreign.CUT: 1, Foreign.ERROR: 1})


class DeadlineTests(ExchangeCase):
    """When what is lost."""

    def test_in_turn(self) -> None:
        """Each at its own time, the earliest first."""
        self.assertEqual(self.exchange.next_deadline, 2 * SECOND)
        self.assertEqual(self.exchange.expire(2 * SECOND - 1), [])
        self.assertEqual(self.exchange.expire(2 * SECOND), [Lost(target(HOST), 0)])
        self.assertEqual(self.exchange.expire(9 * SECOND), [Lost(target(OTHER_HOST), 0)])
        self.assertIsNone(self.exchange.next_deadline)

    def test_answered_is_not_lost(self) -> None:
        """An answered request has no deadline; neither has one that was not sent."""
        self.comes(reply_to(self.packets[HOST]))
        self.assertEqual(self.exchange.next_deadline, 5 * SECOND // 2)
        self.assertEqual(self.exchange.expire(9 * SECOND), [Lost(target(OTHER_HOST), 0)])
        session = next(iter(self.exchange))
        session.packets(1)
        (request,) = self.exchange.begin(session, [9 * SECOND])
        session.fail(request.number, "no")
        self.assertIsNone(self.exchange.next_deadline)

    def test_one_that_waits_long(self) -> None:
        """Behind one request that is not answered many may be; what is over does not pile up."""
        exchange = Exchange(10**6 * SECOND)
        sessions = [
            Session(target(address), OURS, TokenPayload(SECRET, 56), exchange.timeout) for address in (HOST, OTHER_HOST)
        ]
        for session in sessions:
            exchange.add(session)
            session.packets(1)
            exchange.begin(session, [0])
        busy = sessions[0]
        for number in range(1, 20_000):
            (packet,) = busy.packets(1)
            exchange.begin(busy, [number])
            event = exchange.receive(Family.IPV4, OURS, reply_to(packet), HOST, None, number)
            self.assertIsInstance(event, Answered)
        self.assertLess(len(exchange._open), 2 * 4_096)
        self.assertEqual([session.in_flight for session in exchange], [1, 1])
        self.assertEqual(exchange.next_deadline, exchange.timeout)
