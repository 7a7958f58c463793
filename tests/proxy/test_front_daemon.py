"""What a real proxy holds in memory."""

from __future__ import annotations

import socket
import time

from netlab.calc.framing import FrameReader
from netlab.calc.header import encode_packet
from tests.calc.peers import Server
from tests.calc.test_daemon import Client
from tests.proxy.daemon_cases import DaemonCase, packet

#: The body of an answer that is nearly as long as one can be, in bytes.
BULKY = b"b" * 60_000


def bulky(connection: socket.socket) -> None:
    """Answer every request with `BULKY`, which may be kept for ever."""
    reader = FrameReader()
    while data := connection.recv(65_536):
        connection.sendall(packet(BULKY) * len(reader.feed(data)))


def question(number: int) -> bytes:
    """A request with a key of its own."""
    return encode_packet(b"{%d" % number, timestamp=int(time.time()), request=True, cache=True, max_age=0xFFFF)


class BoundTests(DaemonCase):
    """``--max-bytes`` bounds the process, whatever clients ask for."""

    def growth(self, *arguments: str) -> int:
        """Bytes of resident memory that 2,000 long answers leave behind: 120 MB passed through."""
        with Server(bulky) as server, self.proxy(server.port, "--no-request-log", *arguments) as proxy:
            client = Client(proxy.port)
            self.addCleanup(client.socket.close)
            before = 0
            for number in range(2_300):
                client.send(question(number))
                client.packet()
                if number == 300:
                    before = proxy.memory()
            return proxy.memory() - before

    def test_evicted(self) -> None:
        """What the memory has evicted is gone."""
        self.assertLess(self.growth("--max-bytes", "1000000"), 16 << 20)

    def test_refused(self) -> None:
        """What the memory never took is nowhere else either."""
        self.assertLess(self.growth("--max-entries", "0"), 16 << 20)
