"""One TCP conversation on its way from pieces of streams to an `Application`."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from netlab.trace.app.application import (
    BYTES,
    NOTHING,
    UPPER,
    Application,
    Close,
    Ends,
    Reader,
)
from netlab.trace.app.holding import Way
from netlab.trace.app.readers import Readers
from netlab.trace.app.recognition import ENOUGH, Recognised, by_port, recognise
from netlab.trace.facts import Segment
from netlab.trace.streams import Gap, Piece
from netlab.trace.tcp import ACK, FIN, RST, SYN

#: Bytes and pieces that wait until the protocol is known.
MAX_UNDECIDED = 2_048
MAX_UNDECIDED_PIECES = 64


class Talk:
    """Segments and what they let be read, in; an `Application` out, once."""

    __slots__ = (
        "_closes",
        "_full",
        "_heads",
        "_known",
        "_ports",
        "_reader",
        "_readers",
        "_undecided",
        "_waiting",
        "_what",
        "frames",
        "number",
        "opener",
        "turns",
        "ways",
    )

    def __init__(self, one: Segment, known: Mapping[int, str], readers: Readers) -> None:
        self.number = one.conversation
        self._ports = one.source_port, one.destination_port
        if one.sender:
            self._ports = one.destination_port, one.source_port
        #: Who sent the SYN, `None` if it was not seen.
        self.opener: int | None = None
        #: All its packets.
        self.frames = array("L")
        #: Of plain bytes, for `netlab.trace.pairing`.
        self.turns: Sequence[Any] = ()
        #: What each side sent last, for `netlab.trace.app.holding`.
        self.ways = Way(), Way()
        self._known = known
        self._readers = readers
        self._closes: list[Close | None] = [None, None]
        #: The first bytes of each side, and whether no more of them will come.
        self._heads = [bytearray(), bytearray()]
        self._full = [False, False]
        self._waiting: list[tuple[int, Piece | Gap]] = []
        self._undecided = 0
        self._reader: Reader | None = None

    def segment(self, frame: int, time: int, one: Segment) -> None:
        """One more packet of it."""
        self.frames.append(frame)
        bits = one.bits
        if bits & SYN and self.opener is None:
            self.opener = 1 - one.sender if bits & ACK else one.sender
        if bits & (FIN | RST) and self._closes[one.sender] is None:
            self._closes[one.sender] = Close(frame, time, one.sender, bool(bits & RST))

    def put(self, sender: int, part: Piece | Gap) -> None:
        """What can be read next in the stream of ``sender``."""
        if self._reader is not None:
            self._reader.put(sender, part)
            return
        self._waiting.append((sender, part))
        known = None
        if isinstance(part, Gap):
            self._full[sender] = True
        else:
            self._undecided += len(part.data)
        if not self._full[sender] or isinstance(part, Gap):
            known = self._look(sender, part)
        much = self._undecided > MAX_UNDECIDED or len(self._waiting) > MAX_UNDECIDED_PIECES
        if known is not None or much or all(self._full):
            self._decide(known or self._by_port())

    def _look(self, sender: int, part: Piece | Gap) -> Recognised | None:
        """What the first bytes tell, now that there are more of them, or that there will be no more before a gap."""
        head = self._heads[sender]
        if isinstance(part, Piece):
            head += part.data[: ENOUGH - len(head)]
            self._full[sender] = len(head) == ENOUGH
        return recognise(self._both(), final=isinstance(part, Gap))

    def _both(self) -> tuple[bytes, bytes]:
        return bytes(self._heads[0]), bytes(self._heads[1])

    def application(self) -> Application:
        """What was said; nothing more will come."""
        if not self._waiting and self._reader is None:
            return Application(self.number, NOTHING, "none", self.opener or 0, None)
        if self._reader is None:
            known = recognise(self._both(), final=True)
            self._decide(known or self._by_port())
        reader, what = self._reader, self._what
        assert reader is not None
        facts = reader.finish(Ends((self._closes[0], self._closes[1])))
        protocol, known_by = what.protocol, what.known_by
        self.turns = reader.turns
        if protocol == BYTES:
            # Only the whole conversation tells whether it was with an uppercase server.
            protocol, known_by = (UPPER, "content") if hasattr(facts, "variant") else (BYTES, "none")
        return Application(self.number, protocol, known_by, what.client, facts, reader.faults.all())

    def _by_port(self) -> Recognised:
        return by_port(self._ports, self._known, self.opener, self._both())

    def _decide(self, what: Recognised) -> None:
        self._what = what
        self._reader = reader = self._readers.of(what)
        for sender, part in self._waiting:
            reader.put(sender, part)
        self._waiting.clear()
