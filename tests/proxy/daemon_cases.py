"""What the tests of ``twistd -n netlab-proxy`` over real sockets share: daemons, requests, upstreams to meet."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from threading import Event
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import json_body
from netlab.calc.codecs.pickle_answers import read_answer
from netlab.calc.header import SERVER_ERROR, SUCCESS, Header, encode_packet
from netlab.calc.messages import Failure
from netlab.proxy.errors import REFUSED
from tests.calc.peers import Behaviour
from tests.calc.test_daemon import Client
from tests.calc.vectors import VECTORS
from tests.daemons import PATIENCE, Daemon
from tests.parts import temporary_folder

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


def held(release: Event) -> Behaviour:
    """Answer one request, once ``release`` is set."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        release.wait(PATIENCE)
        connection.sendall(packet())

    return behave


def ask_until(proxy: Daemon, frame: bytes, line: str) -> bytes:
    """Ask again and again until the proxy's log has ``line`` for it; the answer to the last time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        seen = len(proxy.log)
        answer = ask(proxy.port, frame)
        proxy.wait_for(re.compile(rf"(?s)^.{{{seen}}}.*Sending response"))
        if re.search(line, proxy.log[seen:]):
            return answer
    raise AssertionError(f"no {line!r} in the log:\n{proxy.log[-2_000:]}")


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
