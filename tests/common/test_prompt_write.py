"""Sending at once: on real sockets, and on transports that are not what the file knows."""

from __future__ import annotations

import socket

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import deferLater
from twisted.internet.tcp import Server
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netlab.common.prompt_write import write_promptly

_PATIENCE = 20.0
_MUCH = bytes(range(256)) * 40_000


class Kept(ServerFactory):
    """Keeps the first connection."""

    noisy = False

    def __init__(self) -> None:
        self.made: Deferred[Protocol] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def buildProtocol(self, addr: object) -> Protocol:
        kept = self

        class Connection(Protocol):
            def connectionMade(self) -> None:
                kept.made.callback(self)

            def connectionLost(self, reason: object = None) -> None:
                kept.lost.callback(None)

        return Connection()


class PromptTests(TestCase):
    """On the transport it is made for."""

    async def connected(self) -> tuple[Server, socket.socket]:
        from twisted.internet import reactor

        factory = Kept()
        port: IListeningPort = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        client = socket.create_connection(("127.0.0.1", port.getHost().port), _PATIENCE)
        self.addCleanup(client.close)
        client.setblocking(False)
        transport = (await factory.made.addTimeout(_PATIENCE, reactor)).transport
        assert isinstance(transport, Server)

        def end() -> Deferred[None]:
            transport.abortConnection()
            return factory.lost

        self.addCleanup(end)
        return transport, client

    async def received(self, client: socket.socket, count: int) -> bytes:
        from twisted.internet import reactor

        got, deadline = b"", reactor.seconds() + _PATIENCE
        while len(got) < count and reactor.seconds() < deadline:
            try:
                got += client.recv(1 << 20)
            except BlockingIOError:
                await deferLater(reactor, 0.001)
        return got

    async def test_at_once(self) -> None:
        """Bytes are in the kernel before the reactor has had a turn."""
        transport, client = await self.connected()
        self.assertTrue(write_promptly(transport, b"now"))
        self.assertEqual(client.recv(10), b"now")

    async def test_more_than_fits(self) -> None:
        """What the kernel does not take follows by the transport, in order, and later writes come after it."""
        transport, client = await self.connected()
        self.assertFalse(write_promptly(transport, _MUCH))
        self.assertFalse(write_promptly(transport, b"end"))
        self.assertEqual(await self.received(client, len(_MUCH) + 3), _MUCH + b"end")

    async def test_after_an_ordinary_write(self) -> None:
        """What was written the ordinary way and still waits is not overtaken."""
        transport, client = await self.connected()
        transport.write(b"first ")
        self.assertFalse(write_promptly(transport, b"second"))
        self.assertEqual(await self.received(client, 12), b"first second")

    async def test_closing(self) -> None:
        """On a connection that closes once all is sent, the order stays, and then it closes."""
        transport, client = await self.connected()
        transport.write(b"last")
        transport.loseConnection()
        self.assertFalse(write_promptly(transport, b" words"))
        self.assertEqual(await self.received(client, 10), b"last words")

    async def test_error(self) -> None:
        """An error of the socket is the transport's to find out, not ours to raise."""
        transport, client = await self.connected()
        transport.socket.shutdown(socket.SHUT_WR)
        self.assertFalse(write_promptly(transport, b"lost"))
        self.assertEqual(await self.received(client, 0), b"")


class OtherTests(SynchronousTestCase):
    """On any other transport."""

    def test_other_transport(self) -> None:
        """The ordinary way is taken."""
        transport = StringTransport()
        self.assertFalse(write_promptly(transport, b"plain"))
        self.assertEqual(transport.value(), b"plain")
