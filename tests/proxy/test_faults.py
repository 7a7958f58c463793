"""What can go wrong between clients and upstreams, on string transports and a clock: every row of the proxy's table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import json_body
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.header import SERVER_ERROR, Header
from netlab.proxy.decide import StaleRules, log_line
from netlab.proxy.entry import key_of
from netlab.proxy.errors import REFUSED, Stopping, UpstreamError
from netlab.proxy.explain import decision_facts
from netlab.proxy.freshness import Limits
from netlab.proxy.stores.memory import Bounds
from netlab.proxy.stores.packing import digest_of
from netlab.proxy.upstream import UpstreamLimits
from tests.calc.cases import mutated, tries
from tests.calc.test_connection import packets
from tests.proxy.cases import BEGIN, Stage, request, response


def message(data: bytes) -> str:
    """What a 500 says, in the codec of its request."""
    ((header, body),) = packets(data)
    assert header.status == SERVER_ERROR, header
    read = json_body.read_answer if body[:1] == b"{" else read_answer
    return read(body).message.removeprefix("Internal proxy error: ")


class FlightTests(SynchronousTestCase):
    """Many who want the same."""

    def test_one_for_all(self):
        """Twenty misses are one upstream request, and all are answered in the turn of its answer."""
        stage = Stage()
        clients = [stage.ask(request(timestamp=number)) for number in range(20)]
        self.assertEqual(stage.lines[0].received(), request(timestamp=0))
        self.assertEqual(len(stage.lines), 1)
        stage.lines[0].answer(response())
        self.assertEqual({client.value() for client in clients}, {response()})
        self.assertEqual(stage.said(), ["fwd=uri-miss; stored"] + ["fwd=uri-miss; stored; collapsed"] * 19)

    def test_leaving(self):
        """Whoever leaves, be it the one for whom the flight began, the others get their answer, and it is stored."""
        stage = Stage()
        (first, gone), (second, there) = stage.client(), stage.client()
        for protocol in (first, second):
            protocol.dataReceived(request())
        gone.loseConnection()
        stage.lines[0].answer(response())
        self.assertEqual(there.value(), response())
        self.assertEqual(stage.ask(request()).value(), response())
        self.assertEqual(stage.said()[-1], "hit")

    def test_all_leave(self):
        """With every client gone the answer is stored all the same."""
        stage = Stage()
        stage.ask(request()).loseConnection()
        stage.lines[0].answer(response())
        self.assertEqual(stage.ask(request()).value(), response())

    def test_failure(self):
        """A failed flight fails all of its waiters alike; nothing is stored, and the next flight begins anew."""
        stage = Stage(upstream=UpstreamLimits(answer_timeout=5.0))
        clients = [stage.ask(request()) for _ in range(5)]
        stage.pass_time(5.0)
        told = {message(client.value()) for client in clients}
        self.assertEqual(told, {"the upstream did not answer within 5 s"})
        client = stage.ask(request())
        stage.lines[-1].answer(response())
        self.assertEqual(client.value(), response())

    def test_server_errors(self):
        """A 5xx is everybody's and nobody's for long: it is shared, and never stored."""
        stage = Stage()
        clients = [stage.ask(request()) for _ in range(3)]
        error = response(b"{no", status=500)
        stage.lines[0].answer(error)
        self.assertEqual({client.value() for client in clients}, {error})
        self.assertEqual(len(stage.store.memory), 0)

    def test_client_errors(self):
        """A 4xx is stored as its C and max-age say."""
        for fields, kept in (({}, 1), ({"cache": False}, 0), ({"max_age": 0}, 0)):
            stage = Stage()
            stage.ask(request())
            stage.lines[0].answer(response(b"{no", status=404, **fields))
            self.assertEqual(len(stage.store.memory), kept)

    def test_not_storable(self):
        """An answer that may not be kept is its own client's; each of the others is asked for again."""
        for fields in ({"cache": False}, {"max_age": 0}):
            stage = Stage()
            clients = [stage.ask(request()) for _ in range(3)]
            stage.lines[0].answer(response(b"{a", **fields))
            self.assertEqual([client.value() != b"" for client in clients], [True, False, False])
            for line in stage.lines:
                if line.protocol.in_flight:
                    line.answer(response(b"{b", **fields))
            self.assertEqual([packets(client.value())[0][1] for client in clients], [b"{a", b"{b", b"{b"])
            self.assertTrue(all("collapsed=?0" in words for words in stage.said()[1:]))

    def test_reload_apart(self):
        """A reload neither joins a flight nor lends its answer to one; nor does a request with C clear."""
        for fields in ({"max_age": 0}, {"cache": False}):
            stage = Stage()
            one, other = stage.ask(request()), stage.ask(request(**fields))
            third = stage.ask(request())
            self.assertEqual(len(stage.lines), 2)
            stage.lines[1].answer(response(b"{new"))
            self.assertEqual((one.value(), third.value()), (b"", b""))
            self.assertEqual(other.value(), response(b"{new"))
            stage.lines[0].answer(response(b"{old"))
            self.assertEqual({one.value(), third.value()}, {response(b"{old")})

    def test_limits_of_each(self):
        """Who begins a flight may accept less than those who join it: the answer is stored as any of them lets it."""
        stage = Stage()
        stage.wall += 5
        strict, lenient = stage.ask(request(max_age=3)), stage.ask(request())
        stage.lines[0].answer(response())
        self.assertEqual((strict.value(), lenient.value()), (response(), response()))
        self.assertEqual(len(stage.store.memory), 1)
        self.assertEqual(stage.said(), ["fwd=uri-miss; detail=request-limit", "fwd=uri-miss; stored; collapsed"])

    def test_too_old_to_share(self):
        """Who waits and accepts only a younger answer than the one that comes is asked for anew."""
        stage = Stage()
        stage.wall += 20
        lenient, strict = stage.ask(request()), stage.ask(request(max_age=5))
        stage.lines[0].answer(response(b"{old"))
        self.assertEqual((lenient.value(), strict.value()), (response(b"{old"), b""))
        young = response(b"{young", timestamp=BEGIN + 20)
        stage.lines[0].answer(young)
        self.assertEqual(strict.value(), young)
        self.assertEqual(stage.said()[1], "fwd=uri-miss; stored; collapsed=?0")

    def test_reasons(self):
        """Where a bit or the status decides, the reason says so, and no sum that counts for nothing is told."""
        for asked, answered, told in (
            ({}, {"cache": False, "max_age": 0}, "fwd=uri-miss; detail=response-forbids"),
            ({}, {"status": 500}, "fwd=uri-miss; detail=server-error"),
            ({"cache": False}, {"max_age": 9}, "fwd=bypass; detail=request-forbids"),
            ({"max_age": 0}, {"max_age": 9}, "fwd=uri-miss; ttl=9; detail=reload"),
            ({}, {"max_age": 0}, "fwd=uri-miss; ttl=0; detail=response-expired"),
        ):
            stage = Stage()
            stage.ask(request(**asked))
            stage.lines[0].answer(response(**answered))
            (record,) = stage.factory.journal.recent()
            self.assertEqual(stage.said(), [told])
            facts = decision_facts(record.decision)
            self.assertRegex(facts["why"], "^not stored: the (request|answer)")
            self.assertEqual(facts["answer"] is None, "ttl" not in told)


