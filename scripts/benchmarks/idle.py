"""Resident memory of idle connections."""

import socket
import time
from contextlib import ExitStack

from benchmarks.daemons import Running
from benchmarks.figures import Idle
from benchmarks.machine import open_files, resident_bytes
from benchmarks.worst_cases import small_request

#: Loopback addresses that connections come from: one alone has ports for about 28,000.
_SOURCES = 4

#: So many connections wait for their first answer at once.
_AT_ONCE = 200


def measure_idle(daemon: Running, wanted: int) -> Idle:
    """Open connections that ask one small thing each and then stay silent.

    Connections that were open before are gone, but Python keeps the room they had; so this needs a fresh daemon.
    """
    with ExitStack() as connections:
        before = _settled(daemon.pid)
        for start in range(0, wanted, _AT_ONCE):
            batch = [_connect(daemon.port, number) for number in range(start, min(start + _AT_ONCE, wanted))]
            for connection in batch:
                connections.enter_context(connection)
                connection.sendall(small_request())
            for connection in batch:
                if not connection.recv(1_000):
                    raise RuntimeError("the daemon closed a connection that was to stay idle")
        if open_files(daemon.pid) < wanted:
            raise RuntimeError(f"the daemon holds fewer connections than the {wanted:,} that were opened")
        return Idle(wanted, before, _settled(daemon.pid))


def _connect(port: int, number: int) -> socket.socket:
    source = (f"127.0.0.{1 + number % _SOURCES}", 0)
    return socket.create_connection(("127.0.0.1", port), timeout=10, source_address=source)


def _settled(pid: int) -> int:
    time.sleep(0.3)
    return resident_bytes(pid)
