"""Deadlines: each client its own, against a model that does it the plain way."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.trial.unittest import SynchronousTestCase

from netlab.watchdog.liveness import REPRIEVE, Liveness

TIMEOUT = 10.0
KEYS = st.sampled_from("abcde")


class LivenessTests(SynchronousTestCase):
    """One client or two, step by step."""

    def setUp(self) -> None:
        self.liveness: Liveness[str] = Liveness(TIMEOUT)

    def test_deadline(self) -> None:
        """A client expires exactly a time-out after its last sign, and what is known of it is told."""
        self.liveness.connect("a", 0.0)
        self.liveness.hear("a", 1, 1.0)
        self.liveness.hear("a", 3, 4.0)
        self.assertEqual(self.liveness.expired(13.999), [])
        (expired,) = self.liveness.expired(14.0)
        self.assertEqual((expired.key, expired.deadline, expired.reprieved), ("a", 14.0, False))
        life = expired.life
        self.assertEqual((life.connected, life.started, life.last, life.signs), (0.0, 1.0, 4.0, 3))
        self.assertNotIn("a", self.liveness)
        self.assertIsNone(self.liveness.next())

    def test_each_its_own(self) -> None:
        """One client's signs do nothing for another."""
        self.liveness.connect("a", 0.0)
        self.liveness.connect("b", 5.0)
        self.liveness.hear("b", 1, 9.0)
        self.assertEqual([expired.key for expired in self.liveness.expired(10.0)], ["a"])
        self.assertEqual(self.liveness.next(), 19.0)

    def test_never_started(self) -> None:
        """Who connects and says nothing has a deadline, too, and never asked to be watched."""
        self.liveness.connect("a", 0.0)
        (expired,) = self.liveness.expired(10.0)
        self.assertIsNone(expired.life.started)

    def test_reprieve(self) -> None:
        """Whose bytes wait to be read is judged again a moment later, once; a sign in them saves it."""
        for key in ("a", "b"):
            self.liveness.connect(key, 0.0)
            self.liveness.hear(key, 1, 0.0)
        for expired in self.liveness.expired(10.0):
            self.liveness.reprieve(expired, 10.0)
        self.liveness.hear("b", 1, 10.0)
        self.assertEqual(self.liveness.next(), 10.0 + REPRIEVE)
        (expired,) = self.liveness.expired(10.0 + REPRIEVE)
        self.assertEqual((expired.key, expired.deadline, expired.reprieved), ("a", 10.0, True))
        self.assertEqual(self.liveness.next(), 20.0)

    def test_excuse(self) -> None:
        """A whole time-out anew is no sign of life."""
        self.liveness.connect("a", 0.0)
        self.liveness.hear("a", 1, 0.0)
        self.liveness.excuse("a", 9.0)
        self.assertEqual(self.liveness.expired(18.9), [])
        (expired,) = self.liveness.expired(19.0)
        self.assertEqual((expired.life.last, expired.life.signs, expired.deadline), (0.0, 0, 19.0))

    @given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
    def test_earliest_first(self, times: list[float]) -> None:
        """However late it is looked, who should have expired first is told first."""
        for number, time in enumerate(sorted(times)):
            self.liveness.connect(f"{number}{time}", time)
        deadlines = [expired.deadline for expired in self.liveness.expired(1000.0)]
        self.assertEqual(deadlines, sorted(time + TIMEOUT for time in times))


class AgainstModel(RuleBasedStateMachine):
    """Everything that can happen to five clients, beside a dictionary of deadlines."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.liveness: Liveness[str] = Liveness(TIMEOUT)
        self.deadlines: dict[str, float] = {}
        self.reprieved: set[str] = set()

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule(key=KEYS)
    def connect(self, key: str) -> None:
        """A client comes, if it is not here."""
        if key not in self.deadlines:
            self.liveness.connect(key, self.now)
            self.deadlines[key] = self.now + TIMEOUT

    @rule(key=KEYS, excused=st.booleans())
    def hear(self, key: str, excused: bool) -> None:
        """A client who is here speaks, or is excused."""
        if key in self.deadlines:
            if excused:
                self.liveness.excuse(key, self.now)
            else:
                self.liveness.hear(key, 1, self.now)
            self.deadlines[key] = self.now + TIMEOUT
            self.reprieved.discard(key)

    @rule(key=KEYS)
    def drop(self, key: str) -> None:
        """A client goes, or was never here."""
        self.liveness.drop(key)
        self.deadlines.pop(key, None)
        self.reprieved.discard(key)

    @precondition(lambda self: self.deadlines)
    @rule(unread=st.sets(KEYS))
    def look(self, unread: set[str]) -> None:
        """Deadlines are looked at; the bytes of some have not been read."""
        late = {key for key, deadline in self.deadlines.items() if deadline <= self.now}
        found = self.liveness.expired(self.now)
        assert {expired.key for expired in found} == late
        for expired in found:
            assert expired.reprieved == (expired.key in self.reprieved)
            if expired.key in unread and not expired.reprieved:
                self.liveness.reprieve(expired, self.now)
                self.deadlines[expired.key] = self.now + REPRIEVE
                self.reprieved.add(expired.key)
            else:
                del self.deadlines[expired.key]
                self.reprieved.discard(expired.key)

    @invariant()
    def same(self) -> None:
        """The next deadline, and who is here, are the model's."""
        assert self.liveness.next() == min(self.deadlines.values(), default=None)
        assert set(self.liveness.everyone()) == set(self.deadlines)


class AgainstModelTests(AgainstModel.TestCase):  # type: ignore[misc,name-defined]
    """The model agrees whatever happens."""
