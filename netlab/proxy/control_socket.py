"""The proxy's control socket: a question is a line of JSON, and so is its answer (docs/proxy.md).

It is a UNIX socket that only its owner may open, because who controls a cache decides what others are told.
"""

import json
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.interfaces import IAddress, IDelayedCall, IPullProducer, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.common.daemon import CannotStart, ListeningService
from netlab.proxy.control import Control
from netlab.proxy.control_path import ControlPath

T = TypeVar("T")

#: Seconds after which a caller is cut off that asks nothing, or does not read what it asked for.
_PATIENCE = 60

#: Questions of one caller that may wait for their turn, and callers at once.
_MOST_WAITING = 16
_MOST_CALLERS = 16

_BACKLOG = 16


@implementer(IPullProducer)
class ControlProtocol(LineOnlyReceiver, TimeoutMixin):
    """One caller. Its questions are answered in order, the next when the answer before it has been read."""

    delimiter = b"\n"
    MAX_LENGTH = 4_096
    transport: Any

    def __init__(self, factory: "ControlFactory") -> None:
        self._callers = factory
        self._questions: deque[bytes] = deque()
        #: Whether a question is being answered, and whether its answer only has to be read.
        self._answering = False
        self._sent = False
        self.gone: Deferred[None] = Deferred()

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:
        """The timer of `TimeoutMixin`, on our clock."""
        return self._callers.clock.callLater(period, func)

    def connectionMade(self) -> None:
        """A caller is here."""
        self._callers.open.add(self)
        self.setTimeout(_PATIENCE)

    def lineReceived(self, line: bytes) -> None:
        """Answer a question once those before it are answered."""
        self.resetTimeout()
        if len(self._questions) >= _MOST_WAITING:
            self.transport.abortConnection()
            return
        self._questions.append(line)
        self._next()

    def resumeProducing(self) -> None:
        """The caller has read an answer: on with the next question."""
        if self._sent:
            self.transport.unregisterProducer()
            self.resetTimeout()
            self._answering = self._sent = False
            self._next()

    def stopProducing(self) -> None:
        """The transport takes no more bytes; `connectionLost` follows."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The caller is gone."""
        self._questions.clear()
        self._callers.open.discard(self)
        self.setTimeout(None)
        self.gone.callback(None)

    def _next(self) -> None:
        if self._questions and not self._answering:
            self._answering = True
            Deferred.fromCoroutine(self._answer(self._questions.popleft()))

    async def _answer(self, line: bytes) -> None:
        answer = await self._callers.answer(line)
        if not self.gone.called:
            self.sendLine(json.dumps(answer).encode())
            self.transport.registerProducer(self, False)  # which calls `resumeProducing` at once, too early
            self._sent = True


class ControlFactory(Factory):
    """Makes the connections of the control socket."""

    noisy = False
    log = Logger(namespace="netlab.proxy")

    def __init__(self, control: Control, clock: IReactorTime) -> None:
        self.clock = clock
        self.open: set[ControlProtocol] = set()
        self._control = control

    def buildProtocol(self, addr: IAddress | None) -> ControlProtocol | None:
        """A connection for one caller; `None` (Twisted closes it) when there are as many as there may be."""
        return ControlProtocol(self) if len(self.open) < _MOST_CALLERS else None

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to a question; a fault of ours is logged and answered."""
        try:
            return await self._control.answer(line)
        except Exception:
            self.log.failure("A fault of ours while answering the control socket")
            return {"error": "a fault of the proxy's own; its log says more"}

    def stop(self) -> Deferred[None]:
        """Cut every caller off; fires when all are gone."""
        callers = list(self.open)
        for caller in callers:
            caller.transport.abortConnection()
        return gatherResults([caller.gone for caller in callers]).addCallback(lambda _: None)


class ControlService(ListeningService):
    """Listens on the UNIX socket ``path`` while it runs.

    :raises CannotStart: when it starts, if the path is not that of a socket, or another proxy's.
    """

    def __init__(self, path: str, factory: ControlFactory, reactor: Any) -> None:
        endpoint = UNIXServerEndpoint(reactor, path, _BACKLOG, mode=0o600, wantPID=0)
        super().__init__("the control socket", f"--control {path}", endpoint, factory, factory.stop)
        self._place = ControlPath(path)

    def privilegedStartService(self) -> None:
        """Listen, in the place of a dead proxy that left its socket behind."""
        self._place.take()
        try:
            super().privilegedStartService()
        except CannotStart:
            self._place.release()
            raise

    def stopService(self) -> Deferred[None]:
        """Stop listening; fires when every caller is gone."""
        return super().stopService().addBoth(self._stopped)

    def _stopped(self, outcome: T) -> T:
        self._place.release()
        return outcome
