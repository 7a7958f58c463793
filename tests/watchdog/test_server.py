"""Clients' connections joined to deadlines, on a clock that the test turns."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase

from netlab.watchdog.expiry import Silence
from netlab.watchdog.liveness import REPRIEVE
from netlab.watchdog.server import Rules, WatchdogFactory, Watched
from netlab.watchdog.wire import ALIVE, START


class Recorder:
    """An action that notes who was silent; ``done`` says when it is over, if not at once."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.silences: list[tuple[float, Silence]] = []
        self.done: Deferred[None] | None = None

    def expired(self, silence: Silence) -> Deferred[None]:
        self.silences.append((self.clock.seconds(), silence))
        return self.done or succeed(None)

    def stop(self) -> Deferred[None]:
        return succeed(None)


class Transport(StringTransportWithDisconnection):
    """A transport over a real socket's handle, into which a test can write what the reactor has not read yet."""

    def __init__(self) -> None:
        super().__init__()
        self.socket, self.far = socket.socketpair()

    def getHandle(self) -> socket.socket:
        return self.socket


class ServerTests(SynchronousTestCase):
    """Ten seconds of silence, and what comes between."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.action = Recorder(self.clock)
        self.factory = WatchdogFactory(self.clock, Rules(timeout=10.0, max_connections=3), self.action)

    def client(self, start: bool = True) -> Watched:
        client: Any = self.factory.buildProtocol(None)
        transport = Transport()
        self.addCleanup(transport.socket.close)
        self.addCleanup(transport.far.close)
        transport.protocol = client
        client.makeConnection(transport)
        if start:
            client.dataReceived(START)
        return client

    def advance(self, seconds: float, step: float = 0.01) -> None:
        """Turn the clock in small steps, as a reactor would."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def test_expiry(self) -> None:
        """Ten seconds after the last sign, and no later, the action is taken and the connection closed."""
        client = self.client()
        self.advance(4)
        client.dataReceived(ALIVE)
        self.advance(10.05)
        ((when, silence),) = self.action.silences
        self.assertApproximates(when, 14.0, 0.011)
        self.assertEqual((silence.life.signs, silence.timeout), (1, 10.0))
        self.assertFalse(client.transport.connected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_busy_reactor(self) -> None:
        """Where no timer gets its turn, any event of any client brings what is due."""
        silent, busy = self.client(), self.client()
        self.clock.rightNow = 10.0
        busy.dataReceived(ALIVE)
        self.assertEqual([silence.name for _, silence in self.action.silences], [silent.peer, busy.peer])

    def test_unread(self) -> None:
        """Bytes that have come in time are heard though the reactor reads them late."""
        client = self.client()
        client.transport.far.sendall(ALIVE)
        self.clock.advance(10.0)
        self.assertEqual(self.action.silences, [])
        client.dataReceived(client.transport.socket.recv(100))
        self.advance(9.9)
        self.assertEqual(self.action.silences, [])
        self.advance(0.2)
        self.assertEqual(len(self.action.silences), 1)

    def test_unread_for_ever(self) -> None:
        """Bytes that never make a message put the end off once, by a moment."""
        client = self.client()
        client.transport.far.sendall(ALIVE[:2])
        self.clock.advance(10.0)
        self.assertEqual(self.action.silences, [])
        self.clock.advance(REPRIEVE)
        self.assertEqual(len(self.action.silences), 1)

    def test_too_late(self) -> None:
        """A sign of life after the end has begun does not stop it."""
        self.action.done = Deferred()
        client = self.client()
        self.advance(10.1)
        client.dataReceived(ALIVE + b"junk")
        self.assertTrue(client.transport.connected)
        self.action.done.callback(None)
        self.assertFalse(client.transport.connected)
        self.assertEqual(len(self.action.silences), 1)

    def test_crowd(self) -> None:
        """More than there may be are turned away; one who goes makes room."""
        clients = [self.client() for _ in range(3)]
        self.assertIsNone(self.factory.buildProtocol(None))
        clients[0].transport.loseConnection()
        self.assertIsNotNone(self.factory.buildProtocol(None))

    def test_stop(self) -> None:
        """Stopping closes everybody, blames nobody and leaves no timer."""
        client = self.client()
        self.successResultOf(self.factory.stop())
        self.assertFalse(client.transport.connected)
        self.assertEqual((self.action.silences, self.clock.getDelayedCalls()), ([], []))

    def test_excuse(self) -> None:
        """When the watchdog itself was stopped, everybody begins anew."""
        self.client()
        self.advance(9)
        self.factory.excuse_all()
        self.advance(9.9)
        self.assertEqual(self.action.silences, [])
        self.advance(0.2)
        self.assertEqual(len(self.action.silences), 1)
