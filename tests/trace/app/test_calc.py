"""The calculator protocol in streams of all shapes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.header import FOREVER, MAX_BODY, encode_packet
from netlab.trace.app.application import Room
from netlab.trace.app.calc_bodies import NO_ROOM, Bodies
from netlab.trace.app.span import SpanBuilder
from tests.trace.app.messages import NOW, request, response
from tests.trace.app.talking import BEGAN, CLIENT, SERVER, Line, only, talk

ASKED = request("1 + 2")
ANSWERED = response(ASKED)
SECOND = 1_000_000_000


class ExchangeTests(SynchronousTestCase):
    """Requests with their responses."""

    def test_any_port(self) -> None:
        """The protocol is recognised by its bytes, whatever the ports are."""
        application = only(talk((CLIENT, ASKED), (SERVER, ANSWERED), port=7))
        self.assertEqual((application.protocol, application.known_by, application.client), ("calc", "content", CLIENT))
        (exchange,) = application.facts.exchanges
        self.assertEqual((exchange.request.expression, exchange.response.result), ("1 + 2", "3"))
        self.assertEqual(exchange.waited, 1_000_000)

    def test_without_the_beginning(self) -> None:
        """Who asks is known from the messages when the handshake was not captured."""
        application = only(Line().say(SERVER, ANSWERED).say(CLIENT, ASKED))
        self.assertEqual(application.client, 1)
        self.assertEqual(len(application.facts.exchanges), 1)

    def test_unreadable_body(self) -> None:
        """A body that is refused is a message with a problem, and the next is read."""
        evil = encode_packet(b"\x80\x04cos\nsystem\n.", timestamp=NOW, request=True)
        first, second = only(talk((CLIENT, evil + ASKED), (SERVER, ANSWERED * 2))).facts.exchanges
        self.assertIn("os", first.request.problem)
        self.assertIsNone(first.request.expression)
        self.assertEqual(second.request.expression, "1 + 2")

    def test_wrong_direction(self) -> None:
        """A response from the client is a fault, and still shown."""
        application = only(talk((CLIENT, ASKED + ANSWERED), (SERVER, ANSWERED)))
        self.assertEqual([fault.kind for fault in application.faults], ["wrong_direction"])
        self.assertIn("response", application.facts.exchanges[1].request.problem)

    def test_status_without_error(self) -> None:
        """A result under an error's status is a contradiction, and said to be one."""
        wrong = ANSWERED[:6] + b"\x01\xf4" + ANSWERED[8:]
        (exchange,) = only(talk((CLIENT, ASKED), (SERVER, wrong))).facts.exchanges
        self.assertIn("has the status 500", exchange.response.problem)


class DamageTests(SynchronousTestCase):
    """What is missing, or cannot be."""

    def test_gap_inside(self) -> None:
        """Bytes missing inside a body cost that message only; the server's answers keep their places."""
        line = Line().open().say(CLIENT, ASKED[:50]).segment(CLIENT, 0x18, ASKED[90:] + ASKED, skip=40)
        application = only(line.say(SERVER, ANSWERED, ANSWERED).close())
        first, second = application.facts.exchanges
        self.assertEqual(first.request.span.missing, 40)
        self.assertIn("40 of its bytes", first.request.problem)
        self.assertEqual(second.request.expression, "1 + 2")
        self.assertEqual(
            [(fault.kind, fault.offset, fault.numbers) for fault in application.faults], [("gap", 50, {"length": 40})]
        )

    def test_gap_at_a_header(self) -> None:
        """Without a header nothing says where the next one is: reading goes on where a packet begins with one."""
        line = Line().open().say(CLIENT, ASKED).segment(CLIENT, 0x18, ASKED[70:], skip=70).say(CLIENT, ASKED)
        application = only(line.say(SERVER, ANSWERED).close())
        self.assertEqual([one.request.expression for one in application.facts.exchanges if one.request], ["1 + 2"] * 2)
        self.assertEqual([fault.kind for fault in application.faults], ["gap", "unread"])

    def test_lost_answer_of_another(self) -> None:
        """After a gap, an answer that came before a request is not that request's."""
        line = Line().open().segment(CLIENT, 0x18, ASKED[20:], skip=20).say(SERVER, ANSWERED)
        exchanges = only(line.say(CLIENT, ASKED).say(SERVER, ANSWERED).close()).facts.exchanges
        self.assertEqual(
            [(one.request is None, one.response is None) for one in exchanges], [(True, False), (False, False)]
        )

    def test_unfinished(self) -> None:
        """A message that the stream ends inside of is a fault with its length."""
        application = only(talk((CLIENT, ASKED + ASKED[:30]), (SERVER, ANSWERED)))
        self.assertEqual(
            [(fault.kind, fault.numbers) for fault in application.faults], [("unfinished", {"length": 30})]
        )

    def test_found_again(self) -> None:
        """After a header that cannot be trusted, a packet that begins with one that can is read."""
        bad = b"\0\0\0\0\0\x0c\xe0\0\0\0\0\0"
        application = only(talk((CLIENT, ASKED), (CLIENT, bad), (CLIENT, b"?"), (CLIENT, ASKED), (SERVER, ANSWERED)))
        self.assertEqual(len(application.facts.exchanges), 2)
        self.assertEqual([fault.kind for fault in application.faults], ["reserved_bits", "unread"])
        self.assertEqual(application.faults[1].numbers, {"length": 13})


