"""What may be wished for, whose turn it is, and who answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.errors import LocalError
from netlab.icmp.events import Answered, Event, Lost, Target
from netlab.icmp.packet import Family
from netlab.icmp.reachability import Reachability
from netlab.icmp.wishes import Rota, Wishes
from tests.icmp.peers import HOST

TARGET = Target("host", HOST, Family.IPV4)


class WishTests(SynchronousTestCase):
    """Sense and nonsense."""

    def test_sense(self) -> None:
        """Ordinary wishes are granted to everyone, floods to root."""
        for wishes in (Wishes(), Wishes(interval=0.002), Wishes(timeout=30_000), Wishes(deadline=0.0), Wishes(size=0)):
            wishes.check(is_root=False)
        Wishes(interval=0).check(is_root=True)
        self.assertEqual(Wishes(lab=True, size=5).payload_size, 19)

    def test_nonsense(self) -> None:
        """Each is refused with the option's name."""
        nan, inf = float("nan"), float("inf")
        for name, wishes in (
            ("--interval", Wishes(interval=0.001)),
            ("--interval", Wishes(interval=nan)),
            ("--interval", Wishes(interval=-1)),
            ("--timeout", Wishes(timeout=inf)),
            ("--timeout", Wishes(timeout=0)),
            ("--timeout", Wishes(timeout=1e9)),
            ("--timeout 1000 with --interval 0.01", Wishes(interval=0.01, timeout=1_000)),
            ("--deadline", Wishes(deadline=-1)),
            ("--size", Wishes(size=65_508)),
        ):
            error = self.assertRaises(LocalError, wishes.check, is_root=False)
            self.assertIn(name, str(error))


class RotaTests(SynchronousTestCase):
    """Turns."""

    def test_few(self) -> None:
        """Few targets have one turn together."""
        self.assertEqual([Rota.of(count, 1.0) for count in (1, 3, 16)], [Rota(1, 1.0)] * 3)

    @given(st.integers(1, 5_000), st.floats(0.001, 1_000))
    def test_any(self, targets: int, interval: float) -> None:
        """Each target has one turn in each interval, and turns do not come too often."""
        rota = Rota.of(targets, interval)
        self.assertApproximates(rota.groups * rota.period, interval, interval / 1e9)
        self.assertTrue(rota.groups == 1 or rota.period >= 0.001_999)


class ReachabilityTests(SynchronousTestCase):
    """Who answers."""

    def test_changes(self) -> None:
        """Only changes are told: the first answer, three losses in a row, the next answer; late ones change nothing."""
        states = Reachability()
        answered, late, lost = Answered(TARGET, 0, 1), Answered(TARGET, 0, 1, late=True), Lost(TARGET, 0)
        told: list[tuple[int, str]] = []
        events: list[Event] = [answered, answered, lost, lost, answered, lost, lost, lost, lost, late, answered]
        for now, event in enumerate(events):
            change = states.take(event, now)
            if change is not None:
                told.append((now, str(change)))
        self.assertEqual(
            told, [(0, "host answers"), (7, "host does not answer any more"), (10, "host answers again, after 3.0 s")]
        )
        self.assertEqual(states.count(), (1, 1))

    def test_never(self) -> None:
        """A host that never answered is told of once."""
        states = Reachability()
        told = [change for now in range(9) if (change := states.take(Lost(TARGET, now), now))]
        self.assertEqual(list(map(str, told)), ["host does not answer"])
        self.assertEqual(states.count(), (0, 1))
