"""Hits that need no thought: one look-up in the memory by bytes that arrived, and one comparison of ages.

What is found is the stored answer itself, which is sent as it is. Nothing is kept here, so nothing here can outlive
what the memory holds.
"""

from struct import Struct

from netlab.calc.header import CACHE, FOREVER, HEADER_LENGTH, REQUEST, STEPS
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Limits, serves
from netlab.proxy.stores.memory import MemoryStore

#: How the keys of requests begin, by their flags; those with other flags are not to be answered from here.
_BEGINNINGS = {REQUEST | CACHE: b"-", REQUEST | CACHE | STEPS: b"S"}

#: Flags and max-age in a packet, and how the keys begin of requests whose clients take answers of any age.
_asked = Struct("!HH")
_ASKED_AT, _ASKED_END = 6, 10
_ANY_AGE = {_asked.pack(flags, FOREVER): beginning for flags, beginning in _BEGINNINGS.items()}


class Front:
    """The memory, asked with whole packets."""

    __slots__ = ("_find", "_forever", "_limits", "_use")

    def __init__(self, store: MemoryStore, limits: Limits) -> None:
        self._find = store.find
        self._use = store.use
        self._limits = limits
        #: The max-age of entries that never become too old; none has it where the owner limits all.
        self._forever = FOREVER if limits.max_ttl == FOREVER else None

    def get(self, frame: bytes, wall: float, monotonic: float) -> Entry | None:
        """The stored answer that serves this packet now; `None` if the packet needs more thought, whatever it is."""
        beginning = _ANY_AGE.get(frame[_ASKED_AT:_ASKED_END])
        if beginning is None:
            return self._limited(frame, wall, monotonic)
        key = beginning + frame[HEADER_LENGTH:]
        entry = self._find(key)
        if entry is None or (entry.max_age != self._forever and not self._serves(entry, FOREVER, wall, monotonic)):
            return None
        self._use(key)
        return entry

    def _limited(self, frame: bytes, wall: float, monotonic: float) -> Entry | None:
        """`get` for a client that takes no answer beyond an age, and for all that is no such request."""
        flags, max_age = _asked.unpack_from(frame, _ASKED_AT)
        beginning = _BEGINNINGS.get(flags)
        if beginning is None:
            return None
        key = beginning + frame[HEADER_LENGTH:]
        entry = self._find(key)
        if entry is None or not self._serves(entry, max_age, wall, monotonic):
            return None
        self._use(key)
        return entry

    def _serves(self, entry: Entry, max_age: int, wall: float, monotonic: float) -> bool:
        return serves(entry, max_age, wall, monotonic, self._limits)
