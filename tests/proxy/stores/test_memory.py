"""The memory: bounded in number and bytes, the least recently used goes first."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.proxy.entry import Entry
from netlab.proxy.stores.memory import OVERHEAD, Bounds, MemoryStore
from tests.proxy.stores.cases import entry

ENTRIES = [entry("x" * length) for length in (0, 1, 10, 100)]
KEYS = [b"", b"a", b"b", b"c" * 50, b"d"]

STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(KEYS), st.sampled_from(ENTRIES)),
    st.tuples(st.sampled_from(["get", "remove"]), st.sampled_from(KEYS)),
    st.tuples(st.just("clear")),
)


class Model:
    """The same rules, slow and plain: a list from the least to the most recently used."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.held: list[tuple[bytes, Entry]] = []

    def size(self) -> int:
        return sum(len(key) + len(each.packet) + OVERHEAD for key, each in self.held)

    def get(self, key: bytes) -> Entry | None:
        found = [pair for pair in self.held if pair[0] == key]
        self.held = [pair for pair in self.held if pair[0] != key] + found
        return found[0][1] if found else None

    def remove(self, key: bytes) -> bool:
        before = len(self.held)
        self.held = [pair for pair in self.held if pair[0] != key]
        return len(self.held) < before

    def put(self, key: bytes, entry: Entry) -> bool:
        self.remove(key)
        if len(key) + len(entry.packet) + OVERHEAD > self.bounds.max_bytes or self.bounds.max_entries == 0:
            return False
        self.held.append((key, entry))
        while len(self.held) > self.bounds.max_entries or self.size() > self.bounds.max_bytes:
            del self.held[0]
        return True

    def clear(self) -> int:
        count, self.held = len(self.held), []
        return count


class MemoryTests(SynchronousTestCase):
    """`MemoryStore`."""

    @given(st.integers(0, 4), st.integers(0, 2_000), st.lists(STEPS, max_size=40))
    def test_against_a_model(self, max_entries: int, max_bytes: int, steps: list[tuple]) -> None:
        """Whatever is done, it answers and holds what a plain model does, and its size is the sum."""
        bounds = Bounds(max_entries, max_bytes)
        store, model = MemoryStore(bounds), Model(bounds)
        for name, *arguments in steps:
            self.assertEqual(getattr(store, name)(*arguments), getattr(model, name)(*arguments))
            self.assertEqual(list(store), model.held)
            self.assertEqual((store.size, len(store)), (model.size(), len(model.held)))

    def test_many_keys(self) -> None:
        """10,000 keys beyond the bound: the last ones are held, the rest was evicted, and counted."""
        store = MemoryStore(Bounds(max_entries=100))
        for number in range(10_100):
            store.put(b"%d" % number, entry())
        self.assertEqual([key for key, _ in store], [b"%d" % number for number in range(10_000, 10_100)])
        self.assertEqual(store.evicted, 10_000)

    def test_the_sum_is_true(self) -> None:
        """``max_bytes`` bounds what the process really takes: what entries weigh is no less than what they take."""
        count = 5_000
        entries = [(number.to_bytes(4, "big") * 170, 1_000_000 + number) for number in range(count)]
        store = MemoryStore(Bounds())
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        for key, timestamp in entries:
            store.put(key + b"S", entry("x" * 552, timestamp, 60_000, stored_at=timestamp / 7))
        taken = tracemalloc.get_traced_memory()[0] - before
        self.assertLessEqual(taken, store.size)
        self.assertLess(taken - count * (681 + 564), 400 * count)

    def test_bounds(self) -> None:
        """A bound below nothing is an error."""
        for bad in ({"max_entries": -1}, {"max_bytes": -1}):
            self.assertRaises(ValueError, Bounds, **bad)
