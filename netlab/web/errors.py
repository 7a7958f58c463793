"""What can be wrong with a request, with a server's response, and with the files that are served."""

from netlab.common.errors import LocalError, NetlabError, RemoteError


class WebError(NetlabError):
    """Any error of the file server and its client."""


class RequestRefused(WebError, RemoteError):
    """A request that gets an error for an answer, after which its connection is closed.

    :param status: the code of that answer (RFC 9110 §15.5).
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class TargetRefused(RequestRefused):
    """A request target that names no resource of any folder: 400 if it is no target at all, else 404."""


class ResponseError(WebError, RemoteError):
    """What came is no response of HTTP/1.1, or one beyond our limits."""


class NoResponse(WebError, RemoteError):
    """The connection ended, or the time was up, before the response was whole."""


class BadUrl(WebError, LocalError):
    """A URL that cannot be fetched."""


class FileChanged(WebError):
    """A file became another while it was being sent: what follows would not belong to what was sent."""


class Overloaded(WebError):
    """The system lets us open no more files for now."""
