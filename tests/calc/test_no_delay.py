"""What the kernel was told about the calculator's connections."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor as real_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.trial.unittest import TestCase

from netlab.calc.calculator import Calculator
from netlab.calc.connection import CalcProtocol
from netlab.calc.server import CalcFactory


class Factory(CalcFactory):
    """Tells of the first connection."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.first: Deferred[CalcProtocol] = Deferred()

    def opened(self, connection: CalcProtocol) -> None:
        super().opened(connection)
        self.first.callback(connection)


class NoDelayTests(TestCase):
    """Answers that take several writes are not held back until the first is acknowledged."""

    async def test_tcp(self) -> None:
        """A real TCP connection has TCP_NODELAY set."""
        factory = Factory(Calculator(lambda low, high: low), real_reactor)
        port = await serverFromString(real_reactor, "tcp:0:interface=127.0.0.1").listen(factory)
        self.addCleanup(port.stopListening)
        self.addCleanup(factory.stop)
        client = socket.create_connection(("127.0.0.1", port.getHost().port))
        self.addCleanup(client.close)
        connection = await factory.first
        option = connection.transport.getHandle().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        self.assertNotEqual(option, 0)
