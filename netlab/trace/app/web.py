"""What HTTP says across connections: redirects that were followed, and connections that were kept and never used."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import urljoin, urlsplit

from attrs import evolve

from netlab.trace.app.application import HTTP, NOTHING, Application
from netlab.trace.app.http import HttpExchange, HttpRequest, HttpTalk, Redirect, Unused
from netlab.trace.facts import Conversation

_REDIRECTS = (300, 301, 302, 303, 307, 308)
_DEFAULT_PORT = 80

#: conversation and index of an exchange
_Place = tuple[int, int]
#: address of the client, address and port of the server
_Way = tuple[str, str, int | None]
#: address of the client, host and port that the request is for, path and query
_Target = tuple[str, str, int, str]


def linked(applications: Iterable[Application], conversations: Mapping[int, Conversation]) -> tuple[Application, ...]:
    """The applications with what only all of them together show."""
    all_of_them = tuple(applications)
    spoken = [one for one in all_of_them if isinstance(one.facts, HttpTalk) and one.conversation in conversations]
    if not spoken:
        return all_of_them
    asked = _asked(spoken, conversations)
    used = _Used()
    for one in spoken:
        used.add(_way(one, conversations[one.conversation]), conversations[one.conversation])
    return tuple(_linked(one, conversations.get(one.conversation), asked, used) for one in all_of_them)


class _Used:
    """The conversations in which HTTP was spoken, by who went where, in the order in which they began."""

    def __init__(self) -> None:
        self.servers: set[tuple[str, int | None]] = set()
        self._ways: defaultdict[_Way, list[tuple[int, int]]] = defaultdict(list)

    def add(self, way: _Way, one: Conversation) -> None:
        """One more; they come by number, and numbers are in the order of the first packets."""
        self.servers.add(way[1:])
        self._ways[way].append((one.began, one.number))

    def nearest(self, way: _Way, began: int) -> int | None:
        """The number of the one that began nearest to a time; `None` if there is none."""
        known = self._ways.get(way, [])
        place = bisect_right(known, (began, 0))
        return min(known[max(0, place - 1) : place + 1], key=lambda one: abs(one[0] - began), default=(0, None))[1]


def _linked(
    one: Application,
    conversation: Conversation | None,
    asked: "dict[_Target, list[tuple[int, _Place]]]",
    used: _Used,
) -> Application:
    if conversation is None:
        return one
    if one.protocol == NOTHING:
        return evolve(one, facts=_unused(one, conversation, used))
    if one.protocol == HTTP and isinstance(one.facts, HttpTalk):
        exchanges = tuple(_redirected(exchange, one, conversation, asked) for exchange in one.facts.exchanges)
        return evolve(one, facts=HttpTalk(exchanges))
    return one


def _way(one: Application, conversation: Conversation) -> _Way:
    """Who went where: the client's address, the server's address and port."""
    client, server = conversation.endpoints[one.client], conversation.endpoints[1 - one.client]
    return client.address, server.address, server.port


def _unused(one: Application, conversation: Conversation, used: _Used) -> Unused | None:
    """What an empty connection to an HTTP server was; `None` if its handshake was not finished, or it is no such."""
    way = _way(one, conversation)
    if None in conversation.handshake or way[1:] not in used.servers:
        return None
    closed_by = conversation.closing.by
    lasted = conversation.ended - conversation.began
    return Unused(used.nearest(way, conversation.began), lasted, closed_by)


def _asked(
    spoken: Iterable[Application], conversations: Mapping[int, Conversation]
) -> dict[_Target, list[tuple[int, _Place]]]:
    """The requests by what they were for, each with its first frame, in the order of these."""
    found: defaultdict[_Target, list[tuple[int, _Place]]] = defaultdict(list)
    for one in spoken:
        conversation = conversations[one.conversation]
        for index, exchange in enumerate(one.facts.exchanges):
            if exchange.request is not None:
                for target in _targets(exchange.request, one, conversation):
                    found[target].append((exchange.request.span.first, (one.conversation, index)))
    for places in found.values():
        places.sort()
    return dict(found)


def _targets(request: HttpRequest, one: Application, conversation: Conversation) -> set[_Target]:
    """What a request is for, by the name of its Host field and by the server's address."""
    client, server = conversation.endpoints[one.client], conversation.endpoints[1 - one.client]
    path = _path(request.target)
    named = _split("//" + (request.header("host") or ""))
    port = server.port or _DEFAULT_PORT
    targets = {(client.address, server.address, port, path)}
    if named is not None:
        targets.add((client.address, named[0], named[1] or port, path))
    return targets


def _redirected(
    exchange: HttpExchange,
    one: Application,
    conversation: Conversation,
    asked: Mapping[_Target, list[tuple[int, _Place]]],
) -> HttpExchange:
    request, response = exchange.request, exchange.response
    location = response.header("location") if response and response.status in _REDIRECTS else None
    if location is None or response is None:
        return exchange
    client, server = conversation.endpoints[one.client], conversation.endpoints[1 - one.client]
    host = (request.header("host") if request else None) or f"{server.address}:{server.port}"
    place = None
    try:
        there = urljoin(f"http://{host}{_path(request.target) if request else '/'}", location)
    except ValueError:
        there = ""
    named = _split(there)
    if named is not None:
        # A Host without a port is that of the server's, wherever it listens; in a full address it is HTTP's own.
        port = named[1] or (_DEFAULT_PORT if "://" in location else server.port) or _DEFAULT_PORT
        target = (client.address, named[0], port, _path(there))
        requests = asked.get(target, [])
        later = bisect_right(requests, (response.span.first, (1 << 62, 0)))
        place = requests[later][1] if later < len(requests) else None
    number, index = place or (None, None)
    return evolve(exchange, redirect=Redirect(location, number, index, number == one.conversation))


def _split(text: str) -> tuple[str, int | None] | None:
    """Host, in lower case, and port of an address; `None` if it is none."""
    try:
        parts = urlsplit(text)
        return (parts.hostname.lower(), parts.port) if parts.hostname else None
    except ValueError:
        return None


def _path(target: str) -> str:
    """Path and query of a target in any form, without the fragment, which is never sent."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return target
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
