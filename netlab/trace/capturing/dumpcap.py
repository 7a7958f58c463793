"""Packets by way of Wireshark's dumpcap, for users who may run it but not capture themselves."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from threading import Event
from typing import IO, Any

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from netlab.trace.capturing.errors import CannotCapture, NoRightToCapture
from netlab.trace.capturing.ring import Captured
from netlab.trace.capturing.source import Lost, Received
from netlab.trace.errors import DamagedCapture, NotACapture
from netlab.trace.link import ETHERNET
from netlab.trace.records import CaptureFile, read_records
from netlab.trace.window import Window

#: Bytes that are read from dumpcap at once, at most.
_PIECE = 65_536

#: Seconds after which a dumpcap that was asked to end is killed.
_PATIENCE = 5.0

#: What dumpcap says where no right would help.
_NO_INTERFACE = "There is no device named"


class Dumpcap:
    """Captures on one interface (`netlab.trace.capturing.source`).

    :raises CannotCapture: there is no such interface.
    :raises NoRightToCapture: there is no dumpcap, or it may not capture either.
    """

    def __init__(self, interface: str, ports: Sequence[int], icmp: bool) -> None:
        program = shutil.which("dumpcap")
        if program is None:
            raise NoRightToCapture("there is none")
        self._file = CaptureFile()
        command = [program, "-q", "-i", interface, "-f", filter_text(ports, icmp=icmp), "-w", "-"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise NoRightToCapture(str(error.strerror)) from None
        self._first = self._begin()
        self._read: Deferred[None] | None = None
        self._batch: list[Captured] = []
        self._closing = False
        self._wanted = Event()
        self._wanted.set()

    @property
    def link_type(self) -> int:
        """The interface's, once there was a packet."""
        return self._file.interfaces[0].link_type if self._file.interfaces else ETHERNET

    def begin(self, reactor: Any, received: Received, lost: Lost) -> None:
        """Give packets."""
        self._reactor = reactor
        self._received = received
        self._lost = lost
        self._read = deferToThread(self._give)

    def resume(self) -> None:
        """Give packets again."""
        self._wanted.set()

    def pause(self) -> None:
        """Read no more: the pipe fills, then dumpcap's own buffer and the kernel's, which counts what doesn't fit."""
        self._wanted.clear()

    async def close(self) -> int:
        """End dumpcap and give its last packets; how many the kernel dropped."""
        self._closing = True
        self._wanted.set()
        self._process.send_signal(signal.SIGINT)
        killing = self._reactor.callLater(_PATIENCE, self._process.kill)
        if self._read is not None:
            await self._read
        await deferToThread(self._process.communicate)
        if killing.active():
            killing.cancel()
        return self._file.dropped or 0

    def abandon(self) -> None:
        """End at once."""
        if self._process.poll() is None:
            self._process.kill()

    def _begin(self) -> bytes:
        """Wait for the file's head, which comes when dumpcap has begun."""
        try:
            first = _piece(self._process.stdout)
            if first:
                return first
            _, said = self._process.communicate()
        except BaseException:
            self._process.kill()
            raise
        complaint = _complaint(said.decode(errors="replace"))
        if complaint.startswith(_NO_INTERFACE):
            raise CannotCapture(f"dumpcap: {complaint}")
        raise NoRightToCapture(complaint)

    def _give(self) -> None:
        """Read until dumpcap ends; in a thread."""
        problem = "dumpcap has ended"
        try:
            for record in read_records(Window(self._pieces()), self._file):
                self._batch.append(Captured(record.time or 0, record.length, record.data))
        except (DamagedCapture, NotACapture) as error:
            self._process.kill()
            problem = f"what dumpcap says cannot be read: {error}"
        self._hand_over()
        if not self._closing:
            self._reactor.callFromThread(self._lost, CannotCapture(f"the capture has ended: {problem}"))

    def _pieces(self) -> Iterator[bytes]:
        yield self._first
        while True:
            self._hand_over()
            self._wanted.wait()
            piece = _piece(self._process.stdout)
            if not piece:
                return
            yield piece

    def _hand_over(self) -> None:
        if self._batch:
            self._reactor.callFromThread(self._received, self._batch)
            self._batch = []


def filter_text(ports: Sequence[int], *, icmp: bool) -> str:
    """The filter as libpcap has it (pcap-filter(7))."""
    tests = [f"port {port}" for port in ports] + (["icmp", "icmp6"] if icmp else [])
    return " or ".join(tests)


def _piece(stream: IO[bytes] | None) -> bytes:
    assert stream is not None
    return os.read(stream.fileno(), _PIECE)


def _complaint(said: str) -> str:
    """What dumpcap says is wrong: the line that begins with its name, for it says other things too."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for line in lines:
        name, colon, problem = line.partition(": ")
        if name == "dumpcap" and colon:
            return problem
    return lines[0] if lines else "it ended at once"
