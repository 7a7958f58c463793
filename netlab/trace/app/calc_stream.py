"""One direction of a calculator conversation cut into packets, over gaps and past what cannot be trusted."""

from netlab.calc.errors import LengthTooShort, MessageError
from netlab.calc.framing import FrameReader
from netlab.calc.header import LAYOUT, Header
from netlab.calc.messages import check_request, check_response
from netlab.trace.app.application import Faults, Room
from netlab.trace.app.calc_bodies import Contents, contents
from netlab.trace.app.calc_head import plausible
from netlab.trace.app.stream import MessageStream

#: How much of a header says how long its packet is.
_DECIDED = 8


class CalcStream(MessageStream):
    """The packets of one direction: ``messages``, in order."""

    def __init__(self, sender: int, asks: bool, faults: Faults, room: Room) -> None:
        super().__init__(sender, faults)
        self.messages: list[Contents] = []
        self._asks = asks
        self._room = room
        self._frames = FrameReader()
        self._fed = 0

    def begins(self, data: bytes | bytearray) -> bool:
        """Whether ``data`` begins with a packet of this direction."""
        return plausible(data, self._asks)

    def read(self) -> None:
        """Cut what is there; over a gap, go on with the packet that it is in, if the packet's length is known."""
        tape = self.tape
        while True:
            fresh = bytes(tape.ready[self._fed :])
            self._fed += len(fresh)
            for frame in self._frames.feed(fresh):
                self._message(frame)
            fault = self._frames.fault
            if fault is not None:
                self._start_again()
                self.lose("length_too_short" if isinstance(fault, LengthTooShort) else "reserved_bits", str(fault))
                return
            if not tape.hole:
                return
            if len(tape.ready) < _DECIDED:
                self._start_again()
                self.lose()
                return
            self.gap(tape.offset + len(tape.ready), tape.hole)
            tape.fill(LAYOUT.unpack_from(tape.ready + bytes(_DECIDED))[1] - len(tape.ready))

    def _start_again(self) -> None:
        self._frames = FrameReader()
        self._fed = 0

    def _message(self, frame: bytes) -> None:
        builder = self.tape.span()
        self.tape.take(len(frame), builder)
        self._fed -= len(frame)
        span = builder.built()
        problem = f"{span.missing:,} of its bytes are not in the capture" if span.missing else None
        try:
            (check_request if self._asks else check_response)(Header.decode(frame))
        except MessageError as error:
            problem = str(error)
            self.faults.add("wrong_direction", self.sender, span.offset, span.first, problem)
        if self._room.for_message(span, len(frame)):
            self.messages.append(contents(frame, span, problem))
