"""One direction cut into messages: what readers of all framed protocols do about gaps and about what makes no sense.

A program gives a stream up at the first byte that it cannot trust. Here the reading goes on at the first packet that
begins as a message does, and a fault says how much was unread in between.
"""

from netlab.trace.app.application import Faults
from netlab.trace.app.tape import Tape
from netlab.trace.streams import Gap, Piece


class MessageStream:
    """Pieces and gaps in. A protocol gives `begins` and `read`, and calls `lose` where it can read no further.

    ``damaged`` says that messages may be missing among those that were read.
    """

    def __init__(self, sender: int, faults: Faults) -> None:
        self.damaged = False
        self.sender = sender
        self.faults = faults
        self.tape = Tape(sender)
        #: Where and since which packet nothing makes sense, and how many bytes that is; `None` while it does.
        self._lost: tuple[int, int] | None = None
        self._unread = 0

    def begins(self, data: bytes | bytearray) -> bool:
        """Whether ``data``, a packet's, begins with a message."""
        raise AssertionError("every protocol has its own")

    def read(self) -> None:
        """Read what the tape has; called whenever it has more."""
        raise AssertionError("every protocol has its own")

    def put(self, part: Piece | Gap) -> None:
        """What is next."""
        if self._lost is None:
            self.tape.put(part)
            self.read()
        elif isinstance(part, Gap):
            self.gap(self.tape.offset, part.length)
            self.tape.offset += part.length
        elif self.begins(part.data):
            self._found()
            self.tape.put(part)
            self.read()
        else:
            self._unread += len(part.data)
            self.tape.offset += len(part.data)

    def close(self) -> None:
        """Nothing more will come."""
        if self.tape.ready:
            self.unfinished(self.tape.offset, self.tape.frame, len(self.tape.ready))
        self._found()

    def gap(self, offset: int, length: int) -> None:
        """``length`` bytes are not in the capture."""
        self.damaged = True
        self.faults.add("gap", self.sender, offset, 0, length=length)

    def unfinished(self, offset: int, frame: int, length: int) -> None:
        """The stream ended inside a message, of which ``length`` bytes were there."""
        self.damaged = True
        self.faults.add("unfinished", self.sender, offset, frame, length=length)

    def lose(self, kind: str = "", detail: str = "") -> None:
        """What is ready cannot be read, because of a fault ``kind``, or of the gap that follows."""
        tape = self.tape
        offset, frame = tape.offset, tape.frame
        self.damaged = True
        if kind:
            self.faults.add(kind, self.sender, offset, frame, detail)
        if tape.hole:
            self.gap(offset + len(tape.ready), tape.hole)
        self._lost = offset, frame
        self._unread, later = tape.abandon()
        for part in later:
            self.put(part)

    def _found(self) -> None:
        if self._lost is not None and self._unread:
            self.faults.add("unread", self.sender, *self._lost, length=self._unread)
        self._lost = None
        self._unread = 0

    @property
    def lost(self) -> bool:
        """Whether nothing makes sense at the moment."""
        return self._lost is not None
