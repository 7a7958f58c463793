"""txredisapi's protocol, held to account: a Redis that answers rubbish, or without end, is left.

Importing this imports txredisapi, and with that the reactor.
"""

from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure
from txredisapi import RedisProtocol

from netlab.proxy.stores.packing import MAX_PACKED

#: Bytes of one answer at most. The longest are an entry, and the names of one step through all keys.
MAX_ANSWER = 2 * MAX_PACKED


class CheckedProtocol(RedisProtocol):  # type: ignore[misc] # txredisapi has no types
    """One connection, on which each answer belongs to a question; it is dropped when that is no longer sure."""

    def __init__(self, **options: Any) -> None:
        # Bytes stay bytes, and what looks like a number too.
        super().__init__(charset=None, convertNumbers=False, **options)
        #: Fires when Redis refuses the password or the database, with the reason.
        self.refused: Deferred[str] = Deferred()
        #: Fires as soon as the connection is of no more use, with the reason.
        self.useless: Deferred[str] = Deferred()
        self.reason: str | None = None
        self.factory = _Reports(self.refused)
        self._answer_length = 0

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """Read what Redis answers; txredisapi calls this again with what it put off."""
        self._answer_length += 0 if unpause else len(data)
        try:
            super().dataReceived(data, unpause)
        except Exception as error:  # whatever txredisapi makes of bytes that are no Redis's
            self.leave(f"what it answered cannot be read ({type(error).__name__})")
            return
        if self.replyQueue.pending:
            self.leave("it answered what was not asked")
        elif self._answer_length > MAX_ANSWER:
            self.leave("it answered without end")

    def replyReceived(self, reply: object) -> None:  # noqa: N802 - txredisapi's name
        """An answer is whole."""
        self._answer_length = 0
        super().replyReceived(reply)

    def connectionLost(self, why: Failure = connectionDone) -> None:
        """The connection is gone; whatever waits for an answer fails."""
        self._end("it closed the connection")
        super().connectionLost(why)

    def leave(self, why: str) -> None:
        """Drop the connection."""
        self._end(why)
        self.transport.abortConnection()

    def _end(self, why: str) -> None:
        if self.reason is None:
            self.reason = why
            self.useless.callback(why)


class CheckedFactory(Factory):
    """Makes connections whose user is not told before Redis has accepted the password and the database."""

    noisy = False

    def __init__(self, password: str | None, user: str | None, database: int) -> None:
        self._options = {"password": password, "username": user or None, "dbid": database or None}

    def buildProtocol(self, _: object) -> CheckedProtocol:
        """One connection."""
        return CheckedProtocol(**self._options)


@frozen(eq=False)
class _Reports:
    """What txredisapi's protocol takes for its factory, and tells when Redis refuses the password or the database."""

    refused: "Deferred[str]"
    isLazy: bool = False  # noqa: N815 - txredisapi's name

    def stopTrying(self) -> None:  # noqa: N802
        """Nothing is tried by itself."""

    def connectionError(self, why: str) -> None:  # noqa: N802
        """Redis refused."""
        self.refused.callback(why.removeprefix("Redis error: "))
