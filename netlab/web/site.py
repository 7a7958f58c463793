"""What is served: a folder and some redirects, by the rules of HTTP or as the lab's old server did."""

from collections.abc import Callable, Mapping
from typing import Protocol as Shape

from werkzeug.http import http_date

from netlab.web import answer, lab, pages
from netlab.web.errors import Overloaded, RequestRefused
from netlab.web.folder import Absent, Folder
from netlab.web.kept import Entry
from netlab.web.reply import Reply
from netlab.web.request import Request
from netlab.web.resolve import Place, resolve, target_of
from netlab.web.response import Response

#: Where a target is sent on to: a status and a location.
Redirects = Mapping[bytes, tuple[int, str]]

_OVERLOADED = (503, "too many files are open; try again")


class Site(Shape):
    """What answers requests."""

    #: Whether HTTP/1.1 without a Host field is refused.
    host_required: bool

    def respond(self, request: Request) -> Response:
        """Answer a request. Its file must be closed."""

    def refuse(self, fault: RequestRefused) -> Reply:
        """Answer what is no request."""

    def apologize(self) -> Reply:
        """Answer after a fault of ours."""

    def head(self, reply: Reply, persistent: bool) -> bytes:
        """The head of an answer."""

    def turn_ends(self) -> None:
        """What was seen of files in this turn of the reactor has to be looked at again."""

    def close(self) -> None:
        """Close the files that are kept open."""


class Redirected(Exception):
    """The target is redirected; arguments are a status and a location."""


class OriginSite:
    """Answers by RFC 9110.

    :param boundary: separates the parts of an answer with several ranges; nobody who writes files may know it.
    :param wall: unix seconds.
    """

    host_required = True

    def __init__(
        self, folder: Folder, redirects: Redirects, *, lists: bool, boundary: str, wall: Callable[[], float]
    ) -> None:
        self._folder = folder
        self._redirects = redirects
        self._lists = lists
        self._boundary = boundary
        self._wall = wall
        self._second = 0
        self._date = b""
        #: The heads of this second, by the identity of their replies.
        self._heads: dict[int, tuple[Reply, bytes]] = {}

    def respond(self, request: Request) -> Response:
        """Answer a request."""
        try:
            answer.check_method(request.method)
            place = _place(request, self._redirects)
            response = self._found(request, place)
        except RequestRefused as fault:
            response = Response(answer.not_allowed(fault, closes=fault.status == 400))
        except Redirected as where:
            response = Response(pages.redirect(*where.args))
        except Overloaded:
            response = Response(pages.refusal(*_OVERLOADED))
        return response if request.method != b"HEAD" else _headed(response)

    def refuse(self, fault: RequestRefused) -> Reply:
        """Answer what is no request."""
        return answer.refused(fault)

    def apologize(self) -> Reply:
        """Answer after a fault of ours."""
        return pages.refusal(500, "the server has a fault", closes=True)

    def head(self, reply: Reply, persistent: bool) -> bytes:
        """The head of an answer, with the date of this second."""
        second = int(self._wall())
        if second != self._second:
            self._second, self._date = second, http_date(second).encode()
            self._heads.clear()
        if not persistent:
            return reply.head(self._date, persistent)
        head = self._heads.get(id(reply))
        if head is None or head[0] is not reply:
            head = self._heads[id(reply)] = (reply, reply.head(self._date, persistent))
        return head[1]

    def turn_ends(self) -> None:
        """Look at files again."""
        self._folder.turn_ends()

    def close(self) -> None:
        """Close the files that are kept open."""
        self._folder.close()

    # ---- inside

    def _found(self, request: Request, place: Place) -> Response:
        """Answer for a place that may be there."""
        file = self._folder.look(place.index_file if place.is_folder else place.path)
        if isinstance(file, Absent):
            return self._absent(place, file)
        try:
            return Response(self._reply(request, file), file)
        except BaseException:
            file.close()
            raise

    def _reply(self, request: Request, file: Entry) -> Reply:
        """Answer with a file that is there."""
        packed = file.packed is not None and answer.asks_packed(request.fields)
        special = answer.is_special(request.fields)
        reply = None if special else file.replies.get((request.method, packed))
        if reply is not None:
            return reply
        form = answer.representation(file.facts, file.packed if packed else None)
        varies = file.packed is not None
        if special:
            return answer.special(request, file.facts, form, varies=varies, boundary=self._boundary)
        reply = answer.plain(file.facts, form, varies=varies)
        reply = answer.without_body(reply) if request.method == b"HEAD" else reply
        file.replies[request.method, packed] = reply
        return reply

    def _absent(self, place: Place, why: Absent) -> Response:
        """Answer for a place where there is no file: with its folder's page, if that may be seen."""
        if why is Absent.FORBIDDEN:
            return Response(pages.refusal(403, "the file cannot be read"))
        if why is Absent.FOLDER and not place.is_folder:
            return Response(pages.redirect(301, (target_of(place.path) + b"/" + place.query).decode()))
        if self._lists and place.is_folder:
            names = self._folder.names(place.path)
            if not isinstance(names, Absent):
                return Response(pages.listing(place.path, *names))
        return Response(pages.refusal(404, "nothing is served there"))


class OldSite:
    """Answers as the lab's old server did, to the byte (protocols.md §3); ``/`` alone has an index file."""

    host_required = False

    def __init__(self, folder: Folder, redirects: Redirects) -> None:
        self._folder = folder
        self._redirects = redirects

    def respond(self, request: Request) -> Response:
        """Answer a request."""
        try:
            answer.check_method(request.method)
            place = _place(request, self._redirects)
            is_below = place.is_folder and place.path
            file = Absent.MISSING if is_below else self._folder.look(place.path or place.index_file)
        except RequestRefused as fault:
            return Response(lab.refusal(fault.status))
        except Redirected as where:
            return Response(lab.redirect(*where.args))
        except Overloaded:
            return Response(lab.refusal(503))
        if isinstance(file, Absent):
            return Response(lab.refusal(404))
        response = Response(lab.found(file.facts), file)
        return response if request.method != b"HEAD" else _headed(response)

    def refuse(self, fault: RequestRefused) -> Reply:
        """Answer what is no request."""
        return lab.refusal(fault.status)

    def apologize(self) -> Reply:
        """Answer after a fault of ours."""
        return lab.refusal(500)

    def head(self, reply: Reply, persistent: bool) -> bytes:
        """The head of an answer."""
        return lab.head(reply, persistent)

    def turn_ends(self) -> None:
        """Look at files again."""
        self._folder.turn_ends()

    def close(self) -> None:
        """Close the files that are kept open."""
        self._folder.close()


def redirects_of(rules: list[tuple[int, str, str]]) -> Redirects:
    """Status, from, to: as a site looks them up.

    :raises TargetRefused: one of the targets to redirect is none.
    """
    return {_key(resolve(source.encode())): (status, target) for status, source, target in rules}


def _place(request: Request, redirects: Redirects) -> Place:
    """Where a request leads; raises `RequestRefused` or `Redirected`."""
    place = resolve(request.target)
    if redirects and (rule := redirects.get(_key(place))):
        raise Redirected(*rule)
    return place


def _key(place: Place) -> bytes:
    return place.path + b"/" if place.is_folder else place.path


def _headed(response: Response) -> Response:
    """The same for HEAD."""
    if not response.reply.body:
        return response
    return Response(answer.without_body(response.reply), response.file)
