"""Calculator servers for clients to meet: plain threads and sockets, some as deployed, some hostile."""

from __future__ import annotations

import contextlib
import math
import pickle
import random
import socket
import threading
import time
from collections.abc import Callable
from struct import Struct
from typing import Any

from netlab.calc.calculator import Calculator
from netlab.calc.framing import FrameReader
from tests.calc.codecs import deployed

#: What a server does with one connection; it is closed afterwards.
Behaviour = Callable[[socket.socket], None]

_HEADER = Struct("!LHHHxx")


class Server:
    """A server on a free port, a thread a connection. Use it as a context manager."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Server:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for opened in (self._listener, *self._open):
            # Wakes up the thread that waits in it.
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def refuse(self) -> None:
        """Take no more connections; those that are there go on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._behaviour(connection)


def ours(connection: socket.socket, count: float = math.inf) -> None:
    """Answer requests as our daemon does, and after ``count`` of them no more."""
    calculator = Calculator(random.Random().uniform)
    reader = FrameReader()
    while count > 0 and (data := connection.recv(65_536)):
        for frame in reader.feed(data):
            if count > 0:
                connection.sendall(int(time.time()).to_bytes(4, "big") + calculator.reply(frame).tail)
            count -= 1


def closing(connection: socket.socket) -> None:
    """As deployed: answer what one read gives, then close."""
    connection.sendall(_deployed_answer(connection.recv(65_536)))


def dropping(connection: socket.socket) -> None:
    """As deployed: of what one read gives answer the first request, and forget the others."""
    while data := connection.recv(65_536):
        connection.sendall(_deployed_answer(data))


def raw(data: bytes, *, stay: bool = False) -> Behaviour:
    """Answer the first bytes that come with ``data``, whatever it is; then close, or ``stay`` and be silent."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(data)
        if stay:
            drain(connection)

    return behave


def drain(connection: socket.socket) -> None:
    """Read until the client closes, and say nothing."""
    while connection.recv(65_536):
        pass


def _deployed_answer(data: bytes) -> bytes:
    """What the deployed server makes of a request: it loads the pickle, computes, and pickles the answer."""
    with deployed.installed():
        status, answer = 200, None
        try:
            answer = (_value(pickle.loads(data[12:])), [])
        except ArithmeticError as error:
            status, answer = 400, error
        body = pickle.dumps(answer, 4)
    return _HEADER.pack(0, 12 + len(body), 0x1000 | status, 0xFFFF) + body


def _value(node: Any) -> Any:
    """The value of an expression as the deployed programs have it, by their own functions."""
    match type(node).__name__:
        case "BinaryExpr":
            return node.operator.function(_value(node.left_operand), _value(node.right_operand))
        case "UnaryExpr":
            return node.operator.function(_value(node.operand))
        case "FunctionCallExpr":
            return node.function.function(*map(_value, node.args))
    return node.value
