"""All that one pinger sends and receives: which session a packet belongs to, and which deadline comes next.

It takes packets and the time and gives events; `netlab.icmp.pinger` reads the clock and the sockets for it. Times are
nanoseconds of a clock that does not run backwards.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from itertools import repeat

from netlab.icmp.causes import cause
from netlab.icmp.errors import Damaged, PacketFault, Truncated, UnknownTarget
from netlab.icmp.events import Event, Foreign
from netlab.icmp.packet import Echo, ErrorMessage, Family, decode, decode_request
from netlab.icmp.session import IN_FLIGHT, Request, Session
from netlab.icmp.stamps import Stamps

#: So many requests at least are kept in the order of their deadlines before those that are over are taken out.
_ROOM = 4_096


class Exchange:
    """The sessions of one pinger, and what came that belongs to none of them.

    :param timeout: nanoseconds until a request without an answer is lost.
    """

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout
        self.stamps = Stamps()
        #: How many packets came that are none of ours, by the reason.
        self.foreign: Counter[Foreign] = Counter()
        self._sessions: dict[str, Session] = {}
        # What was sent, in the order of sending, which is the order of deadlines. What is not in flight any more stays
        # until it is the oldest: requests are mostly answered in that order, and looking is cheaper than taking out.
        self._open: deque[tuple[Session, Request]] = deque()
        self._room = _ROOM

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, session: Session) -> None:
        """Have one more target.

        :raises UnknownTarget: its address is another target's already: whose reply is whose could not be told.
        """
        target = session.target
        other = self._sessions.get(target.address)
        if other is not None:
            both = target.name if target.name == other.target.name else f"{other.target.name} and {target.name}"
            raise UnknownTarget(f"{both} would be pinged twice at {target.address}; name every host once")
        self._sessions[target.address] = session

    @property
    def next_deadline(self) -> int | None:
        """When the next request in flight is lost unless it is answered; `None` if none is in flight."""
        while self._open:
            request = self._open[0][1]
            if request.state is IN_FLIGHT:
                return request.sent_at + self.timeout
            self._open.popleft()
        return None

    def begin(self, session: Session, times: Sequence[int]) -> list[Request]:
        """The next requests of ``session`` left at these times; what they are. Its `Session.packets` come before."""
        begun = session.begin(times)
        self._open.extend(zip(repeat(session), begun))
        if len(self._open) > self._room:
            self._tidy()
        return begun

    def expire(self, now: int) -> list[Event]:
        """What is lost by ``now``."""
        lost: list[Event] = []
        while (deadline := self.next_deadline) is not None and deadline <= now:
            session, request = self._open.popleft()
            lost.append(session.expire(request.number))
        return lost

    def answer(self, message: bytes, sender: str, stamp: int | None, now: int) -> Event | None:
        """What a message says that is, byte for byte, a reply that somebody waits for; `None` if it has to be read.

        The parameters are those of `receive`, and so is what it gives; it is only quicker.
        """
        session = self._sessions.get(sender)
        request = None if session is None else session.awaited.pop(message, None)
        if session is None or request is None:
            return None
        return session.settle(request, self.stamps.arrival(stamp, request.sent_at, now))

    def receive(
        self, family: Family, identifier: int, message: bytes, sender: str, stamp: int | None, now: int
    ) -> Event | None:
        """What an ICMP message says to us; `None` if it is none of ours, which is counted. `answer` has not known it.

        :param identifier: that of our requests over the socket where it came.
        :param sender: the address that it came from.
        :param stamp: when it came, by the kernel's system clock; `None` if that is not known. Give `stamps` a new
            reading of the clocks first.
        """
        try:
            said = decode(family, message)
        except PacketFault as fault:
            self.refuse(fault)
            return None
        if isinstance(said, Echo):
            return self._answered(identifier, said, sender, stamp, now)
        if said is None:
            return self._count(Foreign.ERROR) if message[0] in family.errors else None
        return self._error(family, identifier, said, sender)

    def report(
        self, family: Family, identifier: int, request: bytes, to: str, sender: str, error: tuple[int, int, int]
    ) -> Event | None:
        """An error as the kernel hands it over, with the request that it is about; `None` if it is none of ours.

        :param request: the message that was sent, or its beginning.
        :param to: the address that it was sent to.
        :param error: type, code, and the four bytes that depend on them.
        """
        try:
            echo = decode_request(family, request)
        except PacketFault as fault:
            self.refuse(fault)
            return None
        if echo is None:
            return self._count(Foreign.ERROR)
        return self._reported(family, identifier, echo, to, sender, error)

    def refuse(self, fault: PacketFault) -> None:
        """Count a packet that is no ICMP message."""
        match fault:
            case Truncated():
                self.foreign[Foreign.CUT] += 1
            case Damaged():
                self.foreign[Foreign.CHECKSUM] += 1
            case _:
                self.foreign[Foreign.MALFORMED] += 1

    # ---- inside

    def _tidy(self) -> None:
        """Take out what is not in flight: behind one request that waits long, many may have been answered."""
        self._open = deque(each for each in self._open if each[1].state is IN_FLIGHT)
        self._room = max(_ROOM, 2 * len(self._open))

    def _answered(self, identifier: int, echo: Echo, sender: str, stamp: int | None, now: int) -> Event | None:
        if echo.identifier != identifier:
            return self._count(Foreign.IDENTIFIER)
        session = self._sessions.get(sender)
        if session is None:
            return self._count(Foreign.ADDRESS)
        sent_at = session.sent_at(echo.sequence)
        arrival = now if sent_at is None else self.stamps.arrival(stamp, sent_at, now)
        outcome = session.answer(echo, arrival)
        return self._count(outcome) if isinstance(outcome, Foreign) else outcome

    def _error(self, family: Family, identifier: int, said: ErrorMessage, sender: str) -> Event | None:
        to = str(ip_address(said.about.destination))
        return self._reported(family, identifier, said.about.echo, to, sender, (said.type, said.code, said.rest))

    def _reported(
        self, family: Family, identifier: int, echo: Echo, to: str, sender: str, error: tuple[int, int, int]
    ) -> Event | None:
        session = self._sessions.get(to)
        if session is None or echo.identifier != identifier:
            return self._count(Foreign.ERROR)
        kind, code, rest = error
        words = cause(family, kind, code, rest)
        outcome = session.report(echo, sender, words, kind, code)
        return self._count(outcome) if isinstance(outcome, Foreign) else outcome

    def _count(self, reason: Foreign) -> Event | None:
        self.foreign[reason] += 1
        return None
