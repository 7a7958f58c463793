"""What the tests of ``netlab capture`` have in common: a talk to capture, and waiting for a capture to begin."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from netlab.trace.facts import Packet
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from tests.cli.command import PATIENCE
from tests.parts import missing

#: Serves one client on the port it is given, is that client too, and ends with the exit code it is given.
TALK = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.sendall(b"question")
peer.sendall(peer.recv(99).upper())
client.recv(99)
client.close()
peer.recv(1)
peer.close()
sys.exit(int(sys.argv[2]))
"""


def talk(port: int, code: int = 0, python: str = sys.executable) -> tuple[str, ...]:
    """The words that have ``netlab capture`` run a talk."""
    return "--", python, "-c", TALK, str(port), str(code)


def require_right() -> None:
    """End this test where capturing is not allowed."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        missing("capturing needs root, or CAP_NET_RAW")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def refused(port: int) -> None:
    """Make two packets: a SYN and the RST that answers it."""
    with socket.socket() as client:
        client.connect_ex(("127.0.0.1", port))


def wait_for_head(path: Path) -> None:
    """Wait until a capture has begun, which it has when its file has a head."""
    end = time.monotonic() + PATIENCE
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < end, "the capture has not begun"
        time.sleep(0.02)


def read_until(process: subprocess.Popen[bytes], text: str) -> str:
    """What ``process`` writes to its stdout, up to where ``text`` is in it; it has to come while ``process`` runs."""
    assert process.stdout is not None
    seen = b""
    end = time.monotonic() + PATIENCE
    while text.encode() not in seen:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        more = process.stdout.read1(65_536) if ready else b""  # type: ignore[attr-defined]
        assert more, f"no {text!r} in {seen!r}"
        seen += more
    return seen.decode()


def read(path: Path) -> tuple[list[Packet], Trace]:
    """The packets of a file that must be whole."""
    trace = Trace(blocks_of(str(path)))
    packets = list(trace.packets())
    assert trace.damage is None, trace.damage
    return packets, trace
