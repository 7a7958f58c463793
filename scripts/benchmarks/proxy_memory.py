"""What stored answers weigh, and what waits for one answer."""

import socket
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median

from attrs import frozen

from benchmarks.daemons import Running
from benchmarks.machine import resident_bytes
from netlab.calc.framing import FrameReader
from netlab.calc.header import FOREVER, encode_packet

#: The body of an answer of 564 bytes, and the length of that of a request of 687; both begin as JSON does.
_ANSWER = b"{" + b"a" * 551
_REQUEST_BODY = 675

#: Requests that are sent together.
_BATCH = 100


class Upstream:
    """A calculator that computes nothing: every request gets 564 bytes, after ``delay`` seconds."""

    def __init__(self, delay: float = 0.0) -> None:
        # By default a thread that has something to do may wait 5 ms for another to let go of the interpreter.
        sys.setswitchinterval(1e-4)
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self.requests = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = FrameReader()
        answer = encode_packet(_ANSWER, timestamp=int(time.time()), status=200, cache=True, max_age=FOREVER)
        with connection, suppress(ConnectionError):
            while data := connection.recv(65_536):
                frames = reader.feed(data)
                self.requests += len(frames)
                if self._delay:
                    time.sleep(self._delay)
                connection.sendall(answer * len(frames))


@frozen
class Stored:
    """Resident memory of the proxy before and after it stored answers; ``content`` is the bytes of keys and packets."""

    entries: int
    before: int
    after: int
    content: int

    @property
    def overhead(self) -> float:
        """Bytes for each entry beyond its key and its answer."""
        return (self.after - self.before - self.content) / self.entries


@frozen
class Collapsed:
    """How long clients waited that wanted the same at once; ``added_ms`` is beyond what one waits without a proxy."""

    clients: int
    upstream_requests: int
    upstream_ms: float
    added_ms: float


def measure_stored(daemon: Running, entries: int) -> Stored:
    """Have so many different answers stored."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as connection:
        _ask(connection, range(_BATCH))
        before = resident_bytes(daemon.pid)
        for start in range(_BATCH, entries + _BATCH, _BATCH):
            _ask(connection, range(start, start + _BATCH))
        after = resident_bytes(daemon.pid)
    return Stored(entries, before, after, entries * (1 + _REQUEST_BODY + 12 + len(_ANSWER)))


def fill_proxy(daemon: Running, entries: int, folder: Path) -> Path:
    """Have so many different answers stored; a file with the requests for them."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as connection:
        for start in range(0, entries, _BATCH):
            _ask(connection, range(start, min(entries, start + _BATCH)))
    path = folder / "many"
    path.write_bytes(b"".join(map(_request, range(entries))))
    return path


def measure_collapsed(daemon: Running, upstream: Upstream, clients: int, rounds: int) -> Collapsed:
    """Ask for one new answer from many connections at once; medians of the rounds, the wait being the last one's."""
    alone = median(_wait(upstream.port, 1, number) for number in range(rounds))
    asked = upstream.requests
    together = median(_wait(daemon.port, clients, number) for number in range(rounds))
    requests = (upstream.requests - asked) / rounds
    return Collapsed(clients, round(requests), alone * 1e3, (together - alone) * 1e3)


def _wait(port: int, clients: int, number: int) -> float:
    """Seconds until so many clients, who ask the same at once, all have their answer."""
    frame = _request(10_000_000 + number)
    with ExitStack() as connections:
        opened = [
            connections.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(clients)
        ]
        time.sleep(0.05)
        began = time.perf_counter()
        for connection in opened:
            connection.sendall(frame)
        for connection in opened:
            connection.recv(65_536)
        return time.perf_counter() - began


def _ask(connection: socket.socket, numbers: range) -> None:
    connection.sendall(b"".join([_request(number) for number in numbers]))
    left = len(numbers) * (12 + len(_ANSWER))
    while left:
        data = connection.recv(1 << 20)
        if not data:
            raise RuntimeError("the proxy closed the connection")
        left -= len(data)


def _request(number: int) -> bytes:
    body = b"{%d" % number
    return encode_packet(body.ljust(_REQUEST_BODY, b"x"), timestamp=0, request=True, cache=True, max_age=FOREVER)
