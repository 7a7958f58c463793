"""``twistd -n netlab-proxy`` over real sockets: the classic experiments, old upstreams, bad peers, signals, options."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from struct import pack, pack_into
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import json_body
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.header import CLIENT_ERROR, SERVER_ERROR, SUCCESS, Header, encode_packet
from netlab.calc.messages import Failure
from netlab.proxy.errors import REFUSED
from tests.calc.peers import Behaviour, Server, closing, dropping, raw
from tests.calc.test_daemon import Client
from tests.calc.vectors import VECTORS
from tests.daemons import PATIENCE, Daemon, quiet_environment, twistd
from tests.parts import temporary_folder
from tests.proxy.stores.redis_server import RedisServer

FREE = "tcp:0:interface=127.0.0.1"

#: The long and the short request of the experiments, as deployed clients send them.
LONG = VECTORS["00"]
SHORT = next(vector for vector in VECTORS.values() if vector.text == "max(2, 3) + 3" and vector.wants_steps)

INFINITE = "server time remaining: inf, client time remaining: inf"


def request(text: str, **fields: Any) -> bytes:
    """A request in JSON."""
    fields = {"cache": True, "max_age": 0xFFFF, **fields}
    return encode_packet(json_body.write_expression(text), timestamp=0, request=True, **fields)


def ask(port: int, frame: bytes) -> bytes:
    """The answer to one request over a connection of its own."""
    with Client(port) as client:
        client.send(frame)
        return client.packet()


def counted(behaviour: Behaviour, seen: list[bytes]) -> Behaviour:
    """``behaviour``, with what the server received first on each connection added to ``seen``."""

    def behave(connection: socket.socket) -> None:
        seen.append(connection.recv(65_536, socket.MSG_PEEK))
        behaviour(connection)

    return behave


def answering(answer: Callable[[int], bytes]) -> Behaviour:
    """Answer request after request, the ``answer`` being made of how many came before."""

    def behave(connection: socket.socket) -> None:
        count = 0
        while connection.recv(65_536):
            connection.sendall(answer(count))
            count += 1

    return behave


def packet(body: bytes = b'{"result": 1}', **fields: Any) -> bytes:
    """A response of now."""
    fields = {"status": SUCCESS, "cache": True, "max_age": 0xFFFF, **fields}
    return encode_packet(body, timestamp=int(time.time()), **fields)


def kill(daemon: Daemon) -> None:
    """End a daemon as if the machine had failed, which is no fault of its own."""
    os.kill(daemon.process.pid, signal.SIGKILL)
    daemon.process.wait()
    daemon.process.returncode = 0


class DaemonCase(SynchronousTestCase):
    """Starts daemons."""

    def calc(self, *arguments: str) -> Daemon:
        return Daemon(temporary_folder(self), "netlab-calc", "--listen", FREE, *arguments)

    def proxy(self, upstream: int, *arguments: str) -> Daemon:
        where = ("--listen", FREE, "--upstream", f"tcp:127.0.0.1:{upstream}")
        return Daemon(temporary_folder(self), "netlab-proxy", *where, *arguments)

    def refused_port(self) -> int:
        """A port on which nobody listens, now and during the test."""
        held = socket.socket()
        self.addCleanup(held.close)
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port

    def assert_outage(self, answer: bytes) -> None:
        self.assertEqual(len(answer), 170)
        self.assertEqual(Header.decode(answer).status, SERVER_ERROR)
        cause = Failure("CalculatorServerError", (REFUSED,))
        self.assertEqual(read_answer(answer[12:]), Failure("CalculatorServerError", ("Internal proxy error", cause)))


class ExperimentTests(DaemonCase):
    """The three classic experiments, with the recorded requests."""

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
            time.sleep(1.1)  # so that an answer made anew would have another time stamp
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
            with Daemon(
                temporary_folder(self), "netlab-calc", "--listen", f"tcp:{calc.port}:interface=127.0.0.1"
            ) as again:
                """Nothing of the outage was stored, and the server is asked again as soon as it is there."""
                self.assertEqual(ask(proxy.port, SHORT.request)[12:], SHORT.body)
                self.assertEqual(again.log.count("Connection established"), 0)
            proxy.wait_for("works again")
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
            time.sleep(1.1)
            self.assertIn(b"25", ask(proxy.port, request("5 * 5")))
            proxy.wait_for(r"Cache miss, stale response ,server time remaining: -\d\.\d\d, client time remaining: inf")
        self.assertEqual(calc.log.count("Got request"), 4)


class UpstreamTests(DaemonCase):
    """Upstreams as they are in the field."""

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
        asked = request("1")
        wrong = {
            "a request": asked,
            "junk": b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "half of one": packet()[:20],
            "one too long": packet() + b"x" * 200_000,
            "reserved bits": packet()[:6] + b"\xff" + packet()[7:],
            "status 0": packet(status=0),
            "nothing": b"",
        }
        for name, data in wrong.items():
            seen: list[bytes] = []
            with Server(counted(raw(data), seen)) as server, self.proxy(server.port) as proxy:
                for _ in range(2):
                    answer = ask(proxy.port, asked)
                    expected = SUCCESS if name == "one too long" else SERVER_ERROR
                    self.assertIn(Header.decode(answer).status, {expected, SERVER_ERROR}, name)
                if name != "one too long":
                    self.assertGreaterEqual(len(seen), 2, name)
                self.assertNotIn("Traceback", proxy.log)

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

        def slow(connection: socket.socket) -> None:
            connection.recv(65_536)
            time.sleep(0.5)
            connection.sendall(packet())

        with Server(counted(slow, seen)) as server, self.proxy(server.port) as proxy:
            with Client(proxy.port) as client:
                client.send(request("1"))
                proxy.wait_for("Got request")
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))  # leave by a reset
            proxy.wait_for("Connection closed")
            proxy.wait_for("Cache miss, response cached")
            self.assertIn(b"result", ask(proxy.port, request("1")))
            proxy.wait_for("Cache hit")
        self.assertEqual(len(seen), 1)
        self.assertEqual(proxy.log.count("Sending response"), 1)

    def test_single_flight(self) -> None:
        """Twenty clients that want the same at once cost one request; 19 are told of as collapsed."""
        seen: list[bytes] = []

        def slow(connection: socket.socket) -> None:
            connection.recv(65_536)
            time.sleep(1)
            connection.sendall(packet())

        path = temporary_folder(self) / "log"
        with (
            Server(counted(slow, seen)) as server,
            self.proxy(server.port, "--log-json", str(path)) as proxy,
        ):
            clients = [Client(proxy.port) for _ in range(20)]
            for client in clients:
                with_own_stamp = bytearray(request("1"))
                pack_into("!L", with_own_stamp, 0, client.socket.getsockname()[1])
                client.send(bytes(with_own_stamp))
            answers = {client.packet() for client in clients}
            for client in clients:
                client.socket.close()
        self.assertEqual((len(answers), len(seen)), (1, 1))
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        told = [event["cache_status"] for event in events if "cache_status" in event]
        self.assertEqual(told.count("netlab-proxy; fwd=uri-miss; stored; collapsed"), 19)
        self.assertEqual(told.count("netlab-proxy; fwd=uri-miss; stored"), 1)

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
            time.sleep(2.1)
            self.assertEqual(ask(proxy.port, request("1 + 1")), first)
            proxy.wait_for(r"Cache miss, stale response served \(stale-if-error: .*server time remaining: -")
            self.assertEqual(Header.decode(ask(proxy.port, request("2 + 2"))).status, SERVER_ERROR)
        with self.calc("--max-age", "1") as calc, self.proxy(calc.port, "--stale-while-revalidate", "60") as proxy:
            first = ask(proxy.port, request("1 + 1"))
            time.sleep(2.1)
            self.assertEqual(ask(proxy.port, request("1 + 1")), first)
            proxy.wait_for(r"Cache hit, stale response served \(stale-while-revalidate\) ,server time remaining: -")
            calc.wait_for(r"(?s)(Got request.*){2}")

    def test_ttl_clamped(self) -> None:
        """--min-ttl and --max-ttl win over what servers say."""
        with (
            self.calc("--max-age", "600") as calc,
            self.proxy(calc.port, "--max-ttl", "1", "--max-connections", "5") as short,
            self.proxy(calc.port, "--min-ttl", "700") as long,
        ):
            for proxy in (short, long):
                ask(proxy.port, request("3 * 3"))
            short.wait_for(r"response cached ,server time remaining: [01]\.")
            long.wait_for(r"response cached ,server time remaining: (700|699)\.")


class PeerTests(DaemonCase):
    """Clients, good and bad, and the daemon's own life."""

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

    def test_stops_and_restarts(self) -> None:
        """SIGTERM: what is in flight is answered, exit 0, and the port can be had again at once."""
        seen: list[bytes] = []

        def slow(connection: socket.socket) -> None:
            connection.recv(65_536)
            time.sleep(0.6)
            connection.sendall(packet())

        with Server(counted(slow, seen)) as server, self.proxy(server.port) as proxy:
            with Client(proxy.port) as busy, Client(proxy.port) as idle:
                busy.send(request("1"))
                proxy.wait_for("Got request")
                proxy.process.send_signal(signal.SIGTERM)
                self.assertTrue(idle.at_end())
                self.assertIn(b"result", busy.packet())
                self.assertTrue(busy.at_end())
                self.assertEqual(proxy.wait(), 0)
            with Daemon(
                temporary_folder(self), "netlab-proxy", "--listen", f"tcp:{proxy.port}:interface=127.0.0.1"
            ) as again:
                self.assertEqual(again.port, proxy.port)

    def test_stops_in_time(self) -> None:
        """An upstream that never answers does not keep the proxy from stopping."""
        with (
            Server(raw(b"", stay=True)) as server,
            self.proxy(server.port, "--answer-timeout", "60") as proxy,
            Client(proxy.port) as client,
        ):
            client.send(request("1"))
            proxy.wait_for("Got request")
            proxy.stop()
            self.assertIn("the daemon stops", proxy.log)

    def test_refusals(self) -> None:
        """What cannot start says so in one line and exits with 1."""
        folder = temporary_folder(self)
        foreign = folder / "foreign.db"
        foreign.write_bytes(b"This is a letter, and no database." * 40)
        (folder / "file").write_text("a file")
        with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(socket.AF_UNIX) as control:
            control.bind(str(folder / "live"))
            control.listen()
            port = taken.getsockname()[1]
            for arguments, line in (
                (("--listen", f"tcp:{port}:interface=127.0.0.1"), "cannot listen on .*Address already in use"),
                (("--listen", "nonsense:1"), "--listen nonsense:1 is no endpoint"),
                (("--upstream", "nonsense"), "--upstream 'nonsense' is no endpoint; give HOST:PORT"),
                (("--upstream", "tcp:127.0.0.1:99999"), "no endpoint: its port is '99999', and ports are 1 to 65535"),
                (
                    ("--upstream", "tcp:127.0.0.1"),
                    "--upstream 'tcp:127.0.0.1' is no endpoint: it has no port; give HOST:PORT",
                ),
                (("--store", "postgres://x"), "'postgres://x' is no store; give memory:, sqlite:PATH or redis://"),
                (("--store", f"sqlite:{foreign}"), "foreign.db is no SQLite file"),
                (("--store", "sqlite:/nowhere/at/all.db"), "/nowhere/at/all.db cannot be used: No such file"),
                (("--min-ttl", "9", "--max-ttl", "3"), "--min-ttl 9 is more than --max-ttl 3"),
                (("--max-ttl", "70000"), "--max-ttl 70000: a whole number from 0 to 65,535"),
                (("--pipeline", "0"), "--pipeline 0: a whole number from 1"),
                (("--answer-timeout", "never"), "--answer-timeout never: a time in seconds"),
                (("--control", str(folder / "live")), "another proxy listens on --control .*live; give this one"),
                (("--control", str(folder / "file")), "--control .*file is there already and is no socket"),
                (("--control", "/nowhere/s"), "cannot listen on --control /nowhere/s: No such file"),
                (("--what",), "option --what not recognized"),
            ):
                ended = subprocess.run(
                    [twistd(), "-n", "--pidfile=", "netlab-proxy", "--listen", FREE, *arguments],
                    cwd=folder,
                    env=quiet_environment(),
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                    check=False,
                )
                self.assertEqual(ended.returncode, 1, ended)
                self.assertRegex(ended.stderr, line)
                self.assertEqual(ended.stderr.count("\n"), 1, ended.stderr)
        self.assertEqual(foreign.read_bytes()[:16], b"This is a letter")
        self.assertEqual((folder / "file").read_text(), "a file")

    def test_no_request_log(self) -> None:
        """--no-request-log leaves requests and decisions out."""
        with self.calc() as calc, self.proxy(calc.port, "--no-request-log") as proxy:
            for _ in range(2):
                ask(proxy.port, LONG.request)
        self.assertNotIn("Cache", proxy.log)
        self.assertNotIn("Got request", proxy.log)


