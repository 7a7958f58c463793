"""The echo requests to one target: the fate of each, and their statistics.

Times are nanoseconds of a clock that does not run backwards; whoever uses a `Session` reads that clock. A session keeps
the requests that are in flight and, so that late and duplicated replies are known as such, a bounded number of those
that are not.
"""

from enum import Enum, auto

from attrs import define, field, frozen

from netlab.common.errors import LocalError
from netlab.icmp.events import Answered, Duplicated, Foreign, Lost, Reported, Target, Unsent, sequence_of
from netlab.icmp.packet import Echo, Family, encode_request, expected_reply
from netlab.icmp.payload import Payload
from netlab.icmp.statistics import RoundTrips, Times

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


#: Requests of so many bytes are short.
_SHORT = 256

#: What need not be remembered is looked for once in so many requests.
_FORGET_EVERY = 64


@define
class _Request:
    number: int
    sent_at: int
    reply: bytes
    state: State = State.IN_FLIGHT
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
    _requests: dict[int, _Request] = field(factory=dict, init=False, repr=False)
    # Replies to what is in flight, byte for byte: one that is found here needs no reading. Long ones would take much
    # memory, and for IPv6 only the kernel knows the checksum.
    _awaited: dict[bytes, _Request] = field(factory=dict, init=False, repr=False)
    _next_reply: bytes = field(default=b"", init=False, repr=False)

    @property
    def in_flight(self) -> int:
        """How many requests are neither answered nor lost."""
        return self.sent - self.received - self.lost

    @property
    def is_ready(self) -> bool:
        """Whether another request may be sent: not while the one 65,536 before it is in flight."""
        last = self._requests.get(sequence_of(self.sent))
        return last is None or last.state is not State.IN_FLIGHT

    def packet(self) -> bytes:
        """The next request's packet; call `begin` when it leaves."""
        number = self.sent
        family = self.target.family
        request = encode_request(family, self.identifier, number & 0xFFFF, self.payload.of(number))
        self._next_reply = expected_reply(request) if family is Family.IPV4 and len(request) <= _SHORT else b""
        return request

    def begin(self, now: int) -> int:
        """The next request leaves at ``now``; its number.

        :raises LocalError: the session is not ready.
        """
        number = self.sent
        sequence = number & 0xFFFF
        if sequence in self._requests and not self.is_ready:
            raise LocalError("65,536 requests are in flight, and a sequence number has 16 bits")
        if number % _FORGET_EVERY == 0:
            self._forget(now)
        # Taken out first, so that the table stays in the order of sending.
        self._requests.pop(sequence, None)
        request = self._requests[sequence] = _Request(number, now, self._next_reply)
        if self._next_reply:
            self._awaited[self._next_reply] = request
        self.sent += 1
        return number

    def fail(self, number: int, reason: str) -> Unsent:
        """The request that began last could not be sent: it is lost."""
        self._lose(self._requests[sequence_of(number)])
        self.unsent += 1
        return Unsent(self.target, number, reason)

    def is_in_flight(self, number: int) -> bool:
        """Whether request ``number`` is neither answered nor lost."""
        request = self._requests.get(sequence_of(number))
        return request is not None and request.number == number and request.state is State.IN_FLIGHT

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
        self._awaited.pop(request.reply, None)
        return self._answered(request, arrival)

    def awaited_since(self, message: bytes) -> int | None:
        """When the request left of which ``message`` is the reply, byte for byte; `None` if it has to be read."""
        request = self._awaited.get(message)
        return None if request is None else request.sent_at

    def answer_awaited(self, message: bytes, arrival: int) -> Answered | Duplicated:
        """A reply that `awaited_since` knows came at ``arrival``."""
        return self._answered(self._awaited.pop(message), arrival)

    def _answered(self, request: _Request, arrival: int) -> Answered | Duplicated:
        rtt = max(0, arrival - request.sent_at)
        if request.state is not State.IN_FLIGHT and request.state is not State.LOST:
            request.state = State.DUPLICATED
            request.copies += 1
            self.duplicates += 1
            return Duplicated(self.target, request.number, rtt, request.copies)
        late = rtt > self.timeout
        self.lost -= request.state is State.LOST
        request.state = State.LATE if late else State.ANSWERED
        self.late += late
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
        if request.state is State.IN_FLIGHT:
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

    def _lose(self, request: _Request) -> None:
        request.state = State.LOST
        self.lost += 1
        self._awaited.pop(request.reply, None)

    def _forget(self, now: int) -> None:
        """Drop the oldest requests that need not be remembered any more."""
        while self._requests:
            sequence, oldest = next(iter(self._requests.items()))
            if oldest.state is State.IN_FLIGHT:
                return
            if len(self._requests) < REMEMBERED and oldest.sent_at > now - REMEMBERED_TIME - self.timeout:
                return
            del self._requests[sequence]
