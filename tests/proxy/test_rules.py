"""Freshness and decisions: against a plain, slow model of protocols.md §1 Proxy rules, and word by word."""

import math

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.header import FOREVER, Header
from netlab.proxy.backoff import Backoff
from netlab.proxy.decide import (
    Decision,
    Forward,
    NotStored,
    cache_status,
    decide,
    decide_storing,
    log_line,
    may_serve_stale,
    may_share,
    why,
)
from netlab.proxy.entry import Entry, key_of
from netlab.proxy.freshness import Clocks, Freshness, Limits, freshness
from tests.calc.cases import tries
from tests.proxy.cases import BEGIN, request, response

max_ages = st.one_of(st.sampled_from([0, 1, 2, 60, FOREVER - 1, FOREVER]), st.integers(0, FOREVER))
statuses = st.sampled_from([200, 299, 400, 404, 499, 500, 503, 599])
seconds = st.one_of(st.integers(-200, 200).map(float), st.floats(-1e5, 1e5, allow_nan=False))


@st.composite
def stories(draw):
    """An answer and the moment at which a request asks for it."""
    stored_at = draw(st.none() | st.integers(0, 100).map(float))
    answer = response(
        timestamp=BEGIN + draw(st.integers(-100, 100)),
        max_age=draw(max_ages),
        cache=draw(st.booleans()),
        status=draw(statuses),
    )
    asked = request(cache=draw(st.booleans()), max_age=draw(max_ages), steps=draw(st.booleans()))
    now = Clocks(BEGIN + draw(seconds), (stored_at or 0.0) + draw(st.integers(0, 200)))
    low = draw(st.sampled_from([0, 0, 1, 30, FOREVER]))
    limits = Limits(low, max(low, draw(st.sampled_from([FOREVER, FOREVER, 10, 60]))))
    return Entry.of(answer, stored_at), Header.decode(asked), now, limits


def model(entry, client_max_age, now, limits):
    """The age and both remainders, written down as one would explain them."""
    ages = [0.0, now.wall - entry.timestamp]
    if entry.stored_at is not None:
        ages.append(now.monotonic - entry.stored_at)
    age = max(ages)
    server = entry.max_age
    if server != 0:
        if server > limits.max_ttl:
            server = limits.max_ttl
        if server < limits.min_ttl:
            server = limits.min_ttl
    left = [math.inf if side == 65_535 else side - age for side in (server, client_max_age)]
    return age, left[0], left[1]


class FreshnessTests(SynchronousTestCase):
    """The sum."""

    @tries(300)
    @given(stories())
    def test_model(self, story):
        """Age, remainders and verdict are the model's."""
        entry, header, now, limits = story
        total = freshness(entry, header.max_age, now, limits)
        age, server, client = model(entry, header.max_age, now, limits)
        self.assertEqual((total.age, total.server_remaining, total.client_remaining), (age, server, client))
        self.assertEqual(total.serves, server > 0 and client > 0)

    @tries(100)
    @given(stories(), st.lists(seconds, max_size=5))
    def test_never_younger(self, story, jumps):
        """However the wall clock jumps, an answer that is here is at least as old as its time here."""
        entry, _, now, limits = story
        entry = evolve(entry, stored_at=0.0)
        for count, jump in enumerate(jumps):
            total = freshness(entry, FOREVER, Clocks(now.wall + jump, float(count)), limits)
            self.assertGreaterEqual(total.age, count)

    def test_edges(self):
        """At the very second of the limit an answer no longer serves; a moment before it does."""
        entry = Entry.of(response(max_age=10), 0.0)
        for elapsed, serves in ((9.999, True), (10.0, False)):
            now = Clocks(BEGIN + elapsed, elapsed)
            self.assertEqual(freshness(entry, FOREVER, now, Limits()).serves, serves)
            self.assertEqual(freshness(Entry.of(response(), 0.0), 10, now, Limits()).serves, serves)

    def test_ban_stays(self):
        """Max-age 0 is a ban, which no --min-ttl lifts."""
        entry = Entry.of(response(max_age=0), 0.0)
        self.assertFalse(freshness(entry, FOREVER, Clocks(BEGIN, 0.0), Limits(min_ttl=60)).serves)


