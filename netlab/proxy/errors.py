"""What can go wrong between the proxy and its upstreams."""

from netlab.common.errors import RemoteError


class UpstreamError(RemoteError):
    """No answer came from an upstream."""


class UpstreamUnreachable(UpstreamError):
    """No connection to an upstream could be made."""


class UpstreamClosed(UpstreamError):
    """An upstream closed the connection before its answer was complete.

    ``silently``: nothing of the answer had come, on a connection that had served before, so that the upstream most
    likely never saw the request.
    """

    def __init__(self, reason: str, *, silently: bool) -> None:
        super().__init__(reason)
        self.silently = silently


class UpstreamSilent(UpstreamError):
    """An upstream did not answer in time."""


class UpstreamMalformed(UpstreamError):
    """What an upstream sent is no answer; its connection is of no more use."""


class TooManyWaiting(UpstreamError):
    """Every connection is busy, and as many requests wait for one as may."""