class StoreTests(DaemonCase):
    """Answers that outlive the proxy."""

    def test_survives_restart(self) -> None:
        """With a file, what one run stored the next one serves, after kill -9 as after SIGTERM."""
        store = ("--store", f"sqlite:{temporary_folder(self) / 'answers.db'}")
        with self.calc() as calc:
            with self.proxy(calc.port, *store) as proxy:
                first = ask(proxy.port, LONG.request)
            with self.proxy(calc.port, *store) as proxy:
                self.assertEqual(ask(proxy.port, LONG.request), first)
                proxy.wait_for("Cache hit")
                other = ask(proxy.port, SHORT.request)
                time.sleep(0.5)  # storing is not waited for by clients
                kill(proxy)
            with self.proxy(self.refused_port(), *store) as proxy:
                self.assertEqual(ask(proxy.port, SHORT.request), other)
                self.assertEqual(ask(proxy.port, LONG.request), first)
        self.assertEqual(calc.log.count("Got request"), 2)

    def test_shared_by_two(self) -> None:
        """Two proxies share a Redis: what one stored the other serves, its upstream never being asked."""
        redis = RedisServer(self)
        store = ("--store", f"redis://127.0.0.1:{redis.port}/3")
        with (
            self.calc() as calc,
            self.proxy(calc.port, *store) as one,
            self.proxy(self.refused_port(), *store) as other,
        ):
            first = ask(one.port, LONG.request)
            deadline = time.monotonic() + PATIENCE  # storing is not waited for by clients
            while (answer := ask(other.port, LONG.request)) != first and time.monotonic() < deadline:
                self.assert_outage(answer)
            self.assertEqual(answer, first)
            other.wait_for("Cache hit")
            redis.kill()
            self.assertEqual(ask(other.port, LONG.request), first)
            self.assertEqual(ask(one.port, SHORT.request)[12:], SHORT.body)
        self.assertEqual(calc.log.count("Got request"), 2)


