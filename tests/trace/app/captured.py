"""Makes the captures in tests/data/captures, with real daemons and a real kernel, in a network of its own.

Run it as root, in the project's folder: ``python -m tests.trace.app.captured [NAME]…``. Each function here is one
capture, and what its clients do is what the clients of the laboratory do. The daemons are those of the twistd beside
this Python; ``NETLAB_TWISTD_UPPER=PATH`` takes netlab-upper from another one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from netlab.calc.question import ask
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from tests.daemons import quiet_environment, twistd

FOLDER = Path(__file__).parents[2] / "data" / "captures"
VECTORS = Path(__file__).parents[2] / "data" / "calc_vectors.json"
#: For the kernel's own timers: a FIN that is answered late, the last packet on its way to dumpcap.
SETTLED = 0.5


def receive(client: socket.socket, count: int) -> bytes:
    """Read ``count`` bytes, or what there is."""
    data = b""
    while len(data) < count and (more := client.recv(65_536)):
        data += more
    return data


@contextlib.contextmanager
def daemon(name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon that listens; it is stopped in the end, unless it was before."""
    program = os.environ.get(f"NETLAB_TWISTD_{name.upper()}") or twistd()
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "-n", "--pidfile", f"{folder}/pid", f"netlab-{name}", *arguments]
        running = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=quiet_environment()
        )
        assert running.stdout is not None
        try:
            while b"listens on" not in (line := running.stdout.readline()):
                assert line, f"{name} has ended"
            yield running
        finally:
            stop(running)


def stop(running: subprocess.Popen[bytes]) -> None:
    """Stop a daemon."""
    running.send_signal(signal.SIGTERM)
    running.communicate()


def connect(port: int) -> socket.socket:
    """A connection of a client."""
    return socket.create_connection(("127.0.0.1", port), 30)


def vector(text: str) -> bytes:
    """The request of a deployed client for ``text``, made now."""
    found = next(one for one in json.loads(VECTORS.read_text()) if one["text"] == text)
    return struct.pack("!L", int(time.time())) + bytes.fromhex(found["request"])[4:]


def exchange(port: int, *requests: bytes) -> None:
    """Ask each request on a connection of its own, and close as a deployed client does."""
    for request in requests:
        with connect(port) as client:
            client.sendall(request)
            client.recv(65_536)


def calc() -> None:
    """Several requests on one connection: one in two sends, two in one, one in JSON, one that fails."""
    with daemon("calc"), connect(9999) as client:
        whole = vector("max(2, 3) + 3")
        client.sendall(whole[:100])
        time.sleep(0.1)
        client.sendall(whole[100:])
        receive(client, 60)
        two = [ask(text, tuple).packet(time.time()) for text in ("1 / 0", "2 ** 10")]
        client.sendall(b"".join(two))
        client.recv(65_536)
        client.sendall(b'\0\0\0\1\0\x27\x04\0\xff\xff\0\0{"expression": "1 + PI"}   ')
        client.recv(65_536)
        time.sleep(0.1)
        client.sendall(vector("(sin(max(2, 3 * 4, 5, 6 * ((7 * 8) / 9), 10 / 11)) / 12) * 13"))
        client.recv(65_536)


def calc_damaged() -> None:
    """A request, and then a header that says that it is shorter than itself."""
    with daemon("calc"), connect(9999) as client:
        client.sendall(vector("max(2, 3) + 3"))
        client.recv(65_536)
        client.sendall(struct.pack("!LHHHxx", int(time.time()), 5, 0x0400, 0) + b"what follows is lost")
        receive(client, 65_536)


def proxy() -> None:
    """A miss, a hit a second later, a miss of another request, and an outage."""
    with daemon("proxy"):
        with daemon("calc"):
            exchange(9998, vector("max(2, 3) + 3"))
            time.sleep(1.2)
            exchange(9998, vector("max(2, 3) + 3"), ask("2 ** 10", tuple).packet(time.time()))
        time.sleep(0.2)
        exchange(9998, ask("3 ** 10", tuple).packet(time.time()))


def upper_session() -> None:
    """The session server: two messages, and then it closes."""
    with daemon("upper"), connect(12345) as client:
        client.sendall(b"Hello, this is a message of 35 byte")
        client.recv(100)
        time.sleep(0.05)
        client.sendall(b"and this is of 20 by")
        client.recv(100)
        client.recv(100)


