"""The watchdog's wire: numbers of 4 bytes, little-endian, one way only (protocols.md §4).

A client says `Message.START` once and `Message.ALIVE` after every reply that it gets; the watchdog says nothing, and
closes the connection when it is done with it.
"""

from enum import IntEnum
from struct import Struct, unpack

from netlab.watchdog.errors import UnknownMessage


class Message(IntEnum):
    """All that a client can say."""

    START = 300
    ALIVE = 256


LAYOUT = Struct("<i")
MESSAGE_LENGTH = LAYOUT.size

START = LAYOUT.pack(Message.START)
ALIVE = LAYOUT.pack(Message.ALIVE)

_KNOWN: dict[int, Message] = {int(message): message for message in Message}


class MessageReader:
    """Bytes in, messages out, whatever way TCP cut them. At most 3 bytes of an unfinished message are kept.

    ``fault`` is `None` until an unknown number comes; from then on it holds the reason, and what follows is dropped.
    """

    __slots__ = ("_partial", "fault")

    def __init__(self) -> None:
        self.fault: UnknownMessage | None = None
        self._partial = b""

    @property
    def begun(self) -> int:
        """How many bytes of an unfinished message are here, 0 to 3."""
        return len(self._partial)

    def feed(self, data: bytes) -> list[Message]:
        """Take what arrived and give every message it completed, in order; then look at ``fault``.

        Nothing is done for each message on its own: 64 kB of them, from somebody who floods, take half a millisecond.
        """
        if self.fault is not None:
            return []
        data = self._partial + data
        count = len(data) // MESSAGE_LENGTH
        end = count * MESSAGE_LENGTH
        self._partial = data[end:]
        numbers = unpack(f"<{count}i", data[:end])
        messages = [*map(_KNOWN.get, numbers)]
        if None in messages:
            place = messages.index(None)
            self._partial = b""
            self.fault = _unknown(numbers[place])
            del messages[place:]
        return messages  # type: ignore[return-value] # the rest of them are no `None`


class AnyBytesReader:
    """What other deployments of the lab send: short texts, any of them a sign of life. There is no wrong one."""

    __slots__ = ("_started", "begun", "fault")

    def __init__(self) -> None:
        self.fault: UnknownMessage | None = None
        self.begun = 0
        self._started = False

    def feed(self, data: bytes) -> list[Message]:
        """One message for whatever arrived together; the first is the start."""
        if not data:
            return []
        message = Message.ALIVE if self._started else Message.START
        self._started = True
        return [message]


def _unknown(number: int) -> UnknownMessage:
    return UnknownMessage(
        f"{number} ({LAYOUT.pack(number)!r}) is no message: there are {Message.START:d} to start and "
        f"{Message.ALIVE:d} for a sign of life (--any-bytes takes everything for one)"
    )
