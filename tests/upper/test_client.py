"""The client and its socket over real connections: every ending, waiting too long, being cancelled."""

from __future__ import annotations

import errno
import socket
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netlab.common.errors import ConnectRefused, LocalError
from netlab.upper.calls import Call, Receive
from netlab.upper.client import play
from netlab.upper.ending import Ending, How
from netlab.upper.errors import Stalled
from netlab.upper.performing import close_broken
from netlab.upper.plain_socket import PlainSocket, take
from netlab.upper.playing import SCRIPTS, Close, Script, Until, Watcher
from netlab.upper.server import UpperFactory
from netlab.upper.variants import VARIANTS, Variant
from tests.parts import temporary_folder


class Notes(Watcher):
    """Remembers what it is told; ``on_receive`` is called when one has begun."""

    def __init__(self) -> None:
        self.peer = ""
        self.came: list[bytes] = []
        self.on_receive: Any = lambda: None

    def connected(self, peer: str) -> None:
        self.peer = peer

    def begins(self, call: Call) -> None:
        if isinstance(call, Receive):
            reactor.callLater(0, self.on_receive)  # type: ignore[attr-defined]

    def done(self, call: Call, data: bytes) -> None:
        if isinstance(call, Receive):
            self.came.append(data)


class ClientTests(TestCase):
    """`play` against our own factory, in one process."""

    def serve(self, variant: Variant) -> int:
        """Serve until the test ends; the port."""
        self.factory = UpperFactory(variant, reactor, request_log=False)
        port: Any = reactor.listenTCP(0, self.factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(self.factory.stop)
        self.addCleanup(port.stopListening)
        return int(port.getHost().port)

    def play(self, port: int, script: Script, **options: Any) -> Deferred[Ending]:
        """Play against it."""
        return play(TCP4ClientEndpoint(reactor, "127.0.0.1", port), script, reactor, **options)

    @inlineCallbacks
    def test_presets(self) -> Any:
        """Each preset comes to its end against its server."""
        variants = {**VARIANTS, "v4": evolve(VARIANTS["v4"], delay=0.1)}
        for name, ending in (
            ("session", Ending(How.CLOSED_BY_PEER, 55, 55)),
            ("v1", Ending(How.CLOSED, 13, 13)),
            ("v3", Ending(How.CLOSED, 2048, 13, 10_952)),
            ("v4", Ending(How.CLOSED, 520, 520)),
        ):
            port, notes = self.serve(variants[name]), Notes()
            ended = yield self.play(port, SCRIPTS[name], watcher=notes)
            self.assertEqual(ended, ending)
            self.assertEqual(notes.peer, f"127.0.0.1:{port}")
            self.assertEqual(b"".join(notes.came)[:5].upper(), b"".join(notes.came)[:5])

    @inlineCallbacks
    def test_big(self) -> Any:
        """An answer of many windows comes whole, to a client that reads it to the end."""
        port, notes = self.serve(VARIANTS["v3"]), Notes()
        script = Script(b"abcdefg" * 100, close=Close.HALF, read_size=1 << 20)
        ended = yield self.play(port, script, watcher=notes)
        self.assertEqual(ended, Ending(How.CLOSED_BY_PEER, 700_000, 700))
        self.assertEqual(b"".join(notes.came), b"ABCDEFG" * 100_000)

    def peer(self) -> socket.socket:
        """A listening socket that does what the test makes it do."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        listener.setblocking(True)
        return listener

    @inlineCallbacks
    def test_reset(self) -> Any:
        """A reset by the server is an ending, with what came before."""
        listener, notes = self.peer(), Notes()

        def answer_and_reset() -> None:
            server, _ = listener.accept()
            server.recv(100)
            server.sendall(b"HELLO")
            plain = PlainSocket(server, reactor)
            plain.reset_at_close()
            notes.on_receive = plain.close

        notes.on_receive = answer_and_reset
        ended = yield self.play(listener.getsockname()[1], Script(b"hello", reads=Until.END), watcher=notes)
        self.assertEqual(ended, Ending(How.RESET, 5, 5))
        self.assertEqual(str(ended), "reset by peer after 5 bytes")

    @inlineCallbacks
    def test_stalled(self) -> Any:
        """A server that keeps silent, or does not read, is waited for only so long."""
        port = self.peer().getsockname()[1]
        error = yield self.assertFailure(self.play(port, Script(b"hello"), timeout=0.1), Stalled)
        self.assertEqual(str(error), "nothing came from the server for 0.1 s, after 0 bytes received, 5 sent")
        big = Script(b"x" * 100_000, times=1_000)
        error = yield self.assertFailure(self.play(port, big, timeout=0.2), Stalled)
        self.assertIn("the server read nothing for 0.2 s, after 0 bytes received", str(error))

    @inlineCallbacks
    def test_cancel(self) -> Any:
        """Being cancelled closes the socket."""
        listener, notes = self.peer(), Notes()
        playing = self.play(listener.getsockname()[1], Script(b"hello"), watcher=notes)
        notes.on_receive = playing.cancel
        yield self.assertFailure(playing, CancelledError)
        server, _ = listener.accept()
        with server:
            self.assertEqual((server.recv(100), server.recv(100)), (b"hello", b""))

    @inlineCallbacks
    def test_refused(self) -> Any:
        """Where nothing listens, it says so."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        yield self.assertFailure(self.play(port, SCRIPTS["v1"]), ConnectRefused)

    @inlineCallbacks
    def test_unix(self) -> Any:
        """UNIX sockets work on both sides."""
        path = str(temporary_folder(self) / "s")
        self.factory = UpperFactory(VARIANTS["session"], reactor, request_log=False)
        port: Any = reactor.listenUNIX(path, self.factory)  # type: ignore[attr-defined]
        self.addCleanup(self.factory.stop)
        self.addCleanup(port.stopListening)
        ended = yield play(UNIXClientEndpoint(reactor, path), SCRIPTS["session"], reactor)
        self.assertEqual(ended, Ending(How.CLOSED_BY_PEER, 55, 55))


class PlainSocketTests(SynchronousTestCase):
    """What connections over a healthy loopback never show."""

    def test_no_socket(self) -> None:
        """What is no plain socket cannot be taken."""
        self.assertRaises(LocalError, take, StringTransport(), reactor)

    def test_lost(self) -> None:
        """An error of another kind ends a connection in the system's words."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        error = OSError(errno.ETIMEDOUT, "Connection timed out")
        ending = close_broken(PlainSocket(ours, reactor), error)
        self.assertEqual(str(ending), "lost after 0 bytes: Connection timed out")
        ours, _ = socket.socketpair()
        ending = close_broken(PlainSocket(ours, reactor), BrokenPipeError(errno.EPIPE, "Broken pipe"))
        self.assertIs(ending.how, How.RESET)

    def test_false_alarms(self) -> None:
        """A readiness that was none is waited through."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        self.addCleanup(ours.close)
        ours.setblocking(False)
        plain = PlainSocket(ours, reactor)
        receiving = Deferred.fromCoroutine(plain.receive(10))
        plain.doRead()
        self.assertNoResult(receiving)
        theirs.send(b"abc")
        plain.doRead()
        self.assertEqual(self.successResultOf(receiving), b"abc")

    def test_reactor_stops(self) -> None:
        """A reactor that stops calls nobody again, so waits end with an error."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        self.addCleanup(ours.close)
        ours.setblocking(False)
        plain = PlainSocket(ours, reactor)
        receiving = Deferred.fromCoroutine(plain.receive(10))
        plain.connectionLost(Failure(ConnectionLost()))
        self.failureResultOf(receiving, ConnectionAbortedError)