def _upper(variant: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return daemon("upper", "--variant", variant, "--listen", "tcp:5050:interface=127.0.0.1")


def upper_v1() -> None:
    """V1: a plain exchange."""
    with _upper("v1"), connect(5050) as client:
        client.sendall(b"Hello, World!")
        client.recv(1024)


def upper_v2() -> None:
    """V2: five bytes at a time, and a client that reads once."""
    with _upper("v2"):
        with connect(5050) as client:
            client.sendall(b"World! Hello, World!")
            client.recv(1024)
        time.sleep(SETTLED)


def upper_v3() -> None:
    """V3: a thousand times the message, and a client that leaves most of it unread."""
    with _upper("v3"):
        with connect(5050) as client:
            client.sendall(b"Hello, World!")
            client.recv(1024)
            client.recv(1024)
        time.sleep(SETTLED)


def upper_v4() -> None:
    """V4: a server that reads after five seconds what was sent in four pieces."""
    with _upper("v4"):
        with connect(5050) as client:
            for _ in range(4):
                client.sendall(b"Hello, World!" * 10)
            client.recv(1024)
        time.sleep(6)


def web() -> None:
    """What a browser does: a page, its second connection, a redirect, a missing page, and a HEAD."""
    with daemon("web", "--lab"), connect(8080) as first, connect(8080):
        host = b"Host: localhost:8080\r\nConnection: keep-alive\r\n\r\n"
        first.sendall(b"GET / HTTP/1.1\r\n" + host)
        first.recv(65_536)
        first.sendall(b"HEAD /index.html HTTP/1.1\r\n" + host)
        first.recv(65_536)
        with connect(8080) as second:
            second.sendall(b"GET /redirect HTTP/1.1\r\n" + host)
            receive(second, 65_536)
        with connect(8080) as third:
            third.sendall(b"GET /result.html HTTP/1.1\r\n" + host)
            third.recv(65_536)
            third.sendall(b"GET /nothing HTTP/1.1\r\n" + host)
            receive(third, 65_536)
        time.sleep(1.5)


def watchdog() -> None:
    """A start, two signs of life, and the silence that ends it."""
    with daemon("watchdog", "--timeout", "2"), connect(3000) as client:
        for number in (300, 256, 256):
            client.sendall(struct.pack("<i", number))
            time.sleep(0.3)
        receive(client, 100)


def ping() -> None:
    """Two programs ping at the same time."""
    running = [
        subprocess.Popen(["ping", "-n", "-c", "3", "-i", "0.2", "-s", size, "127.0.0.1"], stdout=subprocess.DEVNULL)
        for size in ("19", "56")
    ]
    for one in running:
        one.wait()


def both_directions() -> None:
    """One exchange; the capture has every packet of it twice."""
    with daemon("calc"):
        exchange(9999, vector("max(2, 3) + 3"))


SCENES: dict[str, Callable[[], None]] = {
    scene.__name__.replace("_", "-"): scene
    for scene in (
        calc,
        calc_damaged,
        proxy,
        upper_session,
        upper_v1,
        upper_v2,
        upper_v3,
        upper_v4,
        web,
        watchdog,
        ping,
        both_directions,
    )
}


def capture(name: str) -> None:
    """Play a scene, and keep what was on loopback meanwhile."""
    path = FOLDER / f"{name}.pcapng"
    if name == "both-directions":
        path.write_bytes(_twice(SCENES[name]))
        return
    # As few bytes as can be: no comments of the machine it was made on.
    command = ["dumpcap", "-q", "-i", "lo", "-n", "-w", str(path)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert running.stderr is not None
    while b"File:" not in (line := running.stderr.readline()):
        assert line, "dumpcap has ended"
    try:
        SCENES[name]()
        time.sleep(SETTLED)
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate()
    path.write_bytes(_plain(path))


def _twice(scene: Callable[[], None]) -> bytes:
    """What a packet socket sees of a scene on loopback: each packet on its way out, and on its way in."""
    everything = socket.ntohs(3)
    blocks = [section_header(), interface_description(1, name="lo")]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, everything) as sniffer:
        sniffer.bind(("lo", 0))
        sniffer.settimeout(SETTLED)
        playing = threading.Thread(target=scene)
        playing.start()
        while True:
            try:
                data = sniffer.recv(262_144)
            except TimeoutError:
                if not playing.is_alive():
                    return b"".join(blocks)
            else:
                blocks.append(enhanced_packet(time.time_ns(), data))


def _plain(path: Path) -> bytes:
    """The packets of a file, and nothing about the machine it was made on."""
    from netlab.trace.opening import blocks_of
    from netlab.trace.reading import Trace

    blocks = [section_header(), interface_description(1, name="lo")]
    blocks += [enhanced_packet(packet.time, packet.data) for packet in Trace(blocks_of(str(path))).packets()]
    return b"".join(blocks)


def main() -> None:
    """Make the captures that are named, or all."""
    if not os.environ.get("NETLAB_OWN_NETWORK"):
        environment = {**os.environ, "NETLAB_OWN_NETWORK": "1"}
        again = [sys.executable, "-m", "tests.trace.app.captured", *sys.argv[1:]]
        sys.exit(subprocess.run(["unshare", "--net", *again], env=environment, check=False).returncode)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SCENES:
        capture(name)
        print(name, (FOLDER / f"{name}.pcapng").stat().st_size)


if __name__ == "__main__":
    main()
