"""What a client asks of the kernel on one connection: the clients of the laboratory as data (protocols.md §2)."""

from enum import Enum

from attrs import field, frozen, validators

from netlab.upper.calls import AcknowledgeLate, Await, Calls, EndSending, Receive, ResetAtClose, Send, Wait, Witness
from netlab.upper.ending import How
from netlab.upper.variants import MAX_DELAY, MAX_RECEIVE_SIZE

#: How often one message may be sent, and how many reads may be asked for.
MAX_COUNT = 1_000_000_000


class Until(Enum):
    """How long to go on reading, where no number of reads is given."""

    ENOUGH = "enough"  # until as many bytes have come as were sent
    END = "end"  # until the server ends the stream


class Close(Enum):
    """How to end."""

    POLITE = "polite"  # close, having read what was to be read
    UNREAD = "unread"  # close when there is data that nobody has read
    ABORT = "abort"  # close with a RST, whatever there is
    HALF = "half"  # end only the sending; read on to the end of the stream


@frozen
class Script:
    """A client: what it sends, how it reads, and how it closes."""

    message: bytes = field(validator=validators.min_len(1))
    #: The message is sent so many times, each by a ``send`` of its own.
    times: int = field(default=1, validator=[validators.ge(1), validators.le(MAX_COUNT)])
    #: Another message, sent when the first has been answered; `None` for none.
    second: bytes | None = field(default=None, validator=validators.optional(validators.min_len(1)))
    #: How many times to read after each message, or how long. With `Until.END`, the first of two is read to `ENOUGH`.
    reads: int | Until = Until.ENOUGH
    #: Bytes to ask the kernel for at a time.
    read_size: int = field(default=1024, validator=[validators.ge(1), validators.le(MAX_RECEIVE_SIZE)])
    close: Close = Close.POLITE
    #: Seconds to wait before closing; what comes meanwhile stays in the kernel's buffer.
    wait: float = field(default=0.0, validator=[validators.ge(0.0), validators.le(MAX_DELAY)])
    #: Whether the kernel shall acknowledge as late as it may.
    late_acks: bool = False


SCRIPTS = {
    "session": Script(b"hello from the networks laboratory!", second=b"and a second message", reads=Until.END),
    "v1": Script(b"Hello, World!", reads=1),
    "v2": Script(b"World! Hello, World!", reads=1),
    "v3": Script(b"Hello, World!", reads=2, close=Close.UNREAD),
    "v4": Script(b"Hello, World!" * 10, times=4, reads=1),
}


class Watcher(Witness):
    """Is told what a client does, as it does it."""

    def connected(self, peer: str) -> None:
        """A connection to ``peer`` is there."""


def playing(script: Script) -> Calls[How]:
    """Send, read and close as the script has it; an end of the stream that comes early ends the reading."""
    if script.late_acks:
        yield AcknowledgeLate()
    for _ in range(script.times):
        yield Send(script.message)
    owed = len(script.message) * script.times
    reads = script.reads
    ended = False
    if script.second is not None:
        ended = yield from _read(script, Until.ENOUGH if reads is Until.END else reads, owed)
        if not ended:
            yield Send(script.second)
            owed = len(script.second)
    if not ended:
        ended = yield from _read(script, reads, owed)
    if script.wait:
        yield Wait(script.wait)
    return (yield from _close(script, ended))


def _read(script: Script, reads: int | Until, owed: int) -> Calls[bool]:
    """Read; whether the stream has ended."""
    done = came = 0
    while (done < reads) if isinstance(reads, int) else (reads is Until.END or came < owed):
        data = yield Receive(script.read_size)
        if not data:
            return True
        done += 1
        came += len(data)
    return False


def _close(script: Script, ended: bool) -> Calls[How]:
    """What comes before ``close``; a stream that has ended leaves nothing to wait for."""
    if script.close is Close.ABORT:
        yield ResetAtClose()
        return How.ABORTED
    if not ended and script.close is Close.UNREAD:
        yield Await()
    elif not ended and script.close is Close.HALF:
        yield EndSending()
        ended = yield from _read(script, Until.END, 0)
    return How.CLOSED_BY_PEER if ended else How.CLOSED