class RoomTests(SynchronousTestCase):
    """What all messages together may take."""

    def test_texts(self) -> None:
        """Texts count: where there is no room for them, that is said, and nothing more is read."""
        room = Room(octets=MAX_BODY + 3)
        bodies = Bodies(room)
        self.assertEqual(bodies.request(request("1 + 2")[12:]).expression, "1 + 2")
        another = bodies.request(request("2 + 2")[12:])
        self.assertEqual((another.expression, another.problem), (None, NO_ROOM))
        self.assertEqual(room.left_out, {"bodies": 1})

    def test_messages(self) -> None:
        """Messages beyond the limit are counted."""
        room = Room(messages=2)
        span = SpanBuilder(CLIENT, 0).built()
        self.assertEqual([room.for_message(span) for _ in range(4)], [True, True, False, False])
        self.assertEqual(room.left_out, {"messages": 2})


class FreshnessTests(SynchronousTestCase):
    """The sums of the proxy's rules."""

    def test_sums(self) -> None:
        """Age, and what remains of both limits, at the time the response was seen."""
        asked = request("1 + 2", 30)
        answer = response(asked, NOW - 10, 60)
        (exchange,) = only(talk((CLIENT, asked), (SERVER, answer))).facts.exchanges
        fresh = exchange.freshness
        self.assertEqual(fresh.now, BEGAN + 4_000_000)
        self.assertEqual(fresh.age, 10 * SECOND + 504_000_000)
        self.assertEqual((fresh.kept, fresh.accepted), (60, 30))
        self.assertEqual(fresh.server_remaining, 49 * SECOND + 496_000_000)
        self.assertEqual(fresh.client_remaining, 19 * SECOND + 496_000_000)
        self.assertTrue(fresh.storable)
        self.assertEqual(fresh.older, 10 * SECOND)

    def test_stale(self) -> None:
        """What is too old for the client must not be stored for it."""
        asked = request("1 + 2", 5)
        (exchange,) = only(talk((CLIENT, asked), (SERVER, response(asked, NOW - 10)))).facts.exchanges
        self.assertIsNone(exchange.freshness.kept)
        self.assertLess(exchange.freshness.client_remaining, 0)
        self.assertFalse(exchange.freshness.storable)

    def test_for_ever(self) -> None:
        """Neither side has a limit, and an answer made in the same second is no older than its request."""
        (exchange,) = only(talk((CLIENT, ASKED), (SERVER, ANSWERED))).facts.exchanges
        fresh = exchange.freshness
        self.assertEqual((fresh.server_remaining, fresh.client_remaining, fresh.older), (None, None, 0))
        self.assertEqual(exchange.request.header.max_age, FOREVER)

    def test_clocks_apart(self) -> None:
        """A capture whose clock is ahead of both programs shows no answer out of a cache."""
        asked = request("1 + 2", when=NOW - 100)
        (exchange,) = only(talk((CLIENT, asked), (SERVER, response(asked, NOW - 100)))).facts.exchanges
        self.assertEqual(exchange.freshness.older, 0)
