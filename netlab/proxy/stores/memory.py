"""Answers in this process's memory, bounded by number and by bytes, the least recently used evicted first."""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from attrs import evolve, field, frozen, validators

from netlab.proxy.entry import Entry

#: What an entry weighs besides its key and packet: two objects of bytes, the `Entry`, its place in the dictionary.
#: Measured with tracemalloc: 244 to 286 bytes, by how full the dictionary is; allocators round each object up.
OVERHEAD = 350


@frozen
class Bounds:
    """How much the memory may hold; ``max_bytes`` counts keys, packets and their overhead."""

    max_entries: int = field(default=100_000, validator=validators.ge(0))
    max_bytes: int = field(default=128 << 20, validator=validators.ge(0))


class MemoryStore:
    """Entries by key.

    An expired entry is not looked for: it is found when it is asked for, and may still serve when an upstream fails;
    one that nobody asks for any more is the next to be evicted.
    """

    __slots__ = ("_bounds", "_entries", "evicted", "find", "size", "use")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        #: `get` in two steps without a frame of Python: the entry or `None`; and that the one that is there was of use.
        self.find: Callable[[bytes], Entry | None] = self._entries.get
        self.use: Callable[[bytes], None] = self._entries.move_to_end
        #: Bytes held, overhead included, and how many entries had to go for others.
        self.size = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[bytes, Entry]]:
        """Keys and entries, the least recently used first."""
        return iter(self._entries.items())

    def get(self, key: bytes) -> Entry | None:
        """The entry for ``key``, from now on the most recently used; `None` if there is none."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: Entry) -> bool:
        """Store an entry in the place of any other for ``key``, and evict what no longer fits; whether it is stored."""
        self.remove(key)
        bounds = self._bounds
        weight = _weight(key, entry)
        if weight > bounds.max_bytes or not bounds.max_entries:
            return False
        self._entries[key] = evolve(entry, key=key)
        self.size += weight
        while self.size > bounds.max_bytes or len(self._entries) > bounds.max_entries:
            evicted, entry = self._entries.popitem(last=False)
            self.size -= _weight(evicted, entry)
            self.evicted += 1
        return True

    def remove(self, key: bytes) -> bool:
        """Remove the entry for ``key``; whether there was one."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self.size -= _weight(key, entry)
        return True

    def clear(self) -> int:
        """Remove all; how many there were."""
        count = len(self._entries)
        self._entries.clear()
        self.size = 0
        return count


def _weight(key: bytes, entry: Entry) -> int:
    return len(key) + len(entry.packet) + OVERHEAD
