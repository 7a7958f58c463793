"""What two real kernels do on the test wire: each play produces some of the analysis flags, or one way to end."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable

from tests.trace.wire import Frame, Rule, Wire

Play = Callable[[Wire], None]

Drop = list[tuple[float, bytes]]


def receive(sock: socket.socket, count: int) -> bytes:
    """Read ``count`` bytes, or what there is before the end."""
    data = b""
    while len(data) < count and (more := sock.recv(65_536)):
        data += more
    return data


def reset_on_close(sock: socket.socket) -> None:
    """Closing it will abort the connection."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def question_and_answer(wire: Wire) -> None:
    """A short request, an answer of 20,000 bytes, the client closes first."""
    client, server = wire.connect()
    client.sendall(b"hello")
    receive(server, 5)
    server.sendall(b"x" * 20_000)
    receive(client, 20_000)
    client.close()
    server.recv(1)
    server.close()


def bulk(count: int) -> Play:
    """``count`` bytes from the client to the server."""

    def play(wire: Wire) -> None:
        client, server = wire.connect()
        sending = threading.Thread(target=client.sendall, args=(b"x" * count,))
        sending.start()
        receive(server, count)
        sending.join()
        client.close()
        server.recv(1)
        server.close()

    return play


def late_answer(wire: Wire) -> None:
    """The server answers only when the client's kernel has long begun to wonder whether the request arrived."""
    client, server = wire.connect()
    client.sendall(b"hello")
    receive(server, 5)
    wire.settle(0.5)
    server.sendall(b"world")
    receive(client, 5)
    client.close()
    server.recv(1)
    server.close()


def keep_alive(wire: Wire) -> None:
    """Nothing is said for so long that the client's kernel asks twice whether the server is there."""
    client, server = wire.connect()
    client.sendall(b"hi")
    receive(server, 2)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL):
        client.setsockopt(socket.IPPROTO_TCP, option, 1)
    wire.settle()
    wire.await_frames(0, 4)
    client.close()
    server.recv(1)
    server.close()


def slow_reader(wire: Wire) -> None:
    """A server with a small buffer reads only after the client could send no more for a second."""
    client, server = wire.connect(receive_buffer=4096)
    client.setblocking(False)
    sent = 0
    until = time.monotonic() + 1.2
    while time.monotonic() < until:
        try:
            sent += client.send(b"z" * 5_000)
        except BlockingIOError:
            threading.Event().wait(0.05)
    read = 0
    while read < sent:
        read += len(server.recv(3_000))
    client.close()
    server.close()


def same_port_again(wire: Wire) -> None:
    """Three connections, each aborted, from the same port to the same port."""
    for _ in range(3):
        client, server = wire.connect(client_port=5555)
        client.sendall(b"hello")
        receive(server, 5)
        reset_on_close(client)
        client.close()
        with contextlib.suppress(ConnectionResetError):
            server.recv(1)
        server.close()


def once(chosen: Callable[[Frame], bool], action: Callable[[Frame], Drop | None]) -> Rule:
    """A rule for the first frame that is ``chosen``."""
    done: list[Frame] = []

    def rule(frame: Frame) -> Drop | None:
        if done or not frame.is_tcp or not chosen(frame):
            return None
        done.append(frame)
        return action(frame)

    return rule


def data_from_client(number: int) -> Callable[[Frame], bool]:
    """Data in the client's segment with that number, or the next."""
    return lambda frame: frame.sender == 0 and frame.number >= number and bool(frame.payload)


def drop(frame: Frame) -> Drop:
    """Lose it."""
    return []


def twice(frame: Frame) -> Drop:
    """Carry it two times."""
    return [(0.0, frame.data), (0.0, frame.data)]


def late(seconds: float) -> Callable[[Frame], Drop]:
    """Carry it later, after what follows it."""
    return lambda frame: [(seconds, frame.data)]


def hide(frame: Frame) -> None:
    """Carry it, and capture it nowhere."""
    frame.hidden = True


def no_acks(count: int) -> Rule:
    """Lose the server's first ``count`` empty ACKs."""
    lost: list[Frame] = []

    def rule(frame: Frame) -> Drop | None:
        if frame.sender == 1 and frame.bits == 0x10 and not frame.payload and len(lost) < count:
            lost.append(frame)
            return []
        return None

    return rule


def chaos(seed: int) -> Rule:
    """Lose, repeat, delay and hide one frame in eight."""
    chosen = random.Random(seed)

    def rule(frame: Frame) -> Drop | None:
        lot = chosen.random()
        if not frame.is_tcp or lot > 0.12:
            return None
        if lot < 0.03:
            return drop(frame)
        if lot < 0.06:
            return twice(frame)
        if lot < 0.09:
            return late(chosen.choice((0.0005, 0.002, 0.01, 0.03)))(frame)
        return hide(frame)

    return rule


def probes_with_a_byte() -> Rule:
    """Give the client the zero window probes of BSD and Windows: Linux asks with an old number and no data."""
    ends: list[int] = []

    def rule(frame: Frame) -> Drop | None:
        if not frame.is_tcp or frame.sender:
            return None
        seq = int.from_bytes(frame.data[38:42], "big")
        if frame.payload:
            ends.append(seq + len(frame.payload) & 0xFFFFFFFF)
        elif ends and seq == ends[-1] - 1 & 0xFFFFFFFF:
            return [(0.0, rewritten(frame.data, seq + 1, b"z"))]
        return None

    return rule


def rewritten(data: bytes, seq: int, payload: bytes) -> bytes:
    """A frame with another sequence number and payload, and the checksums that belong to them."""
    ip, tcp = bytearray(data[14:34]), bytearray(data[34 : 34 + (data[46] >> 4) * 4])
    tcp[4:8] = (seq & 0xFFFFFFFF).to_bytes(4, "big")
    length = len(tcp) + len(payload)
    ip[2:4] = (20 + length).to_bytes(2, "big")
    ip[10:12] = tcp[16:18] = b"\0\0"
    ip[10:12] = checksum(bytes(ip))
    tcp[16:18] = checksum(bytes(ip[12:20]) + b"\0\x06" + length.to_bytes(2, "big") + tcp + payload)
    return data[:14] + bytes(ip) + bytes(tcp) + payload


def checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")
