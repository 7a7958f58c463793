"""A test wire: two real kernels joined by a cable that drops, delays, repeats and reorders what a test chooses.

Each `Host` is a network namespace of its own with one TAP device; the wire carries frames between the two and keeps
what was seen at either end. Nothing of it can reach any other network.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import queue
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from tests.parts import missing

T = TypeVar("T")

#: linux/sched.h, linux/if_tun.h
_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000

PATIENCE = 20.0
ETHERNET = 1

#: Says what to do with a frame: give the frames to deliver, each with a delay in seconds. ``[]`` drops it.
Rule = Callable[["Frame"], "Iterable[tuple[float, bytes]] | None"]


def require_wire() -> None:
    """End this test where namespaces cannot be made: see `tests.parts.missing`."""
    if shutil.which("ip") is None:
        missing("ip (iproute2) is not installed")
    if os.geteuid() != 0 or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        missing("making network namespaces and TAP devices needs root and /dev/net/tun")


class Frame:
    """A frame on the wire: ``sender`` is 0 or 1, ``number`` counts that host's TCP segments from 0.

    ``payload`` and ``bits`` are TCP's; frames of anything else have number -1.
    """

    def __init__(self, sender: int, data: bytes) -> None:
        self.sender = sender
        self.data = data
        self.number = -1
        self.bits = 0
        self.payload = b""
        self.hidden = False
        if data[12:14] == b"\x08\x00" and data[23] == 6:
            end = 14 + int.from_bytes(data[16:18], "big")
            self.bits = data[47]
            self.payload = data[34 + (data[46] >> 4) * 4 : end]
            self.number = 0

    @property
    def is_tcp(self) -> bool:
        """Whether this is a TCP segment."""
        return self.number >= 0


class Host:
    """A kernel of its own, as far as networks go. What is called in it makes its sockets there."""

    def __init__(self, address: str, mtu: int = 1500) -> None:
        self.address = address
        self._mtu = mtu
        self._calls: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, name=f"host {address}")
        self._thread.start()
        self.tap: int = self.call(self._make)

    def call(self, work: Callable[[], T]) -> T:
        """Do ``work`` in this host's namespace, and give its result or raise its error."""
        done: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue()

        def run() -> None:
            try:
                done.put((work(), None))
            except BaseException as error:
                done.put((None, error))

        self._calls.put(run)
        result, error = done.get(timeout=PATIENCE)
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let the namespace go, and all that is in it."""
        self._calls.put(None)
        self._thread.join(PATIENCE)
        os.close(self.tap)

    def _work(self) -> None:
        while call := self._calls.get():
            call()

    def _make(self) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        # What a kernel says unasked would be in every capture.
        with contextlib.suppress(OSError):
            Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH", b"wire", _IFF_TAP | _IFF_NO_PI))
        words = f"link set lo up\nlink set wire mtu {self._mtu} up\naddr add {self.address}/24 dev wire\n"
        subprocess.run(["ip", "-batch", "-"], input=words, text=True, check=True)
        return tap


class Wire:
    """Two hosts and the cable between them; ``seen[0]`` and ``seen[1]`` are the frames at either end, with their times.

    ``rule`` may be set at any time. A frame that a rule marks ``hidden`` is carried, and kept in neither list.
    Frames take ``latency`` seconds from end to end.
    """

    def __init__(self, rule: Rule | None = None, mtu: int = 1500, latency: float = 0.0) -> None:
        self.rule = rule
        self._latency = latency
        self.hosts = (Host("10.9.0.1", mtu), Host("10.9.0.2", mtu))
        self.seen: tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]] = ([], [])
        self._numbers = [0, 0]
        self._late: list[tuple[float, int, bytes, bool]] = []
        self._stop = os.pipe()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="wire")
        self._thread.start()

    def connect(
        self, *, port: int = 7000, client_port: int = 0, receive_buffer: int = 0
    ) -> tuple[socket.socket, socket.socket]:
        """A connection from host 0 to host 1: the client's socket and the server's."""
        listener = self.hosts[1].call(lambda: self._listen(port, receive_buffer))
        with listener:
            client = self.hosts[0].call(lambda: self._connect(port, client_port))
            server, _ = listener.accept()
        server.settimeout(PATIENCE)
        return client, server

    def _listen(self, port: int, receive_buffer: int) -> socket.socket:
        listener = socket.socket()
        listener.settimeout(PATIENCE)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind((self.hosts[1].address, port))
        listener.listen()
        return listener

    def _connect(self, port: int, client_port: int) -> socket.socket:
        client = socket.socket()
        client.settimeout(PATIENCE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind((self.hosts[0].address, client_port))
        try:
            client.connect((self.hosts[1].address, port))
        except OSError:
            client.close()
            raise
        return client

    def await_frames(self, end: int, count: int) -> None:
        """Wait until ``count`` frames more have been seen at ``end``."""
        wanted = len(self.seen[end]) + count
        deadline = time.monotonic() + PATIENCE
        while len(self.seen[end]) < wanted and time.monotonic() < deadline:
            self._stopped.wait(0.02)

    def settle(self, quiet: float = 0.06) -> None:
        """Wait until nothing has been on the wire for ``quiet`` seconds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            before = sum(map(len, self.seen))
            self._stopped.wait(quiet)
            if sum(map(len, self.seen)) == before and not self._late:
                return

    def close(self) -> None:
        """Take everything down."""
        self._stopped.set()
        os.write(self._stop[1], b".")
        self._thread.join(PATIENCE)
        for host in self.hosts:
            host.close()
        for end in self._stop:
            os.close(end)

    def write(self, path: Path, end: int, only: Callable[[bytes], bool] = lambda frame: True) -> Path:
        """Write what was seen at one end as a capture."""
        blocks = [section_header("the test wire"), interface_description(ETHERNET, name="wire")]
        blocks += [enhanced_packet(when, frame) for when, frame in self.seen[end] if only(frame)]
        path.write_bytes(b"".join(blocks))
        return path

    def _carry(self) -> None:
        poll = select.poll()
        for descriptor in (self._stop[0], *(host.tap for host in self.hosts)):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(self._patience())}
            if self._stop[0] in ready:
                return
            for sender, host in enumerate(self.hosts):
                if host.tap in ready:
                    self._from(sender, os.read(host.tap, 65_536))
            self._deliver_late()

    def _patience(self) -> int | None:
        if not self._late:
            return None
        return max(0, int((min(self._late)[0] - time.monotonic()) * 1000) + 1)

    def _from(self, sender: int, data: bytes) -> None:
        frame = Frame(sender, data)
        if frame.is_tcp:
            frame.number = self._numbers[sender]
            self._numbers[sender] += 1
        chosen = self.rule(frame) if self.rule else None
        if not frame.hidden:
            self.seen[sender].append((time.time_ns(), data))
        for delay, copy in [(0.0, data)] if chosen is None else chosen:
            if delay or self._latency:
                self._late.append((time.monotonic() + self._latency + delay, 1 - sender, copy, frame.hidden))
            else:
                self._give(1 - sender, copy, frame.hidden)

    def _deliver_late(self) -> None:
        now = time.monotonic()
        for late in sorted(self._late):
            if late[0] <= now:
                self._late.remove(late)
                self._give(*late[1:])

    def _give(self, receiver: int, data: bytes, hidden: bool) -> None:
        if not hidden:
            self.seen[receiver].append((time.time_ns(), data))
        os.write(self.hosts[receiver].tap, data)
