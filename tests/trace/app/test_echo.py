"""ICMP echoes: pairs, losses, and errors."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.app.echo import Echo, Echoes, EchoSession
from netlab.trace.icmp import read_icmp
from tests.trace.frames import A, B, ipv4

SECOND = 1_000_000_000


def echo(kind: int, sequence: int, identifier: int = 1, data: bytes = b"This is the ping.\n\0") -> bytes:
    """An echo request (8) or reply (0)."""
    words = struct.unpack("!HHH", struct.pack("!BBHH", kind, 0, identifier, sequence))
    words += struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBHHH", kind, 0, ~(total + (total >> 16)) & 0xFFFF, identifier, sequence) + data


def sessions(*messages: tuple[float, str, str, bytes], now: float = 100) -> tuple[EchoSession, ...]:
    """The sessions of messages: seconds, source, destination, bytes."""
    echoes = Echoes()
    for frame, (time, source, destination, data) in enumerate(messages, 1):
        message = read_icmp(4, data, 0, len(data), len(data))
        echoes.message(frame, int(time * SECOND), source, destination, message)
    return echoes.facts(int(now * SECOND))


def echoes(*messages: tuple[float, str, str, bytes], now: float = 100) -> tuple[Echo, ...]:
    """The echoes of a single session."""
    (session,) = sessions(*messages, now=now)
    return session.echoes


class EchoTests(SynchronousTestCase):
    """Requests and replies."""

    def test_pairs(self) -> None:
        """Replies out of order find their requests."""
        first, second = echoes(
            (1, A, B, echo(8, 0)), (1.5, A, B, echo(8, 1)), (1.6, B, A, echo(0, 1)), (1.7, B, A, echo(0, 0))
        )
        self.assertEqual((first.request, first.reply, first.rtt), (1, 4, 700_000_000))
        self.assertEqual((second.request, second.reply, second.same_data, second.length), (2, 3, True, 19))

    def test_identifiers(self) -> None:
        """Two programs, and two directions, are sessions of their own."""
        found = sessions((1, A, B, echo(8, 0, 1)), (1, A, B, echo(8, 0, 2)), (1, B, A, echo(8, 0, 1)))
        self.assertEqual([(one.identifier, one.source) for one in found], [(1, A), (2, A), (1, B)])

    def test_lost(self) -> None:
        """Lost if a later one was answered or time enough passed; else nobody can tell."""
        lost, answered, late, open_ = echoes(
            *((second, A, B, echo(8, second)) for second in (1, 2)),
            (2.1, B, A, echo(0, 2)),
            *((second, A, B, echo(8, second)) for second in (3, 5)),
            now=5.5,
        )
        self.assertEqual(
            [one.outcome for one in (lost, answered, late, open_)], ["lost", "answered", "lost", "unanswered"]
        )

    def test_duplicates(self) -> None:
        """A second reply, a repeated request, a reply to nothing, and other data in a reply."""
        first, second = echoes(
            (1, A, B, echo(8, 0)),
            (1.1, A, B, echo(8, 0)),
            (1.2, B, A, echo(0, 0, data=b"else")),
            (1.3, B, A, echo(0, 0)),
            (1.4, B, A, echo(0, 9)),
        )
        self.assertEqual((first.repeats, first.duplicates, first.same_data), ((2,), (4,), False))
        self.assertEqual((second.outcome, second.request, second.reply), ("unasked", None, 5))

    def test_numbers_again(self) -> None:
        """After 65,536 echoes the numbers begin again: that is a new echo."""
        first, second = echoes(
            (1, A, B, echo(8, 0)), (1.1, B, A, echo(0, 0)), (70, A, B, echo(8, 0)), (70.1, B, A, echo(0, 0))
        )
        self.assertEqual((first.reply, second.reply), (2, 4))

    def test_error(self) -> None:
        """An error that quotes a request is its outcome."""
        request = echo(8, 3)
        quoted = struct.pack("!BBHI", 3, 1, 0, 0) + ipv4(request, 1, A, B)
        (failed,) = echoes((1, A, B, request), (1.5, "10.0.0.9", A, quoted))
        self.assertEqual(failed.outcome, "failed")
        (error,) = failed.errors
        self.assertEqual((error.source, error.type, error.code, error.frame), ("10.0.0.9", 3, 1, 2))

    def test_room(self) -> None:
        """What is beyond the limit is counted, not kept."""
        kept = Echoes(most=1)
        message = read_icmp(4, echo(8, 0), 0, 27, 27)
        for identifier in (A, B, "10.0.0.3"):
            kept.message(1, 1, A, identifier, message)
        self.assertEqual((len(kept.facts(2)), kept.left_out), (1, 2))
