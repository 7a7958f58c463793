"""Files at hand: the content of small ones, larger ones open. Bounded in bytes and in number; those used last stay."""

from typing import Protocol

from attrs import field, frozen

from netlab.web.facts import Facts, Stamp
from netlab.web.reply import Reply

#: Bytes that an entry takes besides its content: its facts, its heads, its places in dictionaries.
_BESIDES = 2_000

#: Files that may be open without being sent.
MOST_OPEN = 64


class Shared(Protocol):
    """An open file that several may use: each says so once, and closes it once."""

    def share(self) -> None:
        """One more uses it."""

    def close(self) -> None:
        """One does no longer; with the last of them it is closed."""


@frozen(eq=False)
class Entry:
    """One file as it was when it had ``stamp``: its ``content``, and maybe the same ``packed``; or the open ``file``.

    ``is_direct`` says that no symbolic link lies on its way. ``replies`` remembers the answers to plain requests.
    """

    path: bytes
    stamp: Stamp
    facts: Facts
    is_direct: bool
    content: bytes | None = None
    packed: bytes | None = None
    file: Shared | None = None
    replies: dict[tuple[bytes, bool], Reply] = field(factory=dict)

    @property
    def cost(self) -> int:
        """Bytes of memory, about."""
        return len(self.content or b"") + len(self.packed or b"") + 2 * len(self.path) + _BESIDES

    def share(self) -> None:
        """One more uses what is open here."""
        if self.file is not None:
            self.file.share()

    def close(self) -> None:
        """One does no longer."""
        if self.file is not None:
            self.file.close()


class Kept:
    """Entries by path, ``capacity`` bytes of them at most, however long their content is used elsewhere."""

    def __init__(self, capacity: int) -> None:
        self._room = self._capacity = capacity
        self._open = 0
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

    def takes(self, cost: int) -> bool:
        """Whether what takes so many bytes is kept: if that is a quarter of all there is room for, or less."""
        return cost * 4 <= self._capacity

    def put(self, entry: Entry) -> None:
        """Keep ``entry`` if `takes` says so; others go if they must."""
        self.drop(entry.path)
        if not self.takes(entry.cost):
            return
        while entry.cost > self._room:
            self.drop(next(iter(self._entries)))
        if entry.file is not None:
            self._make_room_for_file()
            self._open += 1
            entry.share()
        self._entries[entry.path] = entry
        self._room -= entry.cost

    def _make_room_for_file(self) -> None:
        if self._open >= MOST_OPEN:
            self.drop(next(path for path, entry in self._entries.items() if entry.file is not None))

    def drop(self, path: bytes) -> None:
        """Forget the entry of ``path``, if there is one."""
        entry = self._entries.pop(path, None)
        if entry is not None:
            self._room += entry.cost
            if entry.file is not None:
                self._open -= 1
                entry.close()

    def clear(self) -> None:
        """Forget everything, and close what is open."""
        for path in list(self._entries):
            self.drop(path)
