"""The watchdog's client, for programs: tell a watchdog that one is alive, and be told when it is gone.

`connect` gives a `Connection`. Call its `Connection.start` once and its `Connection.alive` after every sign of life;
`Connection.when_gone` tells that nobody watches any more. A watchdog that is a child of the program itself is made
by `netlab.watchdog.companion`.
"""

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.common.addresses import address_text
from netlab.common.connecting import connect_to
from netlab.watchdog.errors import WatchdogGone
from netlab.watchdog.wire import ALIVE, START

#: Seconds to wait for a connection.
TIMEOUT = 10.0


def connect(
    endpoint: IStreamClientEndpoint, clock: IReactorTime, *, timeout: float = TIMEOUT
) -> "Deferred[Connection]":
    """Connect to a watchdog; the Deferred fails with `netlab.common.errors.ConnectFailed`.

    :param timeout: seconds until the connection is there.
    """
    connecting = connect_to(endpoint, Factory.forProtocol(Connection), clock, timeout)
    return connecting.addCallback(lambda connection: cast(Connection, connection))


@implementer(IPushProducer)
class Connection(Protocol):
    """A connection to a watchdog, as `connect` gives it.

    Once it is gone, `start` and `alive` do nothing: who wants to know asks `when_gone`. Signs of life for a watchdog
    that does not read them are dropped: it has enough of them to read.
    """

    transport: Any

    def __init__(self) -> None:
        self._gone: Failure | None = None
        self._waiting: list[Deferred[None]] = []
        self._ours = False
        self._held = False
        #: Who watches: ``127.0.0.1:3000``, or the path of a UNIX socket.
        self.peer = ""

    def start(self) -> None:
        """Ask to be watched; the first deadline is the watchdog's time-out from now."""
        self._write(START)

    def alive(self) -> None:
        """Give a sign of life: the deadline is a whole time-out from now."""
        if not self._held:
            self._write(ALIVE)

    def when_gone(self) -> Deferred[None]:
        """Fails with `WatchdogGone` once nobody watches; fires if it was `close` that ended the connection."""
        gone: Deferred[None] = Deferred(self._waiting_no_more)
        if self._gone is None:
            self._waiting.append(gone)
        else:
            self._tell(gone)
        return gone

    def close(self) -> Deferred[None]:
        """Say goodbye, which ends the watching; fires when the connection is gone."""
        if self._gone is None:
            self._ours = True
            self.transport.unregisterProducer()
            self.transport.loseConnection()
        return self.when_gone()

    # ---- what Twisted calls

    def connectionMade(self) -> None:
        """The watchdog is there. A sign of life is not held back to be sent with others."""
        self.peer = address_text(self.transport.getPeer())
        if hasattr(self.transport, "setTcpNoDelay"):
            self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell those who wait."""
        self._gone = reason
        waiting, self._waiting = self._waiting, []
        for gone in waiting:
            self._tell(gone)

    def pauseProducing(self) -> None:
        """The watchdog does not read."""
        self._held = True

    def resumeProducing(self) -> None:
        """It has read."""
        self._held = False

    def stopProducing(self) -> None:
        """The transport takes no more bytes; `connectionLost` follows."""

    # ---- inside

    def _write(self, message: bytes) -> None:
        if self._gone is None and not self._ours:
            self.transport.write(message)

    def _waiting_no_more(self, gone: Deferred[None]) -> None:
        if gone in self._waiting:
            self._waiting.remove(gone)

    def _tell(self, gone: Deferred[None]) -> None:
        if self._ours:
            gone.callback(None)
        elif self._gone is not None and not self._gone.check(ConnectionDone):
            gone.errback(WatchdogGone(f"the connection to the watchdog was lost: {self._gone.getErrorMessage()}"))
        else:
            gone.errback(WatchdogGone("the watchdog closed the connection"))
