"""Real proxies and their clients, good and bad, to the end."""

from __future__ import annotations

import signal
from threading import Event

from netlab.calc.header import CLIENT_ERROR, SERVER_ERROR, SUCCESS, Header, encode_packet
from tests.calc.peers import Server, raw
from tests.calc.test_daemon import Client
from tests.daemons import Daemon
from tests.parts import temporary_folder
from tests.proxy.daemon_cases import (
    DaemonCase,
    ask,
    held,
    request,
)


class PeerTests(DaemonCase):
    """What clients may do, and what they get."""

    def test_bad_input(self) -> None:
        """Malformed packets get what the calculator daemon gives them, and the proxy lives."""
        response = encode_packet(b"{}", timestamp=0, status=SUCCESS)
        with self.calc() as calc, self.proxy(calc.port) as proxy:
            with Client(proxy.port) as client:
                client.send(response + request("6 * 7"))
                self.assertEqual(Header.decode(client.packet()).status, CLIENT_ERROR)
                self.assertIn(b"42", client.packet())
                client.send(encode_packet(b"junk", timestamp=0, request=True))
                self.assertEqual(Header.decode(client.packet()).status, CLIENT_ERROR)
            for broken in (bytes(12), request("1")[:6] + b"\x34" + request("1")[7:]):
                with Client(proxy.port) as client:
                    client.send(request("1") + broken + b"x" * 200_000)
                    self.assertEqual(Header.decode(client.packet()).status, SUCCESS)
                    self.assertEqual(Header.decode(client.packet()).status, CLIENT_ERROR)
                    self.assertTrue(client.at_end())
            self.assertIn(b"1024", ask(proxy.port, request("2 ** 10")))

    def test_order_of_mixed(self) -> None:
        """Hits behind misses wait for their turn: answers come in the order of the requests."""
        with self.calc() as calc, self.proxy(calc.port) as proxy, Client(proxy.port) as client:
            ask(proxy.port, request("0 + 100"))
            texts = [f"{number} + 1" if number % 2 else "0 + 100" for number in range(60)]
            client.send(b"".join(request(text) for text in texts))
            for number in range(60):
                expected = number + 1 if number % 2 else 100
                self.assertIn(b'"result": %d' % expected, client.packet())

    def test_memory_bound(self) -> None:
        """Ten thousand keys beyond the bound leave no more than the bound."""
        quiet = "--no-request-log"
        with self.calc(quiet) as calc, self.proxy(calc.port, "--max-entries", "100", quiet) as proxy:
            with Client(proxy.port) as client:
                before = 0
                for start in range(0, 10_000, 250):
                    client.send(b"".join(request(f"{start + number} + 0.5") for number in range(250)))
                    for _ in range(250):
                        client.packet()
                    if start == 1_000:
                        before = proxy.memory()
            self.assertLess(proxy.memory() - before, 6 << 20)


class StopTests(DaemonCase):
    """SIGTERM."""

    def test_stops_and_restarts(self) -> None:
        """SIGTERM: what is in flight is answered, exit 0, and the port can be had again at once."""
        release = Event()
        with Server(held(release)) as server, self.proxy(server.port) as proxy:
            with Client(proxy.port) as busy, Client(proxy.port) as idle:
                busy.send(request("1"))
                proxy.wait_for("Got request")
                proxy.process.send_signal(signal.SIGTERM)
                self.assertTrue(idle.at_end())
                release.set()
                self.assertIn(b"result", busy.packet())
                self.assertTrue(busy.at_end())
                self.assertEqual(proxy.wait(), 0)
            with Daemon(
                temporary_folder(self), "netlab-proxy", "--listen", f"tcp:{proxy.port}:interface=127.0.0.1"
            ) as again:
                self.assertEqual(again.port, proxy.port)

    def test_stops_in_time(self) -> None:
        """An upstream that never answers does not keep the proxy from stopping, and its clients are told."""
        with (
            Server(raw(b"", stay=True)) as server,
            self.proxy(server.port, "--answer-timeout", "60") as proxy,
            Client(proxy.port) as client,
        ):
            client.send(request("1"))
            proxy.wait_for("Got request")
            proxy.stop()
            answer = client.packet()
            self.assertEqual(Header.decode(answer).status, SERVER_ERROR)
            self.assertIn(b'"message": "the proxy stops"', answer)
            self.assertTrue(client.at_end())
            self.assertNotIn("the daemon stops", proxy.log)
