"""The fate of requests to one target, with times turned by hand, and against a plain model."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.errors import LocalError
from netlab.icmp.events import Answered, Duplicated, Foreign, Lost, Reported, Target, Unsent, sequence_of
from netlab.icmp.packet import Echo, Family
from netlab.icmp.payload import LAB_DATA, LabPayload, Payload, TokenPayload
from netlab.icmp.session import REMEMBERED, REMEMBERED_TIME, Session
from tests.icmp.peers import HOST, SECOND, SECRET

TARGET = Target("host", HOST, Family.IPV4)
TIMEOUT = 2 * SECOND


def session(payload: Payload | None = None, sent: int = 0) -> Session:
    """A session that has sent so many requests long ago."""
    return Session(TARGET, 7, payload or TokenPayload(SECRET, 56), TIMEOUT, sent)


def echo(of: Session, number: int) -> Echo:
    """The reply to a request."""
    return Echo(of.identifier, sequence_of(number), of.payload.of(number))


def send(of: Session, now: int) -> int:
    """The next request leaves; its number."""
    of.packets(1)
    (request,) = of.begin([now])
    return request.number


class FateTests(SynchronousTestCase):
    """Every way that a request can go."""

    def setUp(self) -> None:
        """One request, sent at 5 s."""
        self.session = session()
        self.assertEqual(send(self.session, 5 * SECOND), 0)

    def counts(self, **expected: int) -> None:
        """These counts are as given, all others 0; and they add up."""
        names = ("received", "late", "lost", "in_flight", "duplicates", "errors", "unsent")
        found = self.session.summary()
        self.assertEqual({name: getattr(found, name) for name in names}, dict.fromkeys(names, 0) | expected)
        self.assertEqual(found.sent, found.received + found.lost + found.in_flight)

    def answer(self, at: float) -> object:
        """A reply comes."""
        return self.session.answer(echo(self.session, 0), int(at * SECOND))

    def test_in_flight(self) -> None:
        """What has neither been answered nor lost is not counted as lost."""
        self.counts(in_flight=1)
        self.assertEqual(self.session.summary().loss, 0.0)

    def test_answered(self) -> None:
        """In time."""
        self.assertEqual(self.answer(5.25), Answered(TARGET, 0, SECOND // 4))
        self.counts(received=1)

    def test_lost(self) -> None:
        """No answer."""
        self.assertEqual(self.session.expire(0), Lost(TARGET, 0))
        self.counts(lost=1)
        self.assertEqual(self.session.summary().loss, 1.0)

    def test_late(self) -> None:
        """Lost, and then answered after all."""
        self.session.expire(0)
        self.assertEqual(self.answer(7.5), Answered(TARGET, 0, 5 * SECOND // 2, late=True))
        self.counts(received=1, late=1)

    def test_late_before_it_was_lost(self) -> None:
        """After its time, though nobody had looked at the clock yet."""
        self.assertEqual(self.answer(7.001), Answered(TARGET, 0, 2_001_000_000, late=True))
        self.counts(received=1, late=1)

    def test_read_late(self) -> None:
        """It came in time by its stamp, and was read after it had been given up: that makes it no late one."""
        self.session.expire(0)
        self.assertEqual(self.answer(6), Answered(TARGET, 0, SECOND))
        self.counts(received=1)

    def test_duplicated(self) -> None:
        """Answered again and again; only the first counts."""
        self.answer(5.5)
        self.assertEqual(self.answer(6), Duplicated(TARGET, 0, SECOND, 1))
        self.assertEqual(self.answer(6), Duplicated(TARGET, 0, SECOND, 2))
        self.counts(received=1, duplicates=2)

    def test_late_and_duplicated(self) -> None:
        """A late reply may come twice as well."""
        self.session.expire(0)
        self.answer(8)
        self.assertEqual(self.answer(9), Duplicated(TARGET, 0, 4 * SECOND, 1))
        self.counts(received=1, late=1, duplicates=1)

    def test_error(self) -> None:
        """A request that an error quotes is lost; what comes after that is as after any loss."""
        report = self.session.report(echo(self.session, 0), "192.0.2.9", "host unreachable", 3, 1)
        self.assertEqual(report, Reported(TARGET, 0, "192.0.2.9", "host unreachable", 3, 1))
        self.counts(lost=1, errors=1)
        self.assertEqual(self.session.in_flight, 0)
        self.answer(6)
        self.counts(received=1, errors=1)

    def test_error_after_the_loss(self) -> None:
        """Address resolution gives up after three seconds; the request is not lost twice."""
        self.session.expire(0)
        self.session.report(echo(self.session, 0), "192.0.2.9", "host unreachable", 3, 1)
        self.counts(lost=1, errors=1)

    def test_unsent(self) -> None:
        """What the system does not send is lost at once."""
        self.assertEqual(self.session.fail(0, "Network is unreachable"), Unsent(TARGET, 0, "Network is unreachable"))
        self.counts(lost=1, unsent=1)

    def test_time_runs_backwards(self) -> None:
        """No time is below zero, whatever a stamp said."""
        self.assertEqual(self.answer(4), Answered(TARGET, 0, 0))


class ForeignTests(SynchronousTestCase):
    """Replies with our identifier that are not ours."""

    def setUp(self) -> None:
        """One request."""
        self.session = session()
        send(self.session, 0)

    def foreign(self, reason: Foreign, sequence: int, payload: bytes) -> None:
        """Refused for this reason, and nothing changed."""
        self.assertEqual(self.session.answer(Echo(7, sequence, payload), SECOND), reason)
        self.assertEqual(self.session.in_flight, 1)

    def test_replies(self) -> None:
        """Never asked for; another token; another number; cut; with something behind it."""
        ours = self.session.payload.of(0)
        self.foreign(Foreign.UNASKED, 1, self.session.payload.of(1))
        self.foreign(Foreign.TOKEN, 0, b"x" + ours[1:])
        self.foreign(Foreign.TOKEN, 0, self.session.payload.of(65_536))
        self.foreign(Foreign.TOKEN, 0, ours + b"x")
        self.foreign(Foreign.TOKEN, 0, TokenPayload(b"another!", 56).of(0))
        self.foreign(Foreign.CUT, 0, ours[:-1])
        self.foreign(Foreign.CUT, 0, b"")

    def test_errors(self) -> None:
        """An error that quotes another token is spoofed; zeros behind a short quote are not (RFC 4884)."""
        ours = self.session.payload.of(0)
        for payload, is_ours in ((b"", True), (ours[:8], True), (ours + b"\0" * 60, True), (b"x" + ours[1:], False)):
            found = self.session.report(Echo(7, 0, payload), HOST, "", 3, 1)
            self.assertEqual(isinstance(found, Reported), is_ours, payload)
        self.assertEqual(self.session.report(Echo(7, 1, b""), HOST, "", 3, 1), Foreign.UNASKED)


class PayloadTests(SynchronousTestCase):
    """What requests carry."""

    def test_sizes(self) -> None:
        """Any size is kept to, and those with room for it have the secret and the number."""
        for size in (0, 1, 7, 8, 15, 16, 17, 56, 300, 65_507):
            payload = TokenPayload(SECRET, size)
            self.assertEqual(len(payload.of(2**40)), size)
            self.assertEqual(payload.of(5)[:16], (SECRET + (5).to_bytes(8, "big"))[:size])

    def test_lab(self) -> None:
        """19 bytes, always the same."""
        self.assertEqual(LabPayload().of(3), b"This is the ping.\n\0")
        self.assertEqual(len(LAB_DATA), 19)


class WrapTests(SynchronousTestCase):
    """Sequence numbers have 16 bits, requests go on."""

    def test_goes_on(self) -> None:
        """200,000 requests, each answered: the statistics are right across every wrap, and little is remembered."""
        ours = session()
        for number in range(200_000):
            self.assertEqual(send(ours, number * 1_000_000), number)
            outcome = ours.answer(echo(ours, number), number * 1_000_000 + 500)
            assert isinstance(outcome, Answered) and outcome.number == number
        found = ours.summary()
        self.assertEqual((found.sent, found.received, found.lost, found.duplicates), (200_000, 200_000, 0, 0))
        self.assertEqual((found.times.min, found.times.max) if found.times else None, (500, 500))
        self.assertLess(len(ours._requests), REMEMBERED + 100)

    def test_old_reply(self) -> None:
        """A reply from before the wrap has a number in it, and so is not taken for today's."""
        ours = session(sent=65_536)
        send(ours, 0)
        self.assertEqual(ours.answer(echo(ours, 0), SECOND), Foreign.TOKEN)
        self.assertIsInstance(ours.answer(echo(ours, 65_536), SECOND), Answered)

    def test_no_number_is_free(self) -> None:
        """With 65,536 in flight no more may be sent, until the oldest is lost."""
        ours = session(LabPayload())
        for _ in range(65_536):
            send(ours, 0)
        self.assertEqual(ours.packets(2), [])
        self.assertRaises(LocalError, ours.begin, [0])
        ours.expire(0)
        self.assertEqual(len(ours.packets(2)), 1)
        self.assertEqual(send(ours, 1), 65_536)

    def test_forgets(self) -> None:
        """What is long over is forgotten by and by, by age and by number, but never what is in flight."""
        ours = session()
        for number in range(3_000):
            send(ours, 0)
            ours.fail(number, "")
        self.assertLess(len(ours._requests), REMEMBERED + 100)
        send(ours, 0)
        for _ in range(200):
            ours.fail(send(ours, REMEMBERED_TIME * 3), "")
        self.assertIn(3_000, ours._requests)
        self.assertEqual(len(ours._requests), 201)


