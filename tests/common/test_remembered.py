"""The bounded memory."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.common.remembered import _OVERHEAD, Remembered
from tests.calc.cases import tries


def room(items: int) -> int:
    """A limit in which that many items of 10 bytes fit."""
    return items * (10 + _OVERHEAD)


class RememberedTests(SynchronousTestCase):
    """Within its limit it knows what was used last."""

    def test_get(self) -> None:
        """What was put is there, and what was not is not."""
        memory: Remembered[str] = Remembered(room(2))
        memory.put(b"a", "one", 10)
        self.assertEqual((memory.get(b"a"), memory.get(b"b"), len(memory)), ("one", None, 1))

    def test_least_recently_used(self) -> None:
        """What was used longest ago goes first; getting is using."""
        memory: Remembered[str] = Remembered(room(2))
        memory.put(b"a", "one", 10)
        memory.put(b"b", "two", 10)
        memory.get(b"a")
        memory.put(b"c", "three", 10)
        self.assertEqual([memory.get(key) for key in (b"a", b"b", b"c")], ["one", None, "three"])

    def test_again(self) -> None:
        """A second value for a key replaces the first and its weight."""
        memory: Remembered[str] = Remembered(room(2))
        for _ in range(5):
            memory.put(b"a", "one", 10)
        memory.put(b"a", "new", 10)
        memory.put(b"b", "two", 10)
        self.assertEqual((memory.get(b"a"), memory.get(b"b"), len(memory)), ("new", "two", 2))

    def test_too_large(self) -> None:
        """What alone would pass the limit is not kept, and throws nothing out."""
        memory: Remembered[str] = Remembered(room(2))
        memory.put(b"a", "one", 10)
        memory.put(b"b", "two", room(2))
        self.assertEqual((memory.get(b"a"), memory.get(b"b")), ("one", None))

    def test_none(self) -> None:
        """A limit of 0 keeps nothing, not even what weighs nothing."""
        memory: Remembered[str] = Remembered(0)
        memory.put(b"", "one", 0)
        self.assertEqual((memory.get(b""), len(memory)), (None, 0))

    @given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"d"]), st.integers(0, 900), st.booleans())))
    @tries(200)
    def test_model(self, uses: list[tuple[bytes, int, bool]]) -> None:
        """It is never over its limit, and agrees with a simple list of uses."""
        limit = 1_500
        memory: Remembered[int] = Remembered(limit)
        model: list[tuple[bytes, int]] = []
        for key, size, put in uses:
            old = next((item for item in model if item[0] == key), None)
            if put and size + _OVERHEAD <= limit:
                model = [item for item in model if item[0] != key] + [(key, size)]
                memory.put(key, size, size)
                while sum(weight + _OVERHEAD for _, weight in model) > limit:
                    model.pop(0)
            elif not put:
                self.assertEqual(memory.get(key), old[1] if old else None)
                model = [item for item in model if item[0] != key] + ([old] if old else [])
            self.assertEqual(len(memory), len(model))