class ControlTests(DaemonCase):
    """The control socket, by its own protocol."""

    def ask(self, path: Path, *lines: bytes) -> list[Any]:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(PATIENCE)
            control.connect(str(path))
            control.sendall(b"".join(line + b"\n" for line in lines))
            with control.makefile("rb") as answers:
                return [json.loads(answers.readline()) for _ in lines]

    def test_life(self) -> None:
        """Only the owner may open it; it goes with the proxy; a dead proxy's is replaced."""
        path = temporary_folder(self) / "control"
        with self.calc() as calc:
            with self.proxy(calc.port, "--control", str(path)) as proxy:
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
                kill(proxy)
            self.assertTrue(path.exists())
            with self.proxy(calc.port, "--control", str(path)):
                answer = self.ask(path, b'{"do": "stats"}')[0]["result"]
                self.assertEqual(answer["store"]["entries"], 0)
            self.assertFalse(path.exists())

    def test_questions(self) -> None:
        """Stats, explain, keys and purge say and do what was asked, in order, over one connection."""
        path = temporary_folder(self) / "control"
        with self.calc() as calc, self.proxy(calc.port, "--control", str(path)) as proxy:
            for _ in range(2):
                ask(proxy.port, SHORT.request)
            ask(proxy.port, LONG.request)
            stats, explained, keys = self.ask(
                path, b'{"do": "stats"}', b'{"do": "explain", "last": 2}', b'{"do": "keys"}'
            )
            self.assertEqual(stats["result"]["requests"], {"hit": 1, "fwd=uri-miss": 2, "stored": 2})
            self.assertEqual(stats["result"]["upstreams"][0]["state"], "working")
            hit, miss = explained["result"]
            self.assertEqual(hit["cache_status"], "netlab-proxy; hit")
            self.assertEqual(hit["expression"], SHORT.text)
            self.assertEqual(hit["stored"]["server_remaining"], "inf")
            self.assertEqual(miss["cache_status"], "netlab-proxy; fwd=uri-miss; stored")
            name = hit["key"]
            self.assertEqual({key["expression"] for key in keys["result"]}, {SHORT.text, miss["expression"]})
            purged, again, everything = self.ask(
                path,
                json.dumps({"do": "purge", "key": name}).encode(),
                json.dumps({"do": "purge", "key": name}).encode(),
                b'{"do": "purge", "all": true}',
            )
            self.assertEqual([purged, again, everything], [{"result": 1}, {"result": 0}, {"result": 1}])
            ask(proxy.port, SHORT.request)
            proxy.wait_for(r"(?s)(Cache miss, response cached.*){3}")

    def test_bad_questions(self) -> None:
        """Nonsense is answered with an error; floods and endless lines are cut off; the proxy lives."""
        path = temporary_folder(self) / "control"
        with self.calc() as calc, self.proxy(calc.port, "--control", str(path)) as proxy:
            bad = [b"nonsense", b"[]", b"{}", b'{"do": []}', b'{"do": "explain", "last": -1}', b"[" * 4_000, b"\xff"]
            for answer in self.ask(path, *bad):
                self.assertEqual(list(answer), ["error"])
            for flood in (b"x" * 100_000, b'{"do": "keys"}\n' * 4_000):
                with socket.socket(socket.AF_UNIX) as control:
                    control.settimeout(PATIENCE)
                    control.connect(str(path))
                    try:
                        control.sendall(flood)
                        while control.recv(65_536):
                            pass
                    except OSError:
                        continue
            self.assertEqual(list(self.ask(path, b'{"do": "stats"}')[0]), ["result"])
            self.assertNotIn("Traceback", proxy.log)
