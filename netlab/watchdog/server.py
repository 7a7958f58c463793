"""The watchdog itself: clients' connections joined to `netlab.watchdog.liveness` (protocols.md §4)."""

import select
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from netlab.common.addresses import address_text
from netlab.watchdog.expiry import Action, Silence
from netlab.watchdog.liveness import Expired, Liveness
from netlab.watchdog.peers import NoPeer, Peer, peer_of
from netlab.watchdog.wire import AnyBytesReader, Message, MessageReader


@frozen
class Rules:
    """How clients are watched: seconds from a sign of life to the deadline, what is one, and how many may be here."""

    timeout: float = 10.0
    any_bytes: bool = False
    max_connections: int = 1000


class Watched(Protocol):
    """One client's connection."""

    transport: Any

    def __init__(self, factory: "WatchdogFactory") -> None:
        self._factory = factory
        self.reader = AnyBytesReader() if factory.rules.any_bytes else MessageReader()
        #: Who is there: for the log, and for whoever has to be ended.
        self.name = ""
        self.peer: Peer = NoPeer()
        #: Why we ended the connection, where we did; nothing that comes is heard any more.
        self.why: str | None = None

    def connectionMade(self) -> None:
        """A client is here."""
        self.name = address_text(self.transport.getPeer())
        self.peer = peer_of(self.transport)
        self._factory.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """Something came."""
        if self.why is None:
            self._factory.heard(self, self.reader.feed(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone."""
        self._factory.closed(self, reason)

    def has_unread(self) -> bool:
        """Whether the kernel has something from this client, or its end, that was not read yet."""
        try:
            descriptor = self.transport.getHandle().fileno()
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(0))
        except (AttributeError, OSError, ValueError):
            return False


class WatchdogFactory(Factory):
    """Watches every client by its own deadline, and has ``action`` done about whom it does not hear.

    Every event looks at the deadlines first, so that a flood from one client delays no other's expiry; a client's
    bytes that have come in time are heard even if they could not be read in time.

    :param reactor: for time and timers; its clock must not follow the system's (`netlab.common.monotonic`).
    """

    noisy = False
    log = Logger(namespace="netlab.watchdog")

    def __init__(self, reactor: Any, rules: Rules, action: Action) -> None:
        self.rules = rules
        self._clock = reactor
        self._action = action
        self._liveness: Liveness[Watched] = Liveness(rules.timeout)
        self._connections: set[Watched] = set()
        self._timer: IDelayedCall | None = None
        self._stopped: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Watched | None:
        """A connection, or `None` (Twisted closes it) when there are as many as there may be."""
        if self._stopped is not None or len(self._connections) >= self.rules.max_connections:
            self.log.warn(
                "{{{peer}}} Connection refused: {count} are open, the most that may be",
                peer=address_text(addr),
                count=len(self._connections),
            )
            return None
        return Watched(self)

    def stop(self) -> Deferred[None]:
        """Close every connection, and let what is done about somebody come to its end; fires then."""
        if self._stopped is None:
            self._stopped = Deferred()
            for client in list(self._connections):
                self._close(client, "the watchdog stops")
            self._check_stopped()
        return DeferredList([self._stopped, self._action.stop()]).addCallback(lambda _: None)

    def excuse_all(self) -> None:
        """Give everybody a whole time-out from now: this process did not run, and could hear nobody."""
        now = self._clock.seconds()
        for client in self._liveness.everyone():
            self._liveness.excuse(client, now)

    # ---- what connections say

    def opened(self, client: Watched) -> None:
        """A client is there."""
        self._connections.add(client)
        self._liveness.connect(client, self._clock.seconds())
        self.log.info("Connection established with {peer}", peer=client.name)
        self._look()

    def heard(self, client: Watched, messages: list[Message]) -> None:
        """Messages came, none if what came completes none; the client's reader knows whether it is at fault."""
        self._look()
        if messages and client in self._liveness:
            if self._liveness.life(client).started is None:
                self.log.info(
                    "{{{peer}}} Asked to be watched: every {timeout:g} s a sign of life",
                    peer=client.name,
                    timeout=self.rules.timeout,
                )
            self._liveness.hear(client, len(messages), self._clock.seconds())
            self.tell(client, messages)
        if client.reader.fault is not None:
            self._close(client, str(client.reader.fault))

    def closed(self, client: Watched, reason: Failure) -> None:
        """A connection is gone: nothing of it may stay."""
        self._connections.discard(client)
        self._liveness.drop(client)
        why = client.why
        if why is None and not reason.check(ConnectionDone, ConnectionAborted):
            why = reason.getErrorMessage()
        self.log.info("{{{peer}}} Connection closed" + (": {why}" if why else ""), peer=client.name, why=why)
        self._check_stopped()

    def tell(self, client: Watched, messages: list[Message]) -> None:
        """For those who want to see every message."""

    # ---- what time says

    def _look(self) -> None:
        """Do what is due, and have the timer wait for the next deadline."""
        now = self._clock.seconds()
        following = self._liveness.next()
        if following is not None and following <= now:
            for expired in self._liveness.expired(now):
                self._judge(expired, now)
            following = self._liveness.next()
        if following is not None and self._timer is None:
            self._timer = self._clock.callLater(max(0.0, following - now), self._due)

    def _due(self) -> None:
        self._timer = None
        self._look()

    def _judge(self, expired: Expired[Watched], now: float) -> None:
        client = expired.key
        if not expired.reprieved and client.has_unread():
            self._liveness.reprieve(expired, now)
        elif expired.life.started is None:
            self._close(client, f"not asked to be watched within {self.rules.timeout:g} s")
        else:
            self._expire(client, expired)

    def _expire(self, client: Watched, expired: Expired[Watched]) -> None:
        client.why = f"no sign of life for {self.rules.timeout:g} s"
        self.log.warn(
            "{{{peer}}} No sign of life for {timeout:g} s (there were {signs:,} before)",
            peer=client.name,
            timeout=self.rules.timeout,
            signs=expired.life.signs,
        )
        silence = Silence(client.name, client.peer, expired.life, expired.deadline, self.rules.timeout)
        self._action.expired(silence).addCallback(lambda _: client.transport.loseConnection())

    def _close(self, client: Watched, why: str) -> None:
        client.why = client.why or why
        self._liveness.drop(client)
        client.transport.loseConnection()

    def _check_stopped(self) -> None:
        if self._stopped is None or self._connections or self._stopped.called:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._stopped.callback(None)
