"""The watchdog itself: clients' connections joined to `netlab.watchdog.liveness` (protocols.md §4)."""

import select
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.common.addresses import address_text
from netlab.common.limits import ConnectionLimits
from netlab.common.serving import ServedFactory, ServedProtocol
from netlab.watchdog.expiry import Action, Silence
from netlab.watchdog.liveness import Expired, Liveness
from netlab.watchdog.peers import NoPeer, Peer, peer_of
from netlab.watchdog.wire import AnyBytesReader, Message, MessageReader

#: What the lab's old watchdog said of each message, letter for letter, and of the end of a connection.
_OLD_WORDS = {Message.START: "start mesg recievde", Message.ALIVE: "watchdog, make the timer zero!!"}
_OLD_END = "Problem in receiving"


@frozen
class Rules(ConnectionLimits):
    """How clients are watched: ``timeout`` seconds from a sign of life to the deadline.

    With ``any_bytes`` whatever comes is a sign of life; with ``old_words`` the log also has the old program's lines.
    """

    timeout: float = 10.0
    any_bytes: bool = False
    old_words: bool = False


class Alarm:
    """One timer that calls when the earliest of many deadlines comes; deadlines that move away cost nothing."""

    def __init__(self, clock: IReactorTime, call: Callable[[], None]) -> None:
        self._clock = clock
        self._call = call
        self._timer: IDelayedCall | None = None

    def set(self, time: float) -> None:
        """Call at ``time``, or before if that was asked before."""
        if self._timer is None:
            self._timer = self._clock.callLater(max(0.0, time - self._clock.seconds()), self._ring)

    def stop(self) -> None:
        """Do not call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._call()


class Watched(ServedProtocol):
    """One client's connection."""

    transport: Any

    def __init__(self, factory: "WatchdogFactory") -> None:
        self._factory = factory
        self.reader = AnyBytesReader() if factory.rules.any_bytes else MessageReader()
        #: Who may have to be ended.
        self.holder: Peer = NoPeer()

    def connectionMade(self) -> None:
        """A client is here."""
        self.peer = address_text(self.transport.getPeer())
        self.holder = peer_of(self.transport)
        self._factory.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """Something came; once we have ended the connection, it is not heard."""
        if self.why is None:
            self._factory.heard(self, self.reader.feed(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone."""
        self._factory.closed(self, reason)

    def finish(self) -> None:
        """Nothing of a client is ever unfinished."""
        self.end("the watchdog stops")

    def end(self, why: str) -> None:
        """Close."""
        self.why = self.why or why
        self.transport.loseConnection()

    def has_unread(self) -> bool:
        """Whether the kernel has something from this client, or its end, that was not read yet."""
        handle = self.transport.getHandle() if hasattr(self.transport, "getHandle") else None
        if handle is None:
            return False
        poll = select.poll()
        poll.register(handle.fileno(), select.POLLIN)
        return bool(poll.poll(0))


class WatchdogFactory(ServedFactory[Watched]):
    """Watches every client by its own deadline, and has ``action`` done about whom it does not hear.

    Every event looks at the deadlines first, so that a flood from one client delays no other's expiry; a client's
    bytes that have come in time are heard even if they could not be read in time.

    :param reactor: for time and timers; its clock must not follow the system's (`netlab.common.monotonic`).
    """

    log = Logger(namespace="netlab.watchdog")

    def __init__(self, reactor: IReactorTime, rules: Rules, action: Action) -> None:
        super().__init__(reactor, rules)
        self.rules = rules
        self._action = action
        self._liveness: Liveness[Watched] = Liveness(rules.timeout)
        self._alarm = Alarm(reactor, self._look)
        self.timers.append(self._alarm)

    def connection(self) -> Watched:
        """A new client's."""
        return Watched(self)

    def stop(self) -> Deferred[None]:
        """Close every connection, and let what is done about somebody come to its end; fires then."""
        return super().stop().addCallback(lambda _: self._action.stop())

    def excuse_all(self) -> None:
        """Give everybody a whole time-out from now: this process was stopped, and could hear nobody."""
        now = self._clock.seconds()
        for client in self._liveness.everyone():
            self._liveness.excuse(client, now)

    # ---- what connections say

    def opened(self, client: Watched) -> None:
        """A client is there."""
        super().opened(client)
        self._liveness.connect(client, self._clock.seconds())
        self._look()

    def heard(self, client: Watched, messages: list[Message]) -> None:
        """Messages came, none if what came completes none; the client's reader knows whether it is at fault."""
        self._look()
        if messages and client in self._liveness:
            self._tell(client, messages)
            self._liveness.hear(client, len(messages), self._clock.seconds())
        if client.reader.fault is not None:
            self._liveness.drop(client)
            client.end(str(client.reader.fault))

    def closed(self, client: Watched, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        self._liveness.drop(client)
        if self.rules.old_words:
            self.log.info(_OLD_END)
        super().closed(client, reason)

    def _tell(self, client: Watched, messages: list[Message]) -> None:
        if self._liveness.life(client).started is None:
            line = "{{{peer}}} Asked to be watched: a sign of life every {timeout:g} s"
            self.log.info(line, peer=client.peer, timeout=self.rules.timeout)
        for message in dict.fromkeys(messages) if self.rules.old_words else ():
            self.log.info(_OLD_WORDS[message])

    # ---- what time says

    def _look(self) -> None:
        """Do what is due, and have the alarm wait for the next deadline."""
        now = self._clock.seconds()
        following = self._liveness.next()
        if following is not None and following <= now:
            for expired in self._liveness.expired(now):
                self._judge(expired, now)
            following = self._liveness.next()
        if following is not None:
            self._alarm.set(following)

    def _judge(self, expired: Expired[Watched], now: float) -> None:
        client = expired.key
        if not expired.reprieved and client.has_unread():
            self._liveness.reprieve(expired, now)
        elif expired.life.started is None:
            client.end(f"not asked to be watched within {self.rules.timeout:g} s")
        else:
            self._expire(client, expired)

    def _expire(self, client: Watched, expired: Expired[Watched]) -> None:
        client.why = f"no sign of life for {self.rules.timeout:g} s"
        self.log.warn(
            "{{{peer}}} No sign of life for {timeout:g} s; there were {signs:,} before",
            peer=client.peer,
            timeout=self.rules.timeout,
            signs=expired.life.signs,
        )
        silence = Silence(client.peer, client.holder, expired.life, expired.deadline, self.rules.timeout)
        self._action.expired(silence).addCallback(lambda _: client.transport.loseConnection())
