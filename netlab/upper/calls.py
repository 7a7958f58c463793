"""What one side asks of the kernel, as values: a protocol's core yields them, and is sent what `Receive` gave."""

from collections.abc import Generator
from typing import TypeVar

from attrs import frozen

#: Bytes that one ``send`` is given at most. An answer of the old servers went in one ``sendall``, and all of theirs
#: are shorter than this; of longer ones only the part that is about to be sent is ever in memory.
SEND_SIZE = 128 << 10


@frozen
class Wait:
    """Ask nothing of the kernel for a while: what arrives stays in its buffer."""

    seconds: float


@frozen
class Receive:
    """One ``recv(size)``, once there is something to receive; it gives the bytes, ``b""`` at the end of the stream."""

    size: int


@frozen
class Send:
    """Give the kernel ``piece``, repeated ``times``, every byte of it before the next call."""

    piece: bytes
    times: int = 1

    @property
    def length(self) -> int:
        """Bytes in all."""
        return len(self.piece) * self.times

    def window(self, offset: int) -> bytes:
        """The bytes from ``offset`` on for the next ``send``, at most `SEND_SIZE` of them."""
        size = min(SEND_SIZE, self.length - offset)
        skipped = offset % len(self.piece)
        copies = -(-(skipped + size) // len(self.piece))
        return (self.piece * copies)[skipped : skipped + size]


@frozen
class Await:
    """Wait until there is something to receive, and leave it in the kernel's buffer."""


@frozen
class EndSending:
    """``shutdown(SHUT_WR)``: a FIN, and what the peer still sends can be received."""


@frozen
class ResetAtClose:
    """Have ``close`` send a RST in place of a FIN: ``SO_LINGER`` with a time of zero."""


@frozen
class AcknowledgeLate:
    """``TCP_QUICKACK`` off (tcp(7)): what comes is acknowledged with the next segment that leaves, or 40 ms later."""


Call = Wait | Receive | Send | Await | EndSending | ResetAtClose | AcknowledgeLate

R = TypeVar("R")

#: The calls of one side, which end with ``close``; what it returns says why they end.
Calls = Generator[Call, bytes, R]


class Witness:
    """Is told of every call, when it begins and when it is made. Override what you want to know."""

    def begins(self, call: Call) -> None:
        """``call`` is made now, or as soon as the kernel lets it."""

    def made(self, call: Call, data: bytes) -> None:
        """It is made, in full; ``data`` is what it gave."""
