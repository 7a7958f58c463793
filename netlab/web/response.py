"""Responses: a reply with the file that it is of, and those that were given in one turn of the reactor."""

from typing import NamedTuple

from netlab.web.access_log import Asked
from netlab.web.kept import Entry
from netlab.web.reply import Reply
from netlab.web.request import Request


class Response(NamedTuple):
    """A reply, and the file that the slices in its body are of; it must be closed after use."""

    reply: Reply
    file: Entry | None = None


class Answer(NamedTuple):
    """A response, its head as bytes, and what the access log says of it; after a ``persistent`` one more may follow."""

    response: Response
    head: bytes
    persistent: bool
    asked: Asked


def asked_of(request: Request | None, reply: Reply) -> Asked:
    """What the access log says of an answer; ``request`` is `None` if what it answers was none."""
    if request is None:
        return Asked(b"-", reply.status, reply.size)
    fields = request.fields
    return Asked(request.line, reply.status, reply.size, fields.get(b"referer"), fields.get(b"user-agent"))


class Repeated:
    """The answers of one turn of the reactor: who asks the same as another in the same turn is answered the same.

    Those connections were all readable before the first of them was answered, so nobody who waits for an answer before
    he goes on can tell whether the file was looked at once or for each. Equal heads are one `Request` object
    (`netlab.web.request.Heads`).
    """

    def __init__(self) -> None:
        self._answers: dict[int, tuple[Request, Answer]] = {}

    def get(self, request: Request) -> Answer | None:
        """The answer to this request, if it was given in this turn."""
        known = self._answers.get(id(request))
        return known[1] if known is not None and known[0] is request else None

    def put(self, request: Request, answer: Answer) -> None:
        """Give this answer again in this turn, if its content is in memory; an open file is its one user's to close."""
        entry = answer.response.file
        if answer.persistent and entry is not None and entry.file is None:
            self._answers[id(request)] = (request, answer)

    def turn_ends(self) -> None:
        """Look again."""
        self._answers.clear()
