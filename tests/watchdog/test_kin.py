"""Who belongs to whom, from the system's own words."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.watchdog.errors import NotProven
from netlab.watchdog.kin import Identity, Process, eldest, family, parse_stat
from netlab.watchdog.whom import holder, same_user

STAT = "4711 (a (b) c) S 17 4711 4700 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 9876 1 1 1\n"


def process(pid: int, parent: int, *, session: int = 1, born: int = 100, state: str = "S") -> Process:
    return Process(pid, born, parent, session, state, f"p{pid}")


def table(*processes: Process) -> dict[int, Process]:
    return {one.pid: one for one in processes}


class StatTests(SynchronousTestCase):
    """``/proc/PID/stat``."""

    def test_read(self) -> None:
        """A name may hold brackets and blanks."""
        self.assertEqual(parse_stat(STAT), Process(4711, 9876, 17, 4700, "S", "a (b) c"))

    @given(st.text(max_size=80))
    def test_junk(self, text: str) -> None:
        """What is none is refused, and nothing else happens."""
        try:
            parse_stat(text)
        except ValueError:
            return
        self.assertIn(") ", text)

    def test_states(self) -> None:
        """Who waits to be buried does not live."""
        self.assertTrue(process(1, 0, state="T").lives)
        self.assertFalse(process(1, 0, state="Z").lives)


class FamilyTests(SynchronousTestCase):
    """A program and all that it started."""

    def pids(self, everyone: dict[int, Process], *roots: int, spared: tuple[int, ...] = ()) -> list[int]:
        return sorted(identity.pid for identity in family(everyone, [everyone[root] for root in roots], spared))

    def test_descendants(self) -> None:
        """Children and theirs, and nobody else."""
        everyone = table(process(1, 0), process(10, 1), process(11, 10), process(12, 11), process(20, 1))
        self.assertEqual(self.pids(everyone, 10), [10, 11, 12])

    def test_spared(self) -> None:
        """The watchdog that is a child of what it ends stays, with its own children."""
        everyone = table(process(10, 1), process(11, 10), process(12, 11), process(13, 10))
        self.assertEqual(self.pids(everyone, 10, spared=(11,)), [10, 13])

    def test_reused_number(self) -> None:
        """A process that got a number later is another one."""
        before, now = process(10, 1, born=100), process(10, 1, born=900)
        self.assertEqual(family(table(now), [before]), {})

    def test_session(self) -> None:
        """What lost its parent is known by the session that its ancestor led, also when that has ended."""
        root = process(10, 1, session=10)
        orphan, stranger = process(12, 1, session=10, born=105), process(13, 1, session=1)
        self.assertEqual({one.pid for one in family(table(root, orphan, stranger), [root])}, {10, 12})
        self.assertEqual({one.pid for one in family(table(orphan, stranger), [root])}, {12})

    def test_dead(self) -> None:
        """A zombie is not there to be ended, but its children are."""
        everyone = table(process(10, 1, state="Z"), process(11, 10))
        self.assertEqual(self.pids(everyone, 10), [11])

    @given(st.dictionaries(st.integers(1, 12), st.integers(0, 12)), st.integers(1, 12))
    def test_any_tree(self, parents: dict[int, int], root: int) -> None:
        """Whatever the table says, rings included, it ends, and has who reaches the root by parents."""
        everyone = table(*(process(pid, parent, session=99) for pid, parent in parents.items()))

        def reaches(pid: int) -> bool:
            for _ in range(20):
                if pid == root:
                    return True
                pid = parents.get(pid, 0)
            return False

        roots = [everyone[root]] if root in everyone else []
        expected = {pid for pid in parents if root in parents and reaches(pid)}
        self.assertEqual({identity.pid for identity in family(everyone, roots)}, expected)


class WhomTests(SynchronousTestCase):
    """Who may be ended."""

    def setUp(self) -> None:
        self.everyone = table(process(1, 0), process(10, 1), process(11, 10), process(20, 1), process(21, 20))

    def refused(self, pids: set[int], why: str, watchdog: int = 99) -> None:
        error = self.assertRaises(NotProven, holder, self.everyone, pids, watchdog)
        self.assertIn(why, str(error))

    def test_one(self) -> None:
        """The one that has the socket open."""
        self.assertEqual(holder(self.everyone, {11}, 99).pid, 11)

    def test_inherited(self) -> None:
        """Where a process left the socket to its children, it is the process."""
        self.assertEqual(holder(self.everyone, {10, 11}, 99).pid, 10)
        self.assertEqual(eldest(self.everyone, [10, 11]), self.everyone[10])

    def test_shared(self) -> None:
        """Two that did not start one another: which one it is cannot be known."""
        self.refused({11, 21}, "processes 11, 21 share the connection")

    def test_nobody(self) -> None:
        """Another user's, or one that has ended, is none."""
        self.refused(set(), "no process of the watchdog's user")
        self.refused({77}, "none of them started the others")

    def test_never(self) -> None:
        """Itself, and what the system ends with."""
        self.refused({20}, "the watchdog itself", watchdog=20)
        self.refused({20, 21}, "the watchdog itself", watchdog=21)
        self.refused({1}, "process 1")

    def test_users(self) -> None:
        """Two users are two."""
        same_user(1000, 1000)
        self.assertRaises(NotProven, same_user, 1000, 0)

    def test_identities(self) -> None:
        """A number and a birth make one process."""
        self.assertEqual(process(10, 1).identity, Identity(10, 100))
        self.assertNotEqual(process(10, 1).identity, process(10, 1, born=101).identity)
