"""Why a connection ended: the cause, who did it, the packets that show it, and how sure that is.

A program's doings are not on the wire; what its kernel sends for them is. A kernel that closes with nothing unread
sends FIN. One that closes with bytes unread sends RST at once (RFC 2525 §2.17), and so does one that is told to abort.
One that gets data for a connection that is closed, or that it does not know, answers with an RST that has no ACK and,
for its sequence number, the number that the data acknowledged (RFC 9293 §3.10.7.1).
"""

from collections.abc import Mapping

from attrs import frozen

#: Both sides sent FIN, and ``by`` was first.
POLITE = "polite"
#: The SYN was answered with RST.
REFUSED = "refused"
#: The SYN was never answered.
UNANSWERED = "unanswered"
#: The handshake was begun and not finished.
UNFINISHED_HANDSHAKE = "unfinished_handshake"
#: ``by`` had closed, and sent RST because data came after that.
RESET_AFTER_CLOSE = "reset_after_close"
#: ``by`` closed while bytes that it had been sent were unread.
RESET_UNREAD = "reset_unread"
#: ``by`` gave the connection up, with nothing left to read that is known of.
ABORT = "abort"
#: ``by`` closed or reset after waiting a whole number of seconds for the other.
TIMEOUT = "timeout"
#: ``by`` answered as one that does not know the connection, or fell silent while the other went on.
HALF_OPEN = "half_open"
#: ``by`` closed, the other never did.
HALF_CLOSED = "half_closed"
#: Nobody closed before the capture ended.
OPEN = "open"

CAUSES = (
    POLITE,
    REFUSED,
    UNANSWERED,
    UNFINISHED_HANDSHAKE,
    RESET_AFTER_CLOSE,
    RESET_UNREAD,
    ABORT,
    TIMEOUT,
    HALF_OPEN,
    HALF_CLOSED,
    OPEN,
)

CERTAIN, LIKELY, POSSIBLE = "certain", "likely", "possible"


@frozen
class Evidence:
    """A packet that shows something: ``what`` is a word of docs/trace.md, such as ``fin`` or ``data_after_close``."""

    frame: int
    what: str


@frozen
class Remark:
    """Something about the beginning or the end that is no cause: its kind, and numbers by name (docs/trace.md)."""

    kind: str
    numbers: Mapping[str, int]


@frozen
class Closing:
    """How a conversation ended.

    ``by`` is 0 or 1, an index into the conversation's endpoints: who did what the cause says; `None` where nobody did
    anything. ``numbers`` are the arithmetic, by name: bytes, and times in nanoseconds.
    """

    cause: str
    confidence: str
    by: int | None
    evidence: tuple[Evidence, ...]
    numbers: Mapping[str, int]
    remarks: tuple[Remark, ...] = ()