class DecideTests(SynchronousTestCase):
    """What follows from the sum."""

    @tries(300)
    @given(stories(), st.booleans())
    def test_model(self, story, stored):
        """Hit, stale, request, miss and bypass are told apart as the table does."""
        entry, header, now, limits = story
        found = entry if stored else None
        decision = decide(found, header, now, limits)
        _, server, client = model(entry, header.max_age, now, limits)
        if not header.cache:
            expected = Forward.BYPASS
        elif not stored:
            expected = Forward.MISS
        elif server <= 0:
            expected = Forward.STALE
        else:
            expected = None if client > 0 else Forward.REQUEST
        self.assertIs(decision.forward, expected)
        self.assertEqual(decision.hit, expected is None)

    @tries(300)
    @given(stories())
    def test_storing_model(self, story):
        """Stored is what both sides let be stored, and no server error."""
        answer, header, now, limits = story
        decided = decide_storing(Decision(Forward.MISS), header, answer, now, limits)
        _, server, client = model(answer, header.max_age, now, limits)
        said = Header.decode(answer.packet)
        expected = header.cache and said.cache and said.status < 500 and server > 0 and client > 0
        self.assertEqual(decided.stored, expected)
        self.assertEqual(why(decided) is None, expected)

    @tries(300)
    @given(stories())
    def test_sharing_model(self, story):
        """Who waited for another's answer gets it if it may be kept and is no older than this client accepts."""
        answer, header, now, limits = story
        _, server, client = model(answer, header.max_age, now, limits)
        said = Header.decode(answer.packet)
        expected = said.status >= 500 or (said.cache and server > 0 and client > 0)
        self.assertEqual(may_share(answer, header, now, limits), expected)

    @tries(300)
    @given(stories())
    def test_reason_model(self, story):
        """The reason for not storing holds, and a time to live is only told where the times decide."""
        answer, header, now, limits = story
        decided = decide_storing(Decision(Forward.MISS), header, answer, now, limits)
        _, server, client = model(answer, header.max_age, now, limits)
        said = Header.decode(answer.packet)
        holds = {
            None: decided.stored,
            NotStored.REQUEST_FORBIDS: not header.cache,
            NotStored.RESPONSE_FORBIDS: not said.cache,
            NotStored.SERVER_ERROR: said.status >= 500,
            NotStored.RELOAD: header.max_age == 0,
            NotStored.EXPIRED: server <= 0,
            NotStored.TOO_OLD: client <= 0 and server > 0,
        }
        self.assertTrue(holds[decided.not_stored])
        counts = header.cache and said.cache and said.status < 500
        self.assertEqual("ttl=" in cache_status(decided), counts and not math.isinf(server))

    @tries(200)
    @given(stories(), st.integers(0, 100))
    def test_stale_model(self, story, allowed):
        """A stale answer serves for so long past the server's limit, never past the client's."""
        entry, header, now, limits = story
        decision = decide(entry, header, now, limits)
        _, server, client = model(entry, header.max_age, now, limits)
        expected = header.cache and server <= 0 and client > 0 and allowed > 0 and -server < allowed
        self.assertEqual(may_serve_stale(decision, allowed), expected)


class WordTests(SynchronousTestCase):
    """The lines of the deployed proxy and of RFC 9211."""

    def test_lines(self):
        """Every case has its line, to the letter."""
        endless = Freshness(3.0, math.inf, math.inf)
        old = Freshness(12.5, 10.0, math.inf)
        cases = (
            (Decision(None, endless), "Cache hit ,server time remaining: inf, client time remaining: inf", "hit"),
            (
                Decision(None, Freshness(1.25, 10.0, 5.0)),
                "Cache hit ,server time remaining: 8.75, client time remaining: 3.75",
                "hit; ttl=8",
            ),
            (
                Decision(Forward.STALE, old, endless, stored=True),
                "Cache miss, stale response ,server time remaining: -2.50, client time remaining: inf",
                "fwd=stale; stored",
            ),
            (
                Decision(Forward.MISS, None, endless, stored=True),
                "Cache miss, response cached ,server time remaining: inf, client time remaining: inf",
                "fwd=uri-miss; stored",
            ),
            (
                Decision(Forward.BYPASS, None, Freshness(0.5, 0.0, math.inf)),
                "Cache miss, response not cached ,server time remaining: -0.50, client time remaining: inf",
                "fwd=bypass; ttl=-1",
            ),
            (
                Decision(Forward.BYPASS, None, Freshness(0.5, 0.0, math.inf), not_stored=NotStored.REQUEST_FORBIDS),
                "Cache miss, response not cached ,server time remaining: -0.50, client time remaining: inf",
                "fwd=bypass; detail=request-forbids",
            ),
            (
                Decision(Forward.STALE, old, Freshness(0.0, math.inf, math.inf), stale="error", failed="503"),
                ("Cache miss, stale response served (stale-if-error: 503) "
                ",server time remaining: -2.50, client time remaining: inf"),
                "fwd=stale; ttl=-3; detail=stale-if-error",
            ),
            (
                Decision(Forward.MISS, None, endless, collapsed=True, stored=True),
                "Cache miss, response cached ,server time remaining: inf, client time remaining: inf",
                "fwd=uri-miss; stored; collapsed",
            ),
            (
                Decision(Forward.MISS, None, endless, collapsed=False),
                "Cache miss, response not cached ,server time remaining: inf, client time remaining: inf",
                "fwd=uri-miss; collapsed=?0",
            ),
            (Decision(Forward.MISS, failed="x"), "Unexpected server error: x", "fwd=uri-miss; detail=upstream-failed"),
            (
                Decision(Forward.STALE, old, stale="error", failed="gone"),
                ("Cache miss, stale response served (stale-if-error: gone) "
                ",server time remaining: -2.50, client time remaining: inf"),
                "fwd=stale; ttl=-3; detail=stale-if-error",
            ),
            (
                Decision(None, old, stale="revalidate"),
                ("Cache hit, stale response served (stale-while-revalidate) "
                ",server time remaining: -2.50, client time remaining: inf"),
                "hit; ttl=-3; detail=stale-while-revalidate",
            ),
        )  # fmt: skip
        for decision, line, status in cases:
            self.assertEqual(log_line(decision), line)
            self.assertEqual(cache_status(decision), f"netlab-proxy; {status}")

    def test_keys(self):
        """S and the body make the key; time stamp, max-age, C and padding do not."""
        self.assertEqual(key_of(request(b"{1}")), b"-{1}")
        self.assertEqual(key_of(request(b"{1}", steps=True)), b"S{1}")
        self.assertEqual(key_of(request(b"{1}", timestamp=99, max_age=3, cache=False)), b"-{1}")


class BackoffTests(SynchronousTestCase):
    """Pauses."""

    @tries(100)
    @given(st.integers(1, 10_000), st.floats(0, 1))
    def test_bounds(self, failures, chance):
        """Never shorter than half the first pause, never longer than the longest; chance only shortens."""
        backoff = Backoff()
        pause = backoff.after(failures, chance)
        self.assertTrue(backoff.first / 2 <= pause <= backoff.longest)
        self.assertLessEqual(pause, backoff.after(failures, 0.0))
        self.assertLessEqual(backoff.after(failures, 0.0), backoff.after(failures + 1, 0.0))
