"""The lab's answers, byte for byte as its old server gave them (protocols.md §3): few fields, and no page for an error.

Files are answered whole: there are no conditions, ranges or codings. `Connection` is always said, as the client said
it, and every answer but 200 is the last of its connection.
"""

from netlab.web.facts import Facts
from netlab.web.ranges import Slice
from netlab.web.reply import Reply, status_line


def found(facts: Facts) -> Reply:
    """A file, all of it."""
    return Reply(200, body=(Slice(0, facts.size),), length=facts.size)


def refusal(status: int) -> Reply:
    """An error: 45 bytes for a 404."""
    fields = (("Allow", "GET, HEAD"),) if status == 405 else ()
    return Reply(status, fields, length=None, closes=True)


def redirect(status: int, location: str) -> Reply:
    """A redirect: 77 bytes for a 301 to ``/result.html``."""
    return Reply(status, (("Location", location),), length=None, closes=True)


def head(reply: Reply, persistent: bool) -> bytes:
    """The head of an answer: the status, the connection, and what else there has to be."""
    lines = [status_line(reply.status), b"Connection: keep-alive\r\n" if persistent else b"Connection: close\r\n"]
    lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in reply.fields]
    if reply.length is not None:
        lines.append(b"Content-Length: %d\r\n" % reply.length)
    return b"".join((*lines, b"\r\n"))
