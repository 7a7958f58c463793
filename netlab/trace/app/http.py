"""HTTP/1.1 (RFC 9110, RFC 9112) as it was spoken in one conversation: requests with their responses, in order."""

from attrs import frozen

from netlab.trace.app.application import Ends, Faults, Room
from netlab.trace.app.http_body import Body
from netlab.trace.app.http_head import Headers, RequestHead, ResponseHead
from netlab.trace.app.http_stream import HttpStream, Message
from netlab.trace.app.matching import matched, waited
from netlab.trace.app.span import Span
from netlab.trace.streams import Gap, Piece


@frozen
class HttpRequest:
    """A request; ``headers`` are pairs of text, as they stand there."""

    span: Span
    method: str
    target: str
    version: str
    headers: Headers
    body: Body

    def header(self, name: str) -> str | None:
        """The first value of a field, whatever the case of its name."""
        return _first(self.headers, name)


@frozen
class HttpResponse:
    """A response; as `HttpRequest`."""

    span: Span
    status: int
    reason: str
    version: str
    headers: Headers
    body: Body

    def header(self, name: str) -> str | None:
        """The first value of a field, whatever the case of its name."""
        return _first(self.headers, name)


@frozen
class Redirect:
    """Where a response sent its client, and the exchange whose request went there; `None` if none did."""

    location: str
    conversation: int | None = None
    index: int | None = None
    same_connection: bool = False


@frozen
class HttpExchange:
    """A request and its response; one of them is `None` if it is not in the capture.

    ``interim`` are the responses 1xx before it. ``waited`` is from the last packet of the request to the first of the
    response, in ns. ``pipelined``: the request was on its way before the response to the one before was complete.
    """

    request: HttpRequest | None
    response: HttpResponse | None
    interim: tuple[HttpResponse, ...] = ()
    waited: int | None = None
    pipelined: bool = False
    redirect: Redirect | None = None


@frozen
class HttpTalk:
    """All exchanges of a conversation, in order."""

    exchanges: tuple[HttpExchange, ...]


@frozen
class Unused:
    """A connection to an HTTP server over which nothing was sent, as browsers keep one in reserve.

    ``beside`` is the nearest conversation of the same client with that server that was used, `None` without one;
    ``lasted`` is in ns; ``closed_by`` is who closed or reset it first, 0 or 1, `None` if nobody did.
    """

    beside: int | None
    lasted: int
    closed_by: int | None


class HttpReader:
    """Reads both directions of a conversation whose ``client`` is 0 or 1."""

    def __init__(self, client: int, room: Room) -> None:
        self.faults = Faults()
        self.turns = ()
        self._client = client
        self._requests = HttpStream(client, self.faults, room)
        self._responses = HttpStream(1 - client, self.faults, room, self._method)
        #: Whether no more requests will come, so that no response need wait for one.
        self._closed = False

    def put(self, sender: int, part: Piece | Gap) -> None:
        """What is next in the stream of ``sender``."""
        if sender == self._client:
            self._requests.put(part)
            self._responses.resume()
        else:
            self._responses.put(part)

    def finish(self, ends: Ends) -> HttpTalk:
        """The exchanges; nothing more will come."""
        self._requests.finish(ends.closed(self._client))
        self._closed = True
        self._responses.resume()
        self._responses.finish(ends.closed(1 - self._client))
        in_order = not (self._requests.damaged or self._responses.damaged)
        requests = [_request(message) for message in self._requests.messages]
        responses = [_response(message) for message in self._responses.messages]
        return HttpTalk(tuple(exchanges(requests, responses, in_order)))

    def _method(self, number: int) -> str | None:
        """The method of a request; `None` if it may still come."""
        known = self._requests.methods
        if number < len(known):
            return known[number]
        return "" if self._closed or self._requests.damaged else None


def exchanges(requests: list[HttpRequest], responses: list[HttpResponse], in_order: bool) -> list[HttpExchange]:
    """Requests with their responses, which come in the same order (RFC 9112 §9.3.2), those 1xx before the final one."""
    interim: dict[int, list[HttpResponse]] = {}
    final: list[HttpResponse] = []
    for response in responses:
        if 100 <= response.status < 200 and response.status != 101:
            interim.setdefault(len(final), []).append(response)
        else:
            final.append(response)
    found: list[HttpExchange] = []
    number = 0
    for request, answer in matched(requests, final, in_order):
        early = tuple(interim.get(number, ())) if answer or number == len(final) else ()
        number += answer is not None or number == len(final)
        pipelined = bool(found and request and _overtakes(request, found[-1]))
        found.append(HttpExchange(request, answer, early, waited(request, answer), pipelined))
    return found


def _overtakes(request: HttpRequest, before: HttpExchange) -> bool:
    """Whether a request was on its way before the response to the one before it was complete."""
    if before.response is None:
        return before.request is not None
    return request.span.first < before.response.span.last


def _request(message: Message) -> HttpRequest:
    head = message.head
    assert isinstance(head, RequestHead)
    return HttpRequest(message.span, head.method, head.target, head.version, head.headers, message.body)


def _response(message: Message) -> HttpResponse:
    head = message.head
    assert isinstance(head, ResponseHead)
    return HttpResponse(message.span, head.status, head.reason, head.version, head.headers, message.body)


def _first(headers: Headers, name: str) -> str | None:
    name = name.lower()
    return next((value for key, value in headers if key.lower() == name), None)
