"""Hits that need no thought: one look-up in the memory by bytes that arrived, and one comparison of ages.

What is found is the stored answer itself, which is sent as it is. Nothing is kept here, so nothing here can outlive
what the memory holds.
"""

from struct import Struct

from netlab.calc.header import CACHE, HEADER_LENGTH, REQUEST, STEPS
from netlab.proxy.entry import Entry
from netlab.proxy.freshness import Limits, serves
from netlab.proxy.stores.memory import MemoryStore

#: Of a packet's header: the flags with the status, and the max-age.
_flags_and_max_age = Struct("!HH").unpack_from
_FLAGS_AT = 6

_PLAIN = REQUEST | CACHE
_WITH_STEPS = REQUEST | CACHE | STEPS


class Front:
    """The memory, asked with whole packets."""

    __slots__ = ("_limits", "_store")

    def __init__(self, store: MemoryStore, limits: Limits) -> None:
        self._store = store
        self._limits = limits

    def get(self, frame: bytes, wall: float, monotonic: float) -> Entry | None:
        """The stored answer that serves this packet now; `None` if the packet needs more thought, whatever it is."""
        flags, max_age = _flags_and_max_age(frame, _FLAGS_AT)
        if flags == _WITH_STEPS:
            entry = self._store.get(b"S" + frame[HEADER_LENGTH:])
        elif flags == _PLAIN:
            entry = self._store.get(b"-" + frame[HEADER_LENGTH:])
        else:
            return None
        if entry is not None and serves(entry, max_age, wall, monotonic, self._limits):
            return entry
        return None