class PoolTests(SynchronousTestCase):
    """Connections and upstreams."""

    def test_reused(self):
        """One request after another goes over one connection."""
        stage = Stage()
        for number in range(5):
            stage.ask(request(b"{%d}" % number))
            stage.lines[0].answer(response())
        self.assertEqual(stage.places[0].attempts, 1)

    def test_bounded(self):
        """No more connections than may be, each with one request; the others wait for their turn, in order."""
        stage = Stage(upstream=UpstreamLimits(max_connections=2))
        clients = [stage.ask(request(b"{%d}" % number)) for number in range(6)]
        for number in range(3):
            self.assertEqual(len(stage.lines), 2)
            for line, which in zip(stage.lines, (0, 1), strict=True):
                asked = line.received()
                self.assertEqual(asked, request(b"{%d}" % (2 * number + which)))
                line.answer(response(asked[12:]))
        self.assertEqual([client.value()[12:] for client in clients], [b"{%d}" % number for number in range(6)])

    def test_pipelined(self):
        """With pipelining on, requests leave without waiting; answers come to whom they belong."""
        stage = Stage(upstream=UpstreamLimits(max_connections=1, pipeline=3))
        clients = [stage.ask(request(b"{%d}" % number)) for number in range(4)]
        self.assertEqual(stage.lines[0].received(), b"".join(request(b"{%d}" % number) for number in range(3)))
        stage.lines[0].answer(response(b"{0"), response(b"{1"))
        stage.lines[0].answer(response(b"{2"), response(b"{3"))
        self.assertEqual([client.value()[12:] for client in clients], [b"{0", b"{1", b"{2", b"{3"])

    def test_pipelined_in_vain(self):
        """An upstream that answers one and closes is asked one by one from then on; nobody gets an error."""
        stage = Stage(upstream=UpstreamLimits(max_connections=1, pipeline=4))
        clients = [stage.ask(request(b"{%d}" % number)) for number in range(4)]
        for _ in range(40):
            line = stage.lines[-1]
            asked = line.received()
            if not asked:
                break
            line.answer(response(packets(asked)[0][1]))
            line.close()
        self.assertEqual([client.value()[12:] for client in clients], [b"{%d}" % number for number in range(4)])
        self.assertEqual(stage.pool.state(stage.upstreams[0]), "working")

    def test_idle_drop(self):
        """A connection that was closed while idle, or just as a request left, costs no client an error."""
        stage = Stage()
        stage.ask(request(b"{0}"))
        stage.lines[0].answer(response())
        stage.lines[0].close()
        stage.ask(request(b"{1}"))
        stage.lines[1].answer(response())
        client = stage.ask(request(b"{2}"))
        stage.lines[1].close()
        self.assertEqual(stage.lines[2].received(), request(b"{2}"))
        stage.lines[2].answer(response(b"{two"))
        self.assertEqual(client.value(), response(b"{two"))

    def test_dies_in_the_middle(self):
        """Half an answer: once more elsewhere, then 500; nothing of it is sent or stored."""
        stage = Stage(places=2)
        client = stage.ask(request())
        stage.places[0].lines[0].answer(response()[:-1])
        stage.places[0].lines[0].close()
        self.assertEqual(client.value(), b"")
        stage.places[1].lines[0].answer(response()[:5])
        stage.places[1].lines[0].close()
        self.assertIn("closed the connection before it had answered", message(client.value()))
        self.assertEqual((len(stage.store.memory), stage.places[0].attempts, stage.places[1].attempts), (0, 1, 1))

    def test_refused(self):
        """Refused by all: the deployed proxy's words, 170 bytes in pickle."""
        stage = Stage(places=2)
        for place in stage.places:
            place.accepts = False
        client = stage.ask(request(b"\x80\x04N."))
        self.assertEqual((message(client.value()), len(client.value())), (REFUSED, 170))
        self.assertEqual([place.attempts for place in stage.places], [1, 1])
        self.assertEqual(stage.said(), ["fwd=uri-miss; detail=upstream-failed"])

    def test_connects_never(self):
        """A connection that does not come about is given up after its time, and the next upstream is tried."""
        stage = Stage(places=2, upstream=UpstreamLimits(connect_timeout=2.0))
        stage.places[0].accepts = None
        client = stage.ask(request())
        stage.pass_time(2.0)
        stage.places[1].lines[0].answer(response())
        self.assertEqual(client.value(), response())

    def test_hits_meanwhile(self):
        """While an upstream is silent hits are answered at once, and the silent one's clients in the end."""
        stage = Stage(upstream=UpstreamLimits(answer_timeout=4.0))
        stage.ask(request(b"{0}"))
        stage.lines[0].answer(response())
        waiting = stage.ask(request(b"{1}"))
        self.assertEqual(stage.ask(request(b"{0}")).value(), response())
        self.assertEqual(waiting.value(), b"")
        stage.pass_time(4.0)
        self.assertIn("did not answer within 4 s", message(waiting.value()))
        self.assertTrue(stage.lines[0].transport.aborted)

    def test_left_alone(self):
        """A failed upstream is left alone, longer each time; when its time is up one request tries it."""
        stage = Stage(places=2)
        bad, good = stage.places
        bad.accepts = False

        def ask(number: int) -> int:
            client = stage.ask(request(b"{%d}" % number))
            for line in good.lines:
                if line.protocol.in_flight:
                    line.answer(response())
            self.assertEqual(client.value(), response())
            return bad.attempts

        self.assertEqual([ask(number) for number in range(3)], [1, 1, 1])
        for pause, attempts in ((1.0, 2), (1.0, 2), (1.0, 3), (3.9, 3), (0.1, 4)):
            stage.pass_time(pause)
            self.assertEqual(ask(stage.clock.seconds() * 10 + 100), attempts)
        bad.accepts = True
        stage.pass_time(8.0)
        client = stage.ask(request(b"back"))
        bad.lines[0].answer(response())
        self.assertEqual(client.value(), response())
        self.assertEqual(stage.pool.state(stage.upstreams[0]), "working")

    def test_one_failure(self):
        """Requests that fail together are one failure, however many they are."""
        stage = Stage(upstream=UpstreamLimits(answer_timeout=1.0))
        for number in range(8):
            stage.ask(request(b"{%d}" % number))
        stage.pass_time(1.0)
        self.assertIn("tried again in 1.0 s", stage.pool.state(stage.upstreams[0]))

    def test_alone_but_tried(self):
        """A sole upstream is tried however often it failed: the client has nothing to lose."""
        stage = Stage()
        stage.places[0].accepts = False
        for number in range(3):
            stage.ask(request(b"{%d}" % number))
        stage.places[0].accepts = True
        client = stage.ask(request())
        stage.lines[0].answer(response())
        self.assertEqual(client.value(), response())

    def test_too_many(self):
        """As many requests wait as may; the next one is told so at once, and nobody counts it as a failure."""
        stage = Stage(upstream=UpstreamLimits(max_connections=1, max_waiting=2))
        clients = [stage.ask(request(b"{%d}" % number)) for number in range(4)]
        self.assertIn("2 requests wait for a connection", message(clients[3].value()))
        self.assertEqual(stage.pool.state(stage.upstreams[0]), "working")

    def test_stopping(self):
        """Stopping ends what is in flight, what waits and what connects; nothing is begun any more."""
        stage = Stage(places=2, upstream=UpstreamLimits(max_connections=1, pipeline=2))
        stage.places[1].accepts = None
        clients = [stage.ask(request(b"{%d}" % number)) for number in range(8)]
        stopping: Deferred[None] = stage.pool.stop()
        self.successResultOf(stopping)
        self.assertEqual({message(client.value()) for client in clients}, {"the proxy stops"})
        self.failureResultOf(stage.pool.ask(request()), Stopping)
        self.assertEqual((stage.places[0].attempts, stage.places[1].attempts), (1, 1))
        self.assertEqual([call for call in stage.clock.getDelayedCalls() if call.active()][1:], [])


