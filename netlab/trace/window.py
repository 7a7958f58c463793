"""A window that moves over a file of any length: blocks of bytes in, as many contiguous bytes as a reader asks for."""

from collections.abc import Iterable


class Window:
    """What has been read of a file and not yet been used.

    ``buffer`` holds it from ``position`` on, and a reader may look at both and move ``position`` forward. The bytes
    that are kept never grow beyond what is asked of `ensure`, plus one block.
    """

    __slots__ = ("_before", "_blocks", "buffer", "position")

    def __init__(self, blocks: Iterable[bytes]) -> None:
        """:param blocks: the file, in order, in pieces of any size."""
        self._blocks = iter(blocks)
        self._before = 0
        self.buffer = b""
        self.position = 0

    @property
    def offset(self) -> int:
        """The place in the file of the byte at ``position``."""
        return self._before + self.position

    @property
    def left(self) -> int:
        """How many bytes are here."""
        return len(self.buffer) - self.position

    def more(self) -> bool:
        """Read one block more; whether there was one."""
        block = next(self._blocks, None)
        if block is None:
            return False
        rest = self.buffer[self.position :]
        self._before += self.position
        self.buffer = rest + block if rest else block
        self.position = 0
        return True

    def ensure(self, count: int) -> bool:
        """Read until ``count`` bytes are here; whether the file has as many."""
        missing = count - self.left
        if missing <= 0:
            return True
        pieces = [self.buffer[self.position :]]
        while missing > 0:
            block = next(self._blocks, None)
            if block is None:
                break
            pieces.append(block)
            missing -= len(block)
        self._before += self.position
        self.buffer = b"".join(pieces)
        self.position = 0
        return missing <= 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end of the file."""
        self.ensure(count)
        start = self.position
        taken = self.buffer[start : start + count]
        self.position += len(taken)
        return taken

    def skip(self, count: int) -> bool:
        """Pass over ``count`` bytes without keeping them; whether the file has as many."""
        while count > self.left:
            count -= self.left
            self.position = len(self.buffer)
            if not self.more():
                return False
        self.position += count
        return True