class ModelTests(SynchronousTestCase):
    """Any order of things that happen against a model that remembers everything."""

    @settings(max_examples=200)
    @given(st.lists(st.tuples(st.sampled_from("saaexr"), st.integers(0, 5), st.integers(0, 3 * SECOND)), max_size=60))
    def test_counts(self, steps: list[tuple[str, int, int]]) -> None:
        """Sent is received, lost and in flight; each request is in one of these, and duplicates are the rest."""
        ours, now = session(), 0
        sent_at: list[int] = []
        states: list[str] = []
        duplicates = errors = late = 0
        for step, back, time in steps:
            number = len(states) - 1 - back
            now += time
            if step == "s":
                send(ours, now)
                sent_at.append(now)
                states.append("in flight")
            elif number < 0:
                continue
            elif step == "a":
                duplicates += states[number] == "received"
                late += states[number] != "received" and now - sent_at[number] > TIMEOUT
                states[number] = "received"
                ours.answer(echo(ours, number), now)
            elif step == "x" and states[number] == "in flight":
                states[number] = "lost"
                ours.expire(number)
            elif step == "e":
                errors += 1
                states[number] = "lost" if states[number] == "in flight" else states[number]
                ours.report(echo(ours, number), HOST, "", 3, 1)
        found = ours.summary()
        for name in ("received", "lost", "in_flight"):
            self.assertEqual(getattr(found, name), states.count(name.replace("_", " ")), name)
        self.assertEqual((found.duplicates, found.errors, found.late), (duplicates, errors, late))
