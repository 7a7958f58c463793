"""Small files in memory, bounded in bytes: those used last stay."""

from attrs import field, frozen

from netlab.web.facts import Facts, Stamp
from netlab.web.reply import Reply

#: Bytes that an entry takes besides its content: its facts, its heads, its places in dictionaries.
_BESIDES = 2_000


@frozen(eq=False)
class Entry:
    """One file's content as it was when it had ``stamp``; ``packed`` if it is to be had so.

    ``is_direct`` says that no symbolic link lies on its way. ``replies`` remembers the answers to plain requests.
    """

    path: bytes
    stamp: Stamp
    facts: Facts
    content: bytes
    packed: bytes | None
    is_direct: bool
    replies: dict[tuple[bytes, bool], Reply] = field(factory=dict)

    @property
    def cost(self) -> int:
        """Bytes of memory, about."""
        return len(self.content) + len(self.packed or b"") + 2 * len(self.path) + _BESIDES

    def close(self) -> None:
        """Nothing is open; for whoever has either this or an open file."""


class Kept:
    """Entries by path, ``capacity`` bytes of them at most, however long their content is used elsewhere."""

    def __init__(self, capacity: int) -> None:
        self._room = self._capacity = capacity
        #: In the order of their last use.
        self._entries: dict[bytes, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def used(self) -> int:
        """Bytes that the entries take."""
        return self._capacity - self._room

    def get(self, path: bytes) -> Entry | None:
        """The entry of ``path``, which is now the last to go."""
        entry = self._entries.pop(path, None)
        if entry is not None:
            self._entries[path] = entry
        return entry

    def put(self, entry: Entry) -> None:
        """Keep ``entry`` if it is smaller than a quarter of all there is room for; others go if they must."""
        self.drop(entry.path)
        if entry.cost * 4 > self._capacity:
            return
        while entry.cost > self._room:
            self.drop(next(iter(self._entries)))
        self._entries[entry.path] = entry
        self._room -= entry.cost

    def drop(self, path: bytes) -> None:
        """Forget the entry of ``path``, if there is one."""
        entry = self._entries.pop(path, None)
        if entry is not None:
            self._room += entry.cost
