"""A client of the plainest kind: bytes to a socket, responses cut out of what comes back."""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

from tests.daemons import PATIENCE


class Answer(NamedTuple):
    """A response; names of fields in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


def parse(data: bytes, *, headed: bool = False) -> tuple[Answer, bytes]:
    """The first response in ``data``, and the rest; `AssertionError` if it is not whole."""
    head, end, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    status = int(lines[0].split()[1])
    size = 0 if headed or status == 304 else int(fields.get("content-length", 0))
    assert end and lines[0].startswith("HTTP/1.1 ") and len(rest) >= size, data[:200]
    return Answer(status, fields, rest[:size]), rest[size:]


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.settimeout(PATIENCE)
        self.received = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, target: str = "/", *fields: str, method: str = "GET") -> Answer:
        """Ask, and read the answer."""
        lines = [f"{method} {target} HTTP/1.1", "Host: a", *fields, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))
        return self.answer(headed=method == "HEAD")

    def answer(self, *, headed: bool = False) -> Answer:
        """The next response."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head = self.received.partition(b"\r\n\r\n")[0]
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        size = 0 if headed or length is None else int(length[1])
        parts = [self.received]
        missing = len(head) + 4 + size - len(self.received)
        while missing > 0:
            parts.append(self._read())
            missing -= len(parts[-1])
        answer, self.received = parse(b"".join(parts), headed=headed)
        return answer

    def rest(self) -> bytes:
        """All that comes until the server closes."""
        while data := self.socket.recv(1 << 16):
            self.received += data
        rest, self.received = self.received, b""
        return rest

    def _more(self) -> None:
        self.received += self._read()

    def _read(self) -> bytes:
        data = self.socket.recv(1 << 16)
        if not data:
            raise AssertionError(f"closed after {self.received[:200]!r}")
        return data


def exchange(port: int, data: bytes) -> bytes:
    """Send ``data`` over a connection of its own; all that comes until the server closes."""
    with Client(port) as client:
        client.send(data)
        return client.rest()
