"""The three classic experiments with real daemons, and the rules as they are seen on the wire."""

from __future__ import annotations

import json
from struct import pack_into
from threading import Event

from netlab.calc.codecs import json_body
from netlab.calc.messages import Failure
from netlab.proxy.errors import REFUSED
from tests.calc.peers import Server
from tests.calc.test_daemon import Client
from tests.daemons import Daemon
from tests.parts import temporary_folder
from tests.proxy.daemon_cases import (
    INFINITE,
    LONG,
    SHORT,
    DaemonCase,
    ask,
    ask_until,
    counted,
    held,
    request,
)


class ExperimentTests(DaemonCase):
    """With the recorded requests."""

    def test_same_twice_then_another(self) -> None:
        """Straight to the server each request is a connection to it, and gets the recorded bytes."""
        with self.calc() as calc:
            for vector, length in ((LONG, 564), (LONG, 564), (SHORT, 60)):
                answer = ask(calc.port, vector.request)
                self.assertEqual((len(answer), answer[12:]), (length, vector.body))
        self.assertEqual(calc.log.count("Connection established"), 3)
        self.assertEqual(calc.log.count("Got request of length 687 bytes"), 2)
        self.assertEqual(calc.log.count("Got request of length 376 bytes"), 1)

    def test_through_the_proxy(self) -> None:
        """The second of the same comes from the cache, with the very bytes of the first; the server sees two."""
        with self.calc() as calc, self.proxy(calc.port) as proxy:
            first = ask(proxy.port, LONG.request)
            second = ask(proxy.port, LONG.request)
            other = ask(proxy.port, SHORT.request)
        self.assertEqual((len(first), first[12:]), (564, LONG.body))
        self.assertEqual(first[4:].hex()[:16], "023418c8ffff0000")
        self.assertEqual(second, first)
        self.assertEqual((len(other), other[12:]), (60, SHORT.body))
        self.assertEqual(calc.log.count("Got request of length 687 bytes"), 1)
        self.assertEqual(calc.log.count("Got request of length 376 bytes"), 1)
        self.assertEqual(calc.log.count("Connection established"), 1)
        said = [line.split("} ", 1)[1] for line in proxy.log.splitlines() if "Cache" in line]
        miss, hit = f"Cache miss, response cached ,{INFINITE}", f"Cache hit ,{INFINITE}"
        self.assertEqual(said, [miss, hit, miss])

    def test_server_stopped_between(self) -> None:
        """With the server gone what is stored goes on being served, and the rest is refused in 170 bytes."""
        with self.calc() as calc, self.proxy(calc.port) as proxy:
            first = ask(proxy.port, LONG.request)
            calc.stop()
            self.assertEqual(ask(proxy.port, LONG.request), first)
            self.assert_outage(ask(proxy.port, SHORT.request))
            spoken = json_body.read_answer(ask(proxy.port, request("1 + 2"))[12:])
            assert isinstance(spoken, Failure)
            self.assertEqual(spoken.message, f"Internal proxy error: {REFUSED}")
            listen = f"tcp:{calc.port}:interface=127.0.0.1"
            with Daemon(temporary_folder(self), "netlab-calc", "--listen", listen) as again:
                self.assertEqual(ask(proxy.port, SHORT.request)[12:], SHORT.body)
                again.wait_for("Got request of length 376 bytes")
            proxy.wait_for("works again")
        self.assertEqual(again.log.count("Connection established"), 1)
        self.assertIn(f"Unexpected server error: {REFUSED}", proxy.log)
        self.assertEqual(proxy.log.count(f"Cache hit ,{INFINITE}"), 1)

    def test_two_encodings(self) -> None:
        """Pickle and JSON clients share a proxy, and neither is ever given the other's bytes."""
        text = SHORT.text
        with self.calc() as calc, self.proxy(calc.port) as proxy:
            for _ in range(3):
                self.assertEqual(ask(proxy.port, SHORT.request)[12:], SHORT.body)
                self.assertIn(b'"result": 6', ask(proxy.port, request(text, steps=True)))
                self.assertIn(b'"steps": []', ask(proxy.port, request(text)))
        self.assertEqual(calc.log.count("Got request"), 3)

    def test_rules_on_the_wire(self) -> None:
        """Ages, reloads and C: each asks the server exactly when the rules say so."""
        with self.calc("--max-age", "1") as calc, self.proxy(calc.port) as proxy:
            for fields, line in (
                ({}, "Cache miss, response cached"),
                ({}, "Cache hit"),
                ({"max_age": 0}, "Cache miss, stale response"),
                ({"cache": False}, "Cache miss, response not cached"),
            ):
                ask(proxy.port, request("5 * 5", **fields))
                proxy.wait_for(rf"{line} ,server time remaining: -?[01]\.\d\d, client time remaining: \S+\n")
            over = r"Cache miss, stale response ,server time remaining: -\d\.\d\d, client time remaining: inf"
            self.assertIn(b"25", ask_until(proxy, request("5 * 5"), over))
        self.assertEqual(calc.log.count("Got request"), 4)

    def test_single_flight(self) -> None:
        """Twenty clients that want the same at once cost one request; 19 are told of as collapsed."""
        seen: list[bytes] = []
        release = Event()
        path = temporary_folder(self) / "log"
        with (
            Server(counted(held(release), seen)) as server,
            self.proxy(server.port, "--log-json", str(path)) as proxy,
        ):
            clients = [Client(proxy.port) for _ in range(20)]
            for client in clients:
                with_own_stamp = bytearray(request("1"))
                pack_into("!L", with_own_stamp, 0, client.socket.getsockname()[1])
                client.send(bytes(with_own_stamp))
            proxy.wait_for(r"(?s)(Got request.*){20}")
            release.set()
            answers = {client.packet() for client in clients}
            for client in clients:
                client.socket.close()
        self.assertEqual((len(answers), len(seen)), (1, 1))
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        told = [event["cache_status"] for event in events if "cache_status" in event]
        self.assertEqual(told.count("netlab-proxy; fwd=uri-miss; stored; collapsed"), 19)
        self.assertEqual(told.count("netlab-proxy; fwd=uri-miss; stored"), 1)
