"""How a connection ended, in words."""

from enum import Enum

from attrs import frozen


class How(Enum):
    """Who ended it and by what; the values are words, and names for machines are those of the members."""

    CLOSED_BY_PEER = "closed by the peer"
    CLOSED = "closed here"
    ABORTED = "aborted here"
    RESET = "reset by peer"
    LOST = "lost"


@frozen
class Ending:
    """The end of one connection, as this side knows it."""

    how: How
    #: Bytes that the kernel gave us, and bytes that it took from us.
    received: int
    sent: int
    #: Bytes that we left in its receive buffer; with any, Linux answers ``close`` with a RST in place of a FIN
    #: (RFC 9293 §3.6.1, RFC 1122 §4.2.2.13).
    unread: int = 0
    #: Why, where that has to be said: what the system calls it (``Connection timed out``), or a reason of ours.
    reason: str = ""

    @property
    def resets(self) -> bool:
        """Whether our ``close`` sent a RST."""
        return self.how is How.ABORTED or (self.how is How.CLOSED and self.unread > 0)

    def __str__(self) -> str:
        """``reset by peer after 5 bytes``, ``closed here after 2,048 bytes with 10,952 unread, which sends a RST``."""
        text = f"{self.how.value} after {count_text(self.received)}"
        if self.unread:
            text += f" with {self.unread:,} unread"
        if self.resets:
            text += ", which sends a RST"
        return text + (f": {self.reason}" if self.reason else "")


def count_text(count: int) -> str:
    """``1 byte``, ``2,048 bytes``."""
    return f"{count:,} byte" + ("" if count == 1 else "s")
