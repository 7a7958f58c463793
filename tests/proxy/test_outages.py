"""Real proxies before upstreams as they are in the field: old, broken, silent, gone."""

from __future__ import annotations

import socket
import time
from struct import pack
from threading import Event

from netlab.calc.header import SERVER_ERROR, SUCCESS, Header
from tests.calc.peers import Server, closing, dropping, raw
from tests.calc.test_daemon import Client
from tests.calc.vectors import VECTORS
from tests.daemons import PATIENCE
from tests.proxy.daemon_cases import (
    DaemonCase,
    ask,
    ask_until,
    counted,
    held,
    packet,
    request,
)


class UpstreamTests(DaemonCase):
    """What each costs its clients, and that it costs the others nothing."""

    def test_one_request_a_connection(self) -> None:
        """The deployed threaded server, which answers once and closes, works, pipelining or not."""
        for options in ((), ("--pipeline", "16")):
            with Server(closing) as server, self.proxy(server.port, *options) as proxy, Client(proxy.port) as client:
                texts = [vector for vector in VECTORS.values() if vector.status == SUCCESS][:20]
                client.send(b"".join(vector.request for vector in texts))
                for _ in texts:
                    self.assertEqual(Header.decode(client.packet()).status, SUCCESS)

    def test_forgets_pipelined(self) -> None:
        """One that answers the first of what it reads and forgets the rest is found out, and asked one by one."""
        options = ("--pipeline", "16", "--upstream-connections", "1", "--answer-timeout", "0.7")
        with Server(dropping) as server, self.proxy(server.port, *options) as proxy, Client(proxy.port) as client:
            texts = [vector for vector in VECTORS.values() if vector.status == SUCCESS][:8]
            client.send(b"".join(vector.request for vector in texts))
            for _ in texts:
                self.assertEqual(Header.decode(client.packet()).status, SUCCESS)

    def test_idle_connection_dropped(self) -> None:
        """An upstream that closes idle connections costs no client an error."""
        with self.calc("--idle-timeout", "0.2") as calc, self.proxy(calc.port) as proxy:
            for number in range(3):
                self.assertIn(b"result", ask(proxy.port, request(f"{number} + 1")))
                calc.wait_for(rf"(?s)(nothing asked or read for 0.2 s.*){{{number + 1}}}")
        self.assertNotIn("failed", proxy.log)

    def test_bad_answers(self) -> None:
        """What is no answer is 500 for that client and stored by nobody, and other clients do not notice."""
        wrong = {
            "a request": request("1"),
            "junk": b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "half of one": packet()[:20],
            "endless": packet() + b"x" * 200_000,
            "two": packet() + packet(),
            "reserved bits": packet()[:6] + b"\xff" + packet()[7:],
            "status 0": packet(status=0),
            "a pickle": packet(b"\x80\x04N."),
            "no body": packet(b""),
            "nothing": b"",
        }
        asked = {name: request(f"{number} + 1") for number, name in enumerate(wrong)}
        answers = {asked[name][12:]: data for name, data in wrong.items()}
        seen: list[bytes] = []

        def behave(connection: socket.socket) -> None:
            seen.append(connection.recv(65_536)[12:])
            connection.sendall(answers.get(seen[-1], packet()))

        with Server(behave) as server, self.proxy(server.port) as proxy:
            kept = ask(proxy.port, request("7 + 7"))
            for name, frame in asked.items():
                for number in range(2):
                    self.assertEqual(Header.decode(ask(proxy.port, frame)).status, SERVER_ERROR, name)
                    self.assertGreater(seen.count(frame[12:]), number, name)
                self.assertEqual(ask(proxy.port, request("7 + 7")), kept)
        self.assertEqual(Header.decode(kept).status, SUCCESS)
        self.assertEqual(proxy.log.count("response cached"), 1)
        self.assertNotIn("Traceback", proxy.log)
        self.assertEqual(seen.count(request("7 + 7")[12:]), 1)

    def test_too_much_later(self) -> None:
        """What an upstream sends when nobody asked ends the connection, is logged, and harms no client."""
        release = Event()

        def behave(connection: socket.socket) -> None:
            connection.recv(65_536)
            connection.sendall(packet())
            release.wait(PATIENCE)
            connection.sendall(packet(b'{"result": "unasked"}'))

        with Server(behave) as server, self.proxy(server.port) as proxy:
            self.assertIn(b'"result": 1', ask(proxy.port, request("1 + 1")))
            release.set()
            proxy.wait_for("Upstream .* failed: the upstream sent more than it was asked for")
            self.assertIn(b'"result": 1', ask(proxy.port, request("1 + 1")))

    def test_never_answers(self) -> None:
        """500 after the time-out; hits do not wait for it."""

        def once(connection: socket.socket) -> None:
            if b"7 + 7" in connection.recv(65_536):
                connection.sendall(packet())
            connection.recv(1)

        with Server(once) as server, self.proxy(server.port, "--answer-timeout", "1") as proxy:
            kept = ask(proxy.port, request("7 + 7"))
            with Client(proxy.port) as waiting:
                began = time.monotonic()
                waiting.send(request("8 + 8"))
                proxy.wait_for(r"(?s)(Got request.*){2}")
                self.assertEqual(ask(proxy.port, request("7 + 7")), kept)
                self.assertLess(time.monotonic() - began, 1.0)
                answer = waiting.packet()
                self.assertEqual(Header.decode(answer).status, SERVER_ERROR)
                self.assertIn(b"did not answer within 1 s", answer)

    def test_dies_in_the_middle(self) -> None:
        """Half an answer is never sent and never stored; another upstream is asked."""
        half = Server(raw(packet(b'{"result": "half"}')[:20]))
        with half, self.calc() as calc:
            second = ("--upstream", f"tcp:127.0.0.1:{calc.port}")
            with self.proxy(half.port, *second) as proxy:
                for number in range(4):
                    answer = ask(proxy.port, request(f"{number} + 1"))
                    self.assertIn(b'"result": %d' % (number + 1), answer)

    def test_client_leaves(self) -> None:
        """The answer to a client that has left is stored all the same."""
        seen: list[bytes] = []
        release = Event()
        with Server(counted(held(release), seen)) as server, self.proxy(server.port) as proxy:
            with Client(proxy.port) as client:
                client.send(request("1"))
                proxy.wait_for("Got request")
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))  # leave by a reset
            proxy.wait_for("Connection closed")
            release.set()
            proxy.wait_for("Cache miss, response cached")
            self.assertIn(b"result", ask(proxy.port, request("1")))
            proxy.wait_for("Cache hit")
        self.assertEqual(len(seen), 1)
        self.assertEqual(proxy.log.count("Sending response"), 1)

    def test_several_upstreams(self) -> None:
        """One that refuses is passed by, without an error for anyone."""
        with self.calc() as calc:
            with self.proxy(self.refused_port(), "--upstream", f"tcp:127.0.0.1:{calc.port}") as proxy:
                for number in range(10):
                    self.assertIn(b"result", ask(proxy.port, request(f"{number} + 1")))
            self.assertEqual(proxy.log.count("failed: the connection was refused"), 1)

    def test_stale_answers(self) -> None:
        """RFC 5861: an expired answer serves when the upstream is gone, while it is fetched anew, and says so."""
        with self.calc("--max-age", "1") as calc, self.proxy(calc.port, "--stale-if-error", "60") as proxy:
            first = ask(proxy.port, request("1 + 1"))
            calc.stop()
            stale = r"Cache miss, stale response served \(stale-if-error: .*server time remaining: -"
            self.assertEqual(ask_until(proxy, request("1 + 1"), stale), first)
            self.assertEqual(Header.decode(ask(proxy.port, request("2 + 2"))).status, SERVER_ERROR)
        with self.calc("--max-age", "1") as calc, self.proxy(calc.port, "--stale-while-revalidate", "60") as proxy:
            first = ask(proxy.port, request("1 + 1"))
            stale = r"Cache hit, stale response served \(stale-while-revalidate\) ,server time remaining: -"
            self.assertEqual(ask_until(proxy, request("1 + 1"), stale), first)
            calc.wait_for(r"(?s)(Got request.*){2}")
