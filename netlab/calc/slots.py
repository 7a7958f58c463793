"""The order of answers when some must be waited for."""

from collections import deque

from netlab.calc.calculator import Reply


class Slot:
    """The place of an answer that must wait: for itself to come, or for those before it.

    ``weight`` is how many bytes are kept for it: the request's, and then the answer's.
    """

    __slots__ = ("reply", "weight")

    def __init__(self, weight: int) -> None:
        self.reply: Reply | None = None
        self.weight = weight


class Slots:
    """The places that are taken, in the order of the requests; ``size`` is the bytes that are kept for them."""

    __slots__ = ("_slots", "size")

    def __init__(self) -> None:
        self.size = 0
        self._slots: deque[Slot] = deque()

    def __len__(self) -> int:
        return len(self._slots)

    def take(self, length: int) -> Slot:
        """The place of the answer to a request of ``length`` bytes, behind all others."""
        slot = Slot(length)
        self._slots.append(slot)
        self.size += length
        return slot

    def fill(self, slot: Slot, reply: Reply) -> list[Reply]:
        """Put an answer in its place; the answers that are first in the order now, and no longer kept here."""
        self.size += reply.length - slot.weight
        slot.weight = reply.length
        slot.reply = reply
        replies: list[Reply] = []
        while self._slots and (first := self._slots[0].reply) is not None:
            self.size -= self._slots.popleft().weight
            replies.append(first)
        return replies
