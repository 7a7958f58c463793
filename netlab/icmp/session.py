"""The echo requests to one target: the fate of each, and their statistics.

Times are nanoseconds of a clock that does not run backwards; whoever uses a `Session` reads that clock. A session keeps
the requests that are in flight and, so that late and duplicated replies are known as such, a bounded number of those
that are not.
"""

from collections.abc import Sequence
from enum import Enum, auto

from attrs import define, field, frozen

from netlab.common.errors import LocalError
from netlab.icmp.events import Answered, Duplicated, Foreign, Lost, Reported, Target, Unsent, sequence_of
from netlab.icmp.packet import Echo
from netlab.icmp.payload import Payload
from netlab.icmp.statistics import RoundTrips, Times
from netlab.icmp.template import Template, template

#: Requests that are no longer in flight are remembered for so long, and so many of them at most.
REMEMBERED_TIME = 60 * 10**9
REMEMBERED = 1_024


class State(Enum):
    """What has become of a request."""

    IN_FLIGHT = auto()
    ANSWERED = auto()
    LATE = auto()
    LOST = auto()
    DUPLICATED = auto()


#: By themselves, for looking up a member of an enumeration costs as much as a call.
IN_FLIGHT, ANSWERED, LATE, LOST, DUPLICATED = State

#: Requests that sequence numbers tell apart.
_SEQUENCES = 65_536

#: What need not be remembered is looked for once in so many requests.
_FORGET_EVERY = 64


@define
class Request:
    """One request, sent at ``sent_at``; ``reply`` is its reply byte for byte, or empty where that cannot be told."""

    number: int
    sent_at: int
    reply: bytes
    state: State = IN_FLIGHT
    copies: int = 0


@frozen
class Summary:
    """What became of all requests so far.

    ``received`` and ``late`` do not overlap with ``lost``: a request that was lost and then answered is late, and so
    received. ``duplicates`` counts surplus answers, ``errors`` ICMP errors. ``sent`` is the sum of ``received``,
    ``lost`` and ``in_flight``; what could not be sent is among the lost, and in ``unsent`` too.
    """

    sent: int
    received: int
    late: int
    lost: int
    in_flight: int
    duplicates: int
    errors: int
    unsent: int
    times: Times | None

    @property
    def loss(self) -> float:
        """The share of the requests that were lost, 0 to 1, of those no longer in flight."""
        decided = self.sent - self.in_flight
        return self.lost / decided if decided else 0.0


