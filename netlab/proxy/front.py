"""Hits that need no thought: whole requests, the time stamp aside, whose answer is known to serve until some moment.

A hit found here costs one look-up of bytes that arrived. It is one more view of the memory store, never a second
truth: as soon as the store no longer holds the very entry, the view is void.
"""

from attrs import frozen

from netlab.calc.calculator import Reply
from netlab.calc.header import Header
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Clocks, Freshness
from netlab.proxy.stores.memory import MemoryStore

#: What is remembered so at most: requests, and their bytes.
_MOST = 4_096
_MOST_BYTES = 8 << 20


@frozen(eq=False)
class Hot:
    """An answer ready to be sent, and until when, on either clock."""

    reply: Reply
    key: bytes
    entry: Entry
    max_age: int
    request_length: int
    wall_until: float
    monotonic_until: float


class Front:
    """Ready answers by request bytes, the first of them forgotten first: one that is still asked for soon is back."""

    def __init__(self, store: MemoryStore, most: int = _MOST, most_bytes: int = _MOST_BYTES) -> None:
        self._store = store
        self._most = most
        self._most_bytes = most_bytes
        self._hot: dict[bytes, Hot] = {}
        #: Bytes of the requests that are remembered.
        self.size = 0

    def __len__(self) -> int:
        return len(self._hot)

    def get(self, request: bytes, wall: float, monotonic: float) -> Hot | None:
        """The ready answer for ``request`` (a packet without its time stamp), if it still serves."""
        hot = self._hot.get(request)
        if hot is None:
            return None
        if wall < hot.wall_until and monotonic < hot.monotonic_until and self._store.get(hot.key) is hot.entry:
            return hot
        self._forget(request)
        return None

    def put(self, request: bytes, key: bytes, entry: Entry, total: Freshness, now: Clocks) -> None:
        """Remember that ``entry`` serves ``request``, by the sum that was done for it just now."""
        left = min(total.server_remaining, total.client_remaining)
        limit = left + total.age
        hot = Hot(
            Reply(entry.packet, Header.decode(entry.packet).status, stamped=True),
            key,
            entry,
            int.from_bytes(request[4:6], "big"),
            len(request) + 4,
            entry.timestamp + limit,
            now.monotonic + left,
        )
        self._forget(request)
        self._hot[request] = hot
        self.size += len(request)
        while len(self._hot) > self._most or self.size > self._most_bytes:
            self._forget(next(iter(self._hot)))

    def _forget(self, request: bytes) -> None:
        if self._hot.pop(request, None) is not None:
            self.size -= len(request)
