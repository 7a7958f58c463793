"""What can go wrong between the proxy and its upstreams."""

from netlab.common.errors import RemoteError

#: What the deployed proxy says when the server refuses (protocols.md §1, the answer of 170 bytes).
REFUSED = "Connection refused by server and the request was not in the cache/it was stale"


class UpstreamError(RemoteError):
    """No answer came from an upstream."""


class UpstreamUnreachable(UpstreamError):
    """No connection to an upstream could be made."""


class UpstreamRefused(UpstreamUnreachable):
    """Nothing listens where the upstream should."""


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


class NotAsked(UpstreamError):
    """No upstream was asked, for a reason that is not theirs."""


class TooManyWaiting(NotAsked):
    """Every connection is busy, and as many requests wait for one as may."""


class Stopping(NotAsked):
    """The proxy itself is about to end."""


def told(error: UpstreamError) -> str:
    """What a client and the log are told of an outage."""
    return REFUSED if isinstance(error, UpstreamRefused) else str(error)
