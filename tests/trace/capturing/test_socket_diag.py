"""Asking the kernel for the socket of a connection: IPv4, IPv6, both in one, who listens, and nobody."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.capturing.endpoints import Endpoint
from netlab.trace.capturing.socket_diag import SocketDiag
from tests.parts import missing


def inode(one: socket.socket) -> str:
    return str(os.fstat(one.fileno()).st_ino)


class DiagTests(SynchronousTestCase):
    """Real sockets."""

    def setUp(self) -> None:
        """Have somebody to ask."""
        self.diag = SocketDiag()
        self.addCleanup(self.diag.close)

    def connection(self, family: socket.AddressFamily, address: str, *, dual: bool = False) -> tuple[list[str], ...]:
        """What is said of both ends and of who listens, and what is so."""
        listen = "::" if dual else address
        with (
            socket.create_server(
                (listen, 0), family=socket.AF_INET6 if dual else family, dualstack_ipv6=dual
            ) as server,
            socket.create_connection((address, server.getsockname()[1])) as client,
            server.accept()[0] as peer,
        ):
            packed = socket.inet_pton(family, address)
            there, here = (Endpoint("tcp", packed, one.getsockname()[1]) for one in (server, client))
            other = here._replace(port=1)
            said = [self.diag.inode(here, there), self.diag.inode(there, here), self.diag.inode(there, other)]
            self.assertIsNone(self.diag.inode(other, there))
            self.assertIsNone(self.diag.inode(here._replace(protocol="udp"), there))
            if not any(said):
                missing("this kernel does not tell (inet_diag)")
            return [one or "" for one in said], [inode(client), inode(peer), inode(server)]

    def test_sockets(self) -> None:
        """Each end has its own socket; where there is no connection it is that of who listens."""
        for family, address, dual in (
            (socket.AF_INET, "127.0.0.1", False),
            (socket.AF_INET6, "::1", False),
            (socket.AF_INET, "127.0.0.1", True),
        ):
            said, true = self.connection(family, address, dual=dual)
            self.assertEqual(said, true)

    def test_closed(self) -> None:
        """After `close` nothing is known, and nothing fails."""
        self.diag.close()
        self.diag.close()
        here = Endpoint("tcp", socket.inet_aton("127.0.0.1"), 1)
        self.assertIsNone(self.diag.inode(here, here))
