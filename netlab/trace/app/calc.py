"""The calculator protocol (protocols.md §1): requests and responses in order, what stood in them, and how fresh it was.

Bodies go through the readers that the daemon itself uses, which build numbers, texts and expressions and nothing else.
"""

from hashlib import sha256

from attrs import frozen

from netlab.calc.header import FOREVER, Header
from netlab.trace.app.application import Ends, Faults, Room
from netlab.trace.app.calc_bodies import Bodies, Contents
from netlab.trace.app.calc_stream import CalcStream
from netlab.trace.app.matching import matched, waited
from netlab.trace.app.span import Span
from netlab.trace.streams import Gap, Piece

SECOND = 1_000_000_000


@frozen
class CalcFailure:
    """An error that a server reports: its class, and its text with those of its causes."""

    kind: str
    message: str


@frozen
class CalcMessage:
    """A request or a response.

    ``flags`` are the header's 16 bits as they are; ``codec`` is ``pickle`` or ``json``, `None` if the body is neither.
    A request has an ``expression``, a response a ``result`` and ``steps``, or an ``error``. ``problem`` says why the
    body, or the message in this place, makes no sense; `None` if it does. ``sha256`` is the body's, in hexadecimal.
    """

    span: Span
    header: Header
    flags: int
    codec: str | None = None
    expression: str | None = None
    result: str | None = None
    steps: tuple[str, ...] = ()
    error: CalcFailure | None = None
    problem: str | None = None
    sha256: str = ""


@frozen
class Freshness:
    """The sums of protocols.md §1 "Proxy rules" at the time ``now`` (ns since 1970) of the response's first packet.

    ``age`` is ``now`` less the response's time stamp, in ns, never below 0; ``kept`` and ``accepted`` are the max-age
    of the response and of the request in seconds, and the remaining times ns; `None` stands for no limit. ``storable``:
    both sides allow it and both times remain. ``older`` is by how much the response was made before it was asked for,
    in ns (whole seconds, as its time stamp has): more than 0 shows that it was stored somewhere.
    """

    now: int
    age: int
    kept: int | None
    accepted: int | None
    server_remaining: int | None
    client_remaining: int | None
    storable: bool
    older: int


@frozen
class CalcExchange:
    """A request and its response; one of them is `None` if it is not in the capture.

    ``waited`` is from the last packet of the request to the first of the response, in ns.
    """

    request: CalcMessage | None
    response: CalcMessage | None
    waited: int | None
    freshness: Freshness | None


@frozen
class CalcTalk:
    """All exchanges of a conversation, in order."""

    exchanges: tuple[CalcExchange, ...]


class CalcReader:
    """Reads both directions of a conversation whose ``client`` is 0 or 1."""

    def __init__(self, client: int, room: Room, bodies: Bodies) -> None:
        self.faults = Faults()
        self.turns = ()
        self._client = client
        self._streams = tuple(CalcStream(sender, sender == client, self.faults, room) for sender in (0, 1))
        self._bodies = bodies

    def put(self, sender: int, part: Piece | Gap) -> None:
        """What is next in the stream of ``sender``."""
        self._streams[sender].put(part)

    def finish(self, ends: Ends) -> CalcTalk:
        """The exchanges; nothing more will come."""
        for stream in self._streams:
            stream.close()
        asked, answered = self._streams[self._client], self._streams[1 - self._client]
        requests = [self._message(contents, True) for contents in asked.messages]
        responses = [self._message(contents, False) for contents in answered.messages]
        in_order = not (asked.damaged or answered.damaged)
        return CalcTalk(tuple(exchange(*pair) for pair in matched(requests, responses, in_order)))

    def _message(self, contents: Contents, asks: bool) -> CalcMessage:
        header, body = contents.header, contents.body
        digest = sha256(body).hexdigest()
        if contents.problem is not None:
            return CalcMessage(contents.span, header, contents.flags, problem=contents.problem, sha256=digest)
        read = self._bodies.request(body) if asks else self._bodies.response(header, body)
        return CalcMessage(
            contents.span,
            header,
            contents.flags,
            read.codec,
            read.expression,
            read.result,
            read.steps,
            CalcFailure(*read.error) if read.error else None,
            read.problem,
            digest,
        )


def exchange(request: CalcMessage | None, response: CalcMessage | None) -> CalcExchange:
    """A pair, with the times between them."""
    known = freshness(request, response) if request and response else None
    return CalcExchange(request, response, waited(request, response), known)


def freshness(request: CalcMessage, response: CalcMessage) -> Freshness | None:
    """How fresh ``response`` was; `None` if it says that it must not be kept."""
    if not response.header.cache:
        return None
    now = response.span.began
    age = max(0, now - response.header.timestamp * SECOND)
    kept, accepted = _limit(response.header), _limit(request.header)
    server, client = _remaining(kept, age), _remaining(accepted, age)
    fresh = all(left is None or left > 0 for left in (server, client))
    storable = fresh and request.header.cache
    # Two clocks may differ, the capture's and the programs': both must say so.
    asked = min(request.span.began // SECOND, request.header.timestamp)
    older = max(0, asked - response.header.timestamp) * SECOND
    return Freshness(now, age, kept, accepted, server, client, storable, older)


def _limit(header: Header) -> int | None:
    return None if header.max_age == FOREVER else header.max_age


def _remaining(limit: int | None, age: int) -> int | None:
    return None if limit is None else limit * SECOND - age