@define
class Session:
    """The requests to one target.

    :ivar identifier: what marks our requests; the kernel chooses it on an unprivileged socket.
    :ivar timeout: nanoseconds until a request without an answer is lost.
    """

    target: Target
    identifier: int
    payload: Payload
    timeout: int
    sent: int = 0
    received: int = 0
    late: int = 0
    lost: int = 0
    duplicates: int = 0
    errors: int = 0
    unsent: int = 0
    round_trips: RoundTrips = field(factory=RoundTrips)
    #: Replies to what is in flight, byte for byte: one that is found here needs no reading.
    awaited: dict[bytes, Request] = field(factory=dict, init=False, repr=False)
    _requests: dict[int, Request] = field(factory=dict, init=False, repr=False)
    _template: Template = field(init=False, repr=False)
    # The replies to the packets that are about to leave.
    _replies: list[bytes] = field(factory=list, init=False, repr=False)
    # The number of the oldest request that may still be remembered, and of the one before which that is looked at.
    _oldest: int = field(default=0, init=False, repr=False)
    _forget_at: int = field(default=0, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Prepare the packets."""
        self._template = template(self.target.family, self.identifier, self.payload)

    @property
    def in_flight(self) -> int:
        """How many requests are neither answered nor lost."""
        return self.sent - self.received - self.lost

    def packets(self, most: int) -> list[bytes]:
        """The packets of the next requests; call `begin` when they have left.

        There are ``most`` of them, or fewer where the requests 65,536 before are in flight.
        """
        make = self._template
        made = [make(number) for number in range(self.sent, self.sent + self._free(most))]
        self._replies = [reply for _, reply in made]
        return [request for request, _ in made]

    def begin(self, times: Sequence[int]) -> list[Request]:
        """The first of the packets have left, at these times; what they are.

        :raises LocalError: `packets` did not give so many.
        """
        if len(times) > len(self._replies):
            raise LocalError("requests that are no packets cannot leave")
        if self.sent >= self._forget_at:
            self._forget(times[0])
            self._forget_at = self.sent + _FORGET_EVERY
        begun = [*map(Request, range(self.sent, self.sent + len(times)), times, self._replies)]
        for request in begun:
            self._requests[request.number & 0xFFFF] = request
            if request.reply:
                self.awaited[request.reply] = request
        self.sent += len(begun)
        self._replies = []
        return begun

    def fail(self, number: int, reason: str) -> Unsent:
        """A request that began could not be sent: it is lost."""
        self._lose(self._requests[sequence_of(number)])
        self.unsent += 1
        return Unsent(self.target, number, reason)

    def expire(self, number: int) -> Lost:
        """The time of a request that is in flight is over."""
        self._lose(self._requests[sequence_of(number)])
        return Lost(self.target, number)

    def sent_at(self, sequence: int) -> int | None:
        """When the newest request with this sequence number left; `None` if it is not known."""
        request = self._requests.get(sequence)
        return None if request is None else request.sent_at

    def answer(self, echo: Echo, arrival: int) -> Answered | Duplicated | Foreign:
        """An echo reply with our identifier came at ``arrival``."""
        request = self._requests.get(echo.sequence)
        if request is None:
            return Foreign.UNASKED
        payload = self.payload.of(request.number)
        if echo.payload != payload:
            return Foreign.CUT if payload.startswith(echo.payload) else Foreign.TOKEN
        self.awaited.pop(request.reply, None)
        return self.settle(request, arrival)

    def settle(self, request: Request, arrival: int) -> Answered | Duplicated:
        """A reply to a request came at ``arrival``; the request was taken out of `awaited`."""
        rtt = arrival - request.sent_at
        if rtt < 0:
            rtt = 0
        if request.state is not IN_FLIGHT and request.state is not LOST:
            request.state = DUPLICATED
            request.copies += 1
            self.duplicates += 1
            return Duplicated(self.target, request.number, rtt, request.copies)
        late = rtt > self.timeout
        if request.state is LOST:
            self.lost -= 1
        if late:
            self.late += 1
        request.state = LATE if late else ANSWERED
        self.received += 1
        self.round_trips.add(rtt)
        return Answered(self.target, request.number, rtt, late)

    def report(self, echo: Echo, sender: str, cause: str, kind: int, code: int) -> Reported | Foreign:
        """An ICMP error about a request with our identifier came: if it is in flight, it is lost.

        As much of our token as the error quotes has to be right. Some routers quote nothing of the data, and those of
        RFC 4884 put zeros behind it.
        """
        request = self._requests.get(echo.sequence)
        if request is None:
            return Foreign.UNASKED
        length = min(self.payload.token_size, len(echo.payload))
        if self.payload.of(request.number)[:length] != echo.payload[:length]:
            return Foreign.TOKEN
        if request.state is IN_FLIGHT:
            self._lose(request)
        self.errors += 1
        return Reported(self.target, request.number, sender, cause, kind, code)

    def summary(self) -> Summary:
        """What became of all requests so far."""
        return Summary(
            sent=self.sent,
            received=self.received,
            late=self.late,
            lost=self.lost,
            in_flight=self.in_flight,
            duplicates=self.duplicates,
            errors=self.errors,
            unsent=self.unsent,
            times=self.round_trips.summary(),
        )

    def _free(self, most: int) -> int:
        """How many of the next sequence numbers are free, ``most`` of them if so many are."""
        if self.sent + most - self._oldest <= _SEQUENCES:
            return most
        free = 0
        while free < most and self._is_free(sequence_of(self.sent + free)):
            free += 1
        return free

    def _is_free(self, sequence: int) -> bool:
        last = self._requests.get(sequence)
        return last is None or last.state is not IN_FLIGHT

    def _lose(self, request: Request) -> None:
        request.state = LOST
        self.lost += 1
        self.awaited.pop(request.reply, None)

    def _forget(self, now: int) -> None:
        """Drop the oldest requests that need not be remembered any more."""
        too_old = now - REMEMBERED_TIME - self.timeout
        while self._oldest < self.sent:
            oldest = self._requests.get(sequence_of(self._oldest))
            if oldest is not None and oldest.number == self._oldest:  # else another has its sequence number now
                if oldest.state is IN_FLIGHT:
                    return
                if len(self._requests) < REMEMBERED and oldest.sent_at > too_old:
                    return
                del self._requests[sequence_of(self._oldest)]
            self._oldest += 1
