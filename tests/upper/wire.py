"""What the kernel puts on the wire: a loopback of our own, and all that passes on it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import frozen

from tests.parts import missing

PATIENCE = 30.0

_NEW_NETWORK = 0x4000_0000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_ALL_PROTOCOLS = 0x0003
_OUTGOING = 4
_TIMESTAMPS = 35  # SO_TIMESTAMPNS
_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}


@frozen
class Segment:
    """A TCP segment: when it passed (unix seconds), its ports, flags as letters of ``FSRPA``, and bytes of data."""

    when: float
    source: int
    target: int
    flags: str
    length: int


@contextmanager
def own_loopback() -> Iterator[None]:
    """Move this thread, and processes it starts, to a network of their own that has nothing but a loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as before:
        if libc.unshare(_NEW_NETWORK):
            missing(f"no network namespace can be made: {os.strerror(ctypes.get_errno())}")
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                flags = fcntl.ioctl(control, _GET_FLAGS, struct.pack("16sH14x", b"lo", 0))
                (now,) = struct.unpack("16xH14x", flags)
                fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sH14x", b"lo", now | _UP))
            yield
        finally:
            if libc.setns(before.fileno(), _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "there is no way back to the network that was")


class Capture:
    """All TCP segments on the loopback, from when it is made. Use it as a context manager."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        self._socket.bind(("lo", _ALL_PROTOCOLS))

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def until(self, seen: Callable[[list[Segment]], bool]) -> list[Segment]:
        """All segments, once they are what ``seen`` waits for."""
        end = time.monotonic() + PATIENCE
        while not seen(self.segments):
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                self._read()
            except TimeoutError:
                raise AssertionError(f"only this was seen: {self.segments}") from None
        return self.segments

    def _read(self) -> None:
        frame, control, _, address = self._socket.recvmsg(70_000, 128)
        if address[2] == _OUTGOING or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_TCP:
            return
        seconds, nanoseconds = struct.unpack("qq", control[0][2])
        tcp = 14 + 4 * (frame[14] & 15)
        source, target = struct.unpack_from("!HH", frame, tcp)
        (total,) = struct.unpack_from("!H", frame, 16)
        length = total - (tcp - 14) - 4 * (frame[tcp + 12] >> 4)
        flags = "".join(letter for letter, bit in _FLAGS.items() if frame[tcp + 13] & bit)
        self.segments.append(Segment(seconds + nanoseconds / 1e9, source, target, flags, length))