class HostileTests(SynchronousTestCase):
    """Bytes that no peer may send."""

    def test_no_answers(self):
        """What is no answer ends its connection and is 500 for that client; others go on."""
        foreign = response(b""), response(b"", status=404), response(b"\x80\x04N."), response(b"one")
        for wrong in (
            request(),
            response(status=0),
            response(status=1000),
            bytes(12),
            b"HTTP/1.1 200 OK\r\n\r\n",
            *foreign,
        ):
            stage = Stage()
            client, other = stage.ask(request(b"{0}")), stage.ask(request(b"{1}"))
            stage.lines[0].answer(wrong)
            self.assertIn("the upstream sent no answer", message(client.value()))
            self.assertTrue(stage.lines[0].transport.aborted)
            stage.lines[1].answer(response())
            self.assertEqual(other.value(), response())
            self.assertEqual(len(stage.store.memory), 1)

    def test_codecs(self):
        """A pickle client never gets JSON, nor a JSON client a pickle, whatever the upstream says; 4xx included."""
        pickled, text = b"\x80\x04N.", b"{}"
        for asked, answered in ((pickled, text), (text, pickled)):
            for status in (200, 400, 500):
                stage = Stage()
                client, joined = stage.ask(request(asked)), stage.ask(request(asked))
                stage.lines[0].answer(response(answered, status=status))
                self.assertIn("not the codec of its request", message(client.value()))
                self.assertEqual(client.value()[12:13], asked[:1])
                self.assertEqual(joined.value(), client.value())
                self.assertEqual(len(stage.store.memory), 0)
                client = stage.ask(request(asked))
                stage.lines[-1].answer(response(asked))
                self.assertEqual(client.value(), response(asked))

    def test_too_much(self):
        """With more in one piece than was asked for nothing in it is trusted: 500, not stored, told and counted."""
        for extra in (response(b"{unasked"), response()[:5], b"x", b"x" * 70_000):
            stage = Stage()
            client = stage.ask(request(b"{0}"))
            stage.lines[0].answer(response(b"{asked"), extra)
            self.assertEqual(message(client.value()), "the upstream sent more than it was asked for")
            self.assertTrue(stage.lines[0].transport.aborted)
            self.assertEqual(len(stage.store.memory), 0)
            self.assertIn("more than it was asked for", stage.pool.state(stage.upstreams[0]))
            stage.ask(request(b"{1}"))
            self.assertEqual(len(stage.lines), 2)

    def test_too_much_pipelined(self):
        """Three answers to two requests: nobody can say whose they are, so the first fails, the other is asked anew."""
        stage = Stage(upstream=UpstreamLimits(max_connections=1, pipeline=2))
        clients = [stage.ask(request(b"{%d}" % number)) for number in range(2)]
        stage.lines[0].answer(response(b"{?"), response(b"{0"), response(b"{1"))
        self.assertIn("more than it was asked for", message(clients[0].value()))
        self.assertEqual(stage.lines[1].received(), request(b"{1}"))
        stage.lines[1].answer(response(b"{1"))
        self.assertEqual(clients[1].value(), response(b"{1"))
        self.assertEqual(len(stage.store.memory), 1)

    def test_too_much_later(self):
        """What comes when nobody waits ends the connection, is told once, and counts as a failure."""
        for extra in (response(b"{unasked"), b"x", b"x" * 70_000):
            stage = Stage()
            told: list[str] = []
            stage.pool.log = Logger(observer=lambda event, told=told: told.append(formatEvent(event)))
            client = stage.ask(request(b"{0}"))
            stage.lines[0].answer(response(b"{asked"))
            for _ in range(3):
                stage.lines[0].answer(extra)
            self.assertEqual(client.value(), response(b"{asked"))
            self.assertTrue(stage.lines[0].transport.aborted)
            self.assertEqual(told, ["Upstream up0 failed: the upstream sent more than it was asked for"])
            self.assertIn("tried again in 1.0 s", stage.pool.state(stage.upstreams[0]))
            self.assertEqual(stage.upstreams[0].connections, 0)

    def test_wrong_behind_good(self):
        """Of two pipelined, the good answer before a wrong one is given; the one behind is asked for elsewhere."""
        stage = Stage(upstream=UpstreamLimits(max_connections=1, pipeline=3))
        clients = [stage.ask(request(b"{%d}" % number)) for number in range(3)]
        stage.lines[0].answer(response(b"{0"), request(b"wrong"))
        self.assertEqual(clients[0].value(), response(b"{0"))
        self.assertIn("no answer", message(clients[1].value()))
        self.assertEqual(stage.lines[1].received(), request(b"{2}"))
        stage.lines[1].answer(response(b"{2"))
        self.assertEqual(clients[2].value(), response(b"{2"))

    @tries(100)
    @given(st.lists(mutated([response(), response() + request(), response(b"{x" * 300) * 2]), min_size=1, max_size=4))
    def test_any_bytes_from_upstream(self, pieces):
        """Whatever an upstream says, the client gets one whole packet: the upstream's, or our 500."""
        stage = Stage(upstream=UpstreamLimits(answer_timeout=1.0))
        client = stage.ask(request())
        for piece in pieces:
            if not stage.lines[0].protocol.ended:
                stage.lines[0].answer(piece)
        for _ in range(3):
            for line in stage.lines:
                if not line.protocol.ended:
                    line.close()
        stage.pass_time(3.0)
        ((header, body),) = packets(client.value())
        self.assertEqual(header.length, 12 + len(body))
        self.assertFalse(header.request)
        for _, entry in stage.store.memory:
            self.assertEqual(entry.packet, client.value())

    @tries(100)
    @given(
        st.lists(mutated([request(), request(steps=True) + request(cache=False), response(), b"junk" * 9]), max_size=5)
    )
    def test_any_bytes_from_client(self, pieces):
        """Whatever a client says, it gets whole packets, and the next client is served."""
        stage = Stage()
        protocol, transport = stage.client()
        for piece in pieces:
            if transport.connected:
                protocol.dataReceived(piece)
            for line in stage.lines:
                if line.protocol.in_flight and not line.protocol.ended:
                    line.answer(*[response() for _ in range(line.protocol.in_flight)])
        packets(transport.value())
        client = stage.ask(request(b"after"))
        next(line for line in stage.lines if line.protocol.in_flight).answer(response(b"{fine"))
        self.assertEqual(client.value(), response(b"{fine"))
        self.assertFalse(self.flushLoggedErrors())


