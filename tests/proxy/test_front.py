"""Hits that need no thought: the same answers as with it, however many keys there are, and never one that is gone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.header import Header
from netlab.proxy.decide import decide
from netlab.proxy.entry import Entry, key_of
from netlab.proxy.freshness import Clocks, Limits
from netlab.proxy.front import Front
from netlab.proxy.stores.memory import Bounds, MemoryStore
from tests.calc.cases import tries
from tests.proxy.cases import Stage, request, response
from tests.proxy.test_rules import max_ages, stories

#: More than a table beside the memory used to hold.
MANY = 5_000


class FrontTests(SynchronousTestCase):
    """`Front` over a memory."""

    @tries(300)
    @given(stories(), max_ages, st.booleans(), st.booleans(), st.sampled_from([0, 0, 200]))
    def test_as_decided(
        self,
        story: tuple[Entry, Header, Clocks, Limits],
        max_age: int,
        cache: bool,
        steps: bool,
        status: int,
    ) -> None:
        """It gives the stored answer exactly where the rules say hit, and to nothing that is no request."""
        entry, _, now, limits = story
        frame = request(max_age=max_age, cache=cache, steps=steps, status=status)
        store = MemoryStore(Bounds())
        store.put(key_of(frame), entry)
        hit = decide(entry, Header.decode(frame), now, limits).hit and not status
        found = Front(store, limits).get(frame, now.wall, now.monotonic)
        self.assertIs(found, store.get(key_of(frame)) if hit else None)

    def test_response_is_no_request(self) -> None:
        """A response whose body is a known question's is not answered."""
        store = MemoryStore(Bounds())
        store.put(key_of(request()), Entry.of(response(), 0.0))
        self.assertIsNone(Front(store, Limits()).get(response(b"{1}"), 0.0, 0.0))

    def test_keys_apart(self) -> None:
        """Another body, or another S, is another question."""
        store = MemoryStore(Bounds())
        store.put(key_of(request(b"{1}")), Entry.of(response(), 0.0))
        for other in (request(b"{2}"), request(b"{1}", steps=True)):
            self.assertIsNone(Front(store, Limits()).get(other, 0.0, 0.0))

    def test_is_use(self) -> None:
        """What it gives is the most recently used from then on."""
        store = MemoryStore(Bounds(max_entries=2))
        for body in (b"{1}", b"{2}"):
            store.put(key_of(request(body)), Entry.of(response(), 0.0))
        self.assertIsNotNone(Front(store, Limits()).get(request(b"{1}"), 0.0, 0.0))
        store.put(key_of(request(b"{3}")), Entry.of(response(), 0.0))
        self.assertEqual([key for key, _ in store], [b"-{1}", b"-{3}"])


class ManyTests(SynchronousTestCase):
    """A whole proxy without sockets."""

    def filled(self, count: int, body: bytes = b"") -> Stage:
        """A proxy that has stored so many answers."""
        stage = Stage()
        for number in range(count):
            stage.ask(request(b"{%d}" % number + body))
            stage.lines[0].answer(response(b"{%d" % number))
        return stage

    def test_many_keys(self) -> None:
        """Thousands of keys in rotation: each hit is the stored answer itself, and the cache's rules are not asked."""
        stage = self.filled(MANY)
        self.patch(stage.factory._cache, "answer", None)
        protocol, _ = stage.client()
        held = dict(stage.store.memory)
        for number in [*range(MANY), *range(MANY)]:
            frame = request(b"{%d}" % number)
            self.assertIs(stage.factory.reply(protocol, frame), held[key_of(frame)])

    def test_removed(self) -> None:
        """What the store has lost is asked for again."""
        stage = self.filled(1)
        self.successResultOf(stage.store.clear())
        stage.ask(request(b"{0}"))
        self.assertEqual(stage.lines[0].protocol.in_flight, 1)

    def test_noted(self) -> None:
        """A hit's record has the key, both lengths, the status and the sum, though no answer is kept for it."""
        stage = self.filled(1, b"x" * 100)
        stage.pass_time(3.0)
        stage.ask(request(b"{0}" + b"x" * 100, max_age=10))
        *_, record = stage.factory.journal.recent()
        self.assertEqual(record.key, b"-{0}" + b"x" * 100)
        self.assertEqual((record.request_length, record.response_length, record.status), (115, 14, 200))
        total = record.decision.freshness
        self.assertTrue(record.decision.hit)
        self.assertIsNotNone(total)
        assert total is not None
        self.assertEqual((total.age, total.client_limit), (3.0, 10.0))
