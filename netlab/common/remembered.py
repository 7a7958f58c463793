"""A bounded memory of what was computed, the least recently used forgotten first."""

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

#: About what a dictionary entry, its key object and its value object weigh besides their bytes.
_OVERHEAD = 250


class Remembered(Generic[T]):
    """Values by bytes, within ``limit`` bytes altogether; a limit of 0 remembers nothing."""

    __slots__ = ("_items", "_limit", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._items: OrderedDict[bytes, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: bytes) -> T | None:
        """The value for ``key``, which is from now on the most recently used; `None` if it is not here."""
        item = self._items.get(key)
        if item is None:
            return None
        self._items.move_to_end(key)
        return item[0]

    def put(self, key: bytes, value: T, size: int) -> None:
        """Remember ``value``, whose key and content weigh ``size`` bytes, and forget what no longer fits."""
        weight = size + _OVERHEAD
        if weight > self._limit:
            return
        old = self._items.pop(key, None)
        if old is not None:
            self._size -= old[1]
        self._items[key] = (value, weight)
        self._size += weight
        while self._size > self._limit:
            _, (_, weight) = self._items.popitem(last=False)
            self._size -= weight