class CacheTests(SynchronousTestCase):
    """What is stored, for how long, and how it serves."""

    def kept(self, stage: Stage, **fields: int) -> None:
        """Have an answer stored."""
        stage.ask(request())
        stage.lines[-1].answer(response(timestamp=int(stage.wall), **fields))

    def test_clock_jumps(self):
        """The wall clock set back does not keep an answer alive; set forward, it ends it."""
        for jump, asked in ((-1000.0, False), (1000.0, True)):
            stage = Stage()
            self.kept(stage, max_age=10)
            stage.wall += jump
            stage.ask(request())
            self.assertEqual(bool(stage.lines[0].protocol.in_flight), asked)
        stage = Stage()
        self.kept(stage, max_age=10)
        stage.clock.advance(10)
        stage.ask(request())
        self.assertEqual(stage.lines[0].protocol.in_flight, 1)

    def test_same_bytes(self):
        """Hits have the stored bytes, by way of the front and by way of the store."""
        stage = Stage()
        self.kept(stage, max_age=60)
        for fields in ({}, {"max_age": 50}, {"timestamp": 3}, {"max_age": 50}):
            self.assertEqual(stage.ask(request(**fields)).value(), response(max_age=60))
        self.assertEqual(stage.places[0].attempts, 1)
        self.assertEqual(stage.said()[1:], ["hit; ttl=60"] * 4)

    def test_stale_on_error(self):
        """An expired answer serves within the window when upstreams fail or answer 5xx; not for who wants fresher."""
        stage = Stage(stale=StaleRules(if_error=20.0))
        self.kept(stage, max_age=10)
        stage.pass_time(15.0)
        stage.lines[0].close()
        stage.places[0].accepts = False
        self.assertEqual(stage.ask(request()).value(), response(max_age=10))
        self.assertEqual(stage.said()[-1], "fwd=stale; ttl=-5; detail=stale-if-error")
        self.assertEqual(message(stage.ask(request(max_age=12)).value()), REFUSED)
        stage.places[0].accepts = True
        client = stage.ask(request())
        stage.lines[-1].answer(response(status=503))
        self.assertEqual(client.value(), response(max_age=10))
        self.assertEqual(stage.said()[-1], "fwd=stale; ttl=-5; detail=stale-if-error")
        stage.pass_time(15.0)
        client = stage.ask(request())
        stage.lines[-1].answer(response(status=503))
        self.assertEqual(client.value(), response(status=503))

    def test_while_revalidating(self):
        """An expired answer serves at once while one request fetches a new one, which then serves."""
        stage = Stage(stale=StaleRules(while_revalidate=20.0))
        self.kept(stage, max_age=10)
        stage.pass_time(12.0)
        told: list[str] = []
        stage.factory.log = Logger(observer=lambda event: told.append(formatEvent(event)))
        for _ in range(3):
            self.assertEqual(stage.ask(request()).value(), response(max_age=10))
        self.assertEqual(stage.lines[0].protocol.in_flight, 1)
        fresh = response(b"{new", timestamp=BEGIN + 12, max_age=10)
        stage.lines[0].answer(fresh)
        self.assertEqual(stage.ask(request()).value(), fresh)
        stale, renewed = "hit; ttl=-2; detail=stale-while-revalidate", "fwd=stale; stored; ttl=10; detail=revalidation"
        self.assertEqual(stage.said()[1:], [stale, stale, stale, renewed, "hit; ttl=10"])
        self.assertEqual(stage.factory.journal.counts()["revalidation"], 1)
        line = "{revalidation} Cache miss, stale response ,server time remaining: -2.00, client time remaining: inf"
        self.assertEqual([text for text in told if text.startswith("{revalidation}")], [line])

    def test_revalidates_once(self):
        """However many stale hits, one request is on its way; nobody asks again for an answer that may not be kept."""
        stage = Stage(stale=StaleRules(while_revalidate=20.0), upstream=UpstreamLimits(max_connections=1))
        self.kept(stage, max_age=10)
        stage.pass_time(12.0)
        for _ in range(100):
            self.assertEqual(stage.ask(request()).value(), response(max_age=10))
        self.assertEqual(stage.upstreams[0].busy, 1)
        self.assertEqual(stage.lines[0].received(), request() * 2)
        stage.lines[0].answer(response(b"{mine", cache=False))
        self.assertEqual((stage.upstreams[0].busy, stage.lines[0].received()), (0, b""))
        self.assertEqual(stage.said()[-1], "fwd=stale; detail=response-forbids")
        stage.ask(request())
        self.assertEqual(stage.lines[0].received(), request())

    def test_said_to_be_stored(self):
        """What the store did not take is not said to be stored."""
        for bounds in (Bounds(max_entries=0), Bounds(max_bytes=0), Bounds(max_bytes=600)):
            stage = Stage(bounds=bounds)
            clients = [stage.ask(request()) for _ in range(2)]
            stage.lines[0].answer(response(b"{" + b"x" * 600))
            self.assertEqual({client.value() for client in clients}, {response(b"{" + b"x" * 600)})
            told = "fwd=uri-miss; {}detail=no-room"
            self.assertEqual(stage.said(), [told.format(""), told.format("collapsed; ")])
            lines = [log_line(record.decision) for record in stage.factory.journal.recent()]
            self.assertTrue(all(line.startswith("Cache miss, response not cached ") for line in lines))
            self.assertEqual(stage.factory.journal.counts(), {"fwd=uri-miss": 2, "collapsed": 1})

    def test_purged_meanwhile(self):
        """A purge reaches the answers that are on their way: they are sent and not stored; others are."""
        key = key_of(request(b"{1}"))
        for purge in (lambda store: store.remove(key), lambda store: store.clear()):
            stage = Stage()
            clients = [stage.ask(request(b"{1}")) for _ in range(2)]
            finding = stage.store.find(digest_of(key).hex(), 10)
            stage.clock.advance(0)
            self.assertEqual(self.successResultOf(finding), [key])
            self.successResultOf(purge(stage.store))
            stage.lines[0].answer(response())
            self.assertEqual({client.value() for client in clients}, {response()})
            self.assertEqual(stage.said(), ["fwd=uri-miss; detail=purged", "fwd=uri-miss; collapsed; detail=purged"])
            self.assertEqual(len(stage.store.memory), 0)
            stage.ask(request(b"{1}"))
            self.successResultOf(stage.store.remove(key_of(request(b"{2}"))))
            stage.lines[0].answer(response())
            self.assertEqual(len(stage.store.memory), 1)

    def test_purged_is_not_stale(self):
        """What was purged while an upstream was asked does not serve in the place of its error."""
        stage = Stage(stale=StaleRules(if_error=20.0))
        self.kept(stage, max_age=10)
        stage.pass_time(15.0)
        client = stage.ask(request())
        self.successResultOf(stage.store.clear())
        stage.lines[0].answer(response(status=503))
        self.assertEqual(client.value(), response(status=503))

    def test_revalidation_fails(self):
        """A failed one is nobody's error; after the window the client hears of it."""
        stage = Stage(stale=StaleRules(while_revalidate=20.0))
        self.kept(stage, max_age=10)
        stage.lines[0].close()
        stage.places[0].accepts = False
        stage.pass_time(12.0)
        self.assertEqual(stage.ask(request()).value(), response(max_age=10))
        stage.pass_time(20.0)
        self.assertEqual(message(stage.ask(request()).value()), REFUSED)

    def test_limits(self):
        """The owner's limits win over what servers say."""
        stage = Stage(limits=Limits(max_ttl=5))
        self.kept(stage)
        stage.pass_time(5.0)
        stage.ask(request())
        self.assertEqual(stage.lines[0].protocol.in_flight, 1)

    def test_bounds(self):
        """Ten thousand keys leave no more than the bound."""
        stage = Stage(bounds=Bounds(max_entries=50), upstream=UpstreamLimits(max_connections=1))
        protocol, transport = stage.client()
        for number in range(10_000):
            protocol.dataReceived(request(b"{%d}" % number))
            stage.lines[0].answer(response())
            if transport.producer:  # it was held, as one who does not read
                transport.producer.resumeProducing()
        self.assertEqual(len(transport.value()), 10_000 * len(response()))
        self.assertEqual(len(stage.store.memory), 50)

    def test_errors_are_ours(self):
        """What the pool fails with is always an `UpstreamError`."""
        stage = Stage(upstream=UpstreamLimits(answer_timeout=1.0))
        asking = stage.pool.ask(request())
        stage.pass_time(1.0)
        self.failureResultOf(asking, UpstreamError)

    def test_bad_request(self):
        """A packet that is no request is refused here; no upstream hears of it."""
        stage = Stage()
        client = stage.ask(response() + request(status=200))
        self.assertEqual([header.status for header, _ in packets(client.value())], [400, 400])
        self.assertEqual(stage.places[0].attempts, 0)
        self.assertEqual(Header.decode(client.value()).max_age, 0)
