"""Names to addresses, by a resolver of the test's own."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.icmp.errors import UnknownTarget
from netlab.icmp.events import Target
from netlab.icmp.packet import Family
from netlab.icmp.resolving import Resolved, resolve


class Resolver(Clock):
    """A clock and a resolver that gives these addresses, or none, or no answer at all."""

    def __init__(self, *addresses: IPv4Address | IPv6Address, answers: bool = True) -> None:
        super().__init__()
        self.nameResolver = self
        self.asked: list[tuple[str, Any]] = []
        self._addresses = addresses
        self._answers = answers

    def resolveHostName(self, receiver: Any, name: str, port: int, types: Any) -> None:  # noqa: N802 - Twisted's name
        """Tell the receiver."""
        self.asked.append((name, types))
        receiver.resolutionBegan(self)
        for address in self._addresses:
            receiver.addressResolved(address)
        if self._answers:
            receiver.resolutionComplete()


class ResolveTests(SynchronousTestCase):
    """One name."""

    def resolved(self, resolver: Resolver, name: str, family: Family | None = None) -> Deferred[Resolved]:
        """Ask."""
        return Deferred.fromCoroutine(resolve(resolver, name, family))

    def unknown(self, asking: Deferred[Resolved]) -> str:
        """It has none; why."""
        return str(self.failureResultOf(asking, UnknownTarget).value)

    def test_first(self) -> None:
        """The first address counts; its socket's address is for the kernel, scope and all."""
        four, six = IPv4Address("TCP", "192.0.2.1", 0), IPv6Address("TCP", "2001:DB8:0::1", 0)
        found = self.successResultOf(self.resolved(Resolver(four, six), "host"))
        self.assertEqual(found, Resolved(Target("host", "192.0.2.1", Family.IPV4), ("192.0.2.1", 0)))
        found = self.successResultOf(self.resolved(Resolver(six, four), "host"))
        self.assertEqual(found, Resolved(Target("host", "2001:db8::1", Family.IPV6), ("2001:db8::1", 0, 0, 0)))
        found = self.successResultOf(self.resolved(Resolver(IPv6Address("TCP", "fe80::1%lo", 0)), "fe80::1%lo"))
        self.assertEqual((found.target.address, found.socket_address[3]), ("fe80::1", 1))

    def test_family(self) -> None:
        """Only the family that is wished for is asked about."""
        resolver = Resolver(IPv6Address("TCP", "::1", 0))
        self.successResultOf(self.resolved(resolver, "host", Family.IPV6))
        self.assertEqual(resolver.asked, [("host", [IPv6Address])])
        self.assertEqual(
            self.unknown(self.resolved(Resolver(), "host", Family.IPV6)),
            "no IPv6 address for host; check the spelling, or give an address",
        )

    def test_no_answer(self) -> None:
        """A name server that does not answer is not waited for without end."""
        resolver = Resolver(answers=False)
        asking = self.resolved(resolver, "host")
        self.assertNoResult(asking)
        resolver.advance(11)
        self.assertIn("no address for host came within 10 s", self.unknown(asking))
        self.assertEqual(resolver.getDelayedCalls(), [])

    def test_nonsense(self) -> None:
        """What can be no name is not even asked about."""
        for name in ("", " ", "a b", "x" * 254, "a..b", "y" * 64 + ".example", "\u202e", "a\0b", "host\n"):
            resolver = Resolver(answers=False)
            self.assertIn("is no host's name or address", self.unknown(self.resolved(resolver, name)), name)
            self.assertEqual(resolver.asked, [])
        scope = Resolver(IPv6Address("TCP", "fe80::1%nosuchdevice", 0))
        self.assertIn("cannot be pinged", self.unknown(self.resolved(scope, "fe80::1%nosuchdevice")))
