"""Packets by way of Wireshark's dumpcap, for users who may run it but not capture themselves."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from netlab.trace.capturing.errors import CannotCapture, NoRightToCapture
from netlab.trace.capturing.ring import Captured
from netlab.trace.errors import DamagedCapture, NotACapture
from netlab.trace.link import ETHERNET
from netlab.trace.records import CaptureFile, Record, read_records
from netlab.trace.window import Window

#: Bytes that are read from dumpcap at once, at most.
_PIECE = 65_536

#: Seconds after which a dumpcap that was asked to end is killed.
_PATIENCE = 5.0


class Dumpcap:
    """Captures on one interface. ``received(packets)`` is called in the reactor's thread.

    :raises NoRightToCapture: there is no dumpcap, or it may not capture either.
    """

    def __init__(
        self, reactor: Any, interface: str, ports: Sequence[int], icmp: bool, received: Callable[[list[Captured]], None]
    ) -> None:
        program = shutil.which("dumpcap")
        if program is None:
            raise NoRightToCapture("there is no dumpcap")
        self._reactor = reactor
        self._received = received
        self._file = CaptureFile()
        command = [program, "-q", "-i", interface, "-f", filter_text(ports, icmp=icmp), "-w", "-"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self._blocks = self._begin()
        self._read: Deferred[None] | None = None

    @property
    def link_type(self) -> int:
        """The interface's, once there was a packet."""
        return self._file.interfaces[0].link_type if self._file.interfaces else ETHERNET

    def resume(self) -> None:
        """Give what comes."""
        if self._read is None:
            self._read = deferToThread(self._give)

    def pause(self) -> None:
        """Nothing: dumpcap keeps its packets in the pipe, and counts what does not fit."""

    async def close(self) -> int:
        """End dumpcap and give its last packets; how many the kernel dropped."""
        self._process.send_signal(signal.SIGINT)
        killing = self._reactor.callLater(_PATIENCE, self._process.kill)
        if self._read is not None:
            await self._read
        await deferToThread(self._process.communicate)
        if killing.active():
            killing.cancel()
        return self._file.dropped or 0

    def _begin(self) -> Iterator[bytes]:
        """Wait for the file's head, which comes when dumpcap has begun."""
        first = _piece(self._process.stdout)
        if not first:
            _, said = self._process.communicate()
            raise NoRightToCapture(said.decode(errors="replace").strip().partition("\n")[0] or "dumpcap ended at once")
        return _pieces(first, self._process.stdout)

    def _give(self) -> None:
        try:
            for record in read_records(Window(self._blocks), self._file):
                self._reactor.callFromThread(self._received, [_captured(record)])
        except (DamagedCapture, NotACapture) as error:
            raise CannotCapture(f"what dumpcap says cannot be read: {error}") from None


def filter_text(ports: Sequence[int], *, icmp: bool) -> str:
    """The filter as libpcap has it (pcap-filter(7))."""
    tests = [f"port {port}" for port in ports] + (["icmp", "icmp6"] if icmp else [])
    return " or ".join(tests)


def _captured(record: Record) -> Captured:
    return Captured(record.time or 0, record.length, record.data)


def _piece(stream: IO[bytes] | None) -> bytes:
    assert stream is not None
    return os.read(stream.fileno(), _PIECE)


def _pieces(first: bytes, stream: IO[bytes] | None) -> Iterator[bytes]:
    yield first
    while piece := _piece(stream):
        yield piece
