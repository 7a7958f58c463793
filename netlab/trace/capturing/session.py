"""One capture: packets from a source into a pcapng file, with the names of the programs at both ends."""

import platform
import time
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool

from netlab import __version__
from netlab.trace.capturing.endpoints import endpoints_of
from netlab.trace.capturing.errors import CannotCapture
from netlab.trace.capturing.ring import Captured
from netlab.trace.capturing.socket_owners import SocketOwners
from netlab.trace.pcapng_write import enhanced_packet, interface_description, interface_statistics, section_header
from netlab.trace.records import Record

#: Batches that may wait for the disk; with more, packets stay in the kernel's ring, which counts what it has to drop.
_MAX_WAITING = 16

#: Called in the reactor's thread with the link type and what has been written, as a reader of the file would get it.
Watch = Callable[[int, list[Record]], None]


class Source(Protocol):
    """Where packets come from; it calls what it was made with, with lists of `Captured`."""

    @property
    def link_type(self) -> int:
        """The interface's LINKTYPE; right once there was a packet."""
        ...

    def resume(self) -> None:
        """Give packets."""
        ...

    def pause(self) -> None:
        """Give none until `resume`."""
        ...

    async def close(self) -> int:
        """Give the last and end; how many packets the kernel dropped."""
        ...


@frozen
class Summary:
    """How a capture went: packets written, and packets that the kernel had no room for."""

    packets: int
    dropped: int


class Session:
    """Takes packets from a source and writes them, in a thread, for files and /proc can be slow.

    Give `received` to the source, then the source to `start`, and `finish` in the end.
    """

    def __init__(self, reactor: Any, interface: str, out: BinaryIO | None, watch: Watch | None = None) -> None:
        """:param out: the file, which stays open; `None` to write none."""
        self._reactor = reactor
        self._interface = interface
        self._out = out
        self._watch = watch
        self._owners = SocketOwners()
        self._waiting: deque[list[Captured]] = deque()
        self._working = False
        self._paused = False
        self._worked: Deferred[None] = succeed(None)
        self._source: Source | None = None
        self._packets = 0
        #: Fires with the error if the file can be written no more.
        self.failed: Deferred[None] = Deferred()

    def start(self, source: Source) -> None:
        """Begin.

        :raises CannotCapture: the file cannot be written.
        """
        self._source = source
        self._write([section_header(f"netlab {__version__}", f"{platform.system()} {platform.release()}")])
        source.resume()

    def received(self, packets: list[Captured]) -> None:
        """Take packets."""
        self._waiting.append(packets)
        if not self._working:
            self._working = True
            self._worked = Deferred.fromCoroutine(self._work())
        elif len(self._waiting) > _MAX_WAITING and self._source is not None:
            self._paused = True
            self._source.pause()

    async def finish(self) -> Summary:
        """End: everything that was captured is written, and the kernel's count.

        :raises CannotCapture: the file cannot be written.
        """
        assert self._source is not None
        dropped = await self._source.close()
        self._paused = False
        await self._worked
        if not self._packets:
            self._describe(self._source.link_type)
        self._write([interface_statistics(time.time_ns(), self._packets + dropped, dropped)])
        return Summary(self._packets, dropped)

    async def _work(self) -> None:
        assert self._source is not None
        try:
            while self._waiting:
                batch = self._waiting.popleft()
                written = await deferToThreadPool(
                    self._reactor, self._reactor.getThreadPool(), self._store, batch, self._source.link_type
                )
                if self._watch is not None:
                    self._watch(self._source.link_type, written)
            if self._paused:
                self._paused = False
                self._source.resume()
        except CannotCapture as error:
            self._waiting.clear()
            if not self.failed.called:
                self.failed.errback(error)
        finally:
            self._working = False

    def _store(self, packets: list[Captured], link_type: int) -> list[Record]:
        """Write packets; in a thread."""
        if not self._packets:
            self._describe(link_type)
        records, blocks = [], []
        for packet in packets:
            comment = self._owners.comment(endpoints_of(link_type, packet.data))
            records.append(Record(packet.time, 0, packet.length, packet.data, (comment,) if comment else ()))
            blocks.append(enhanced_packet(packet.time, packet.data, packet.length, comment=comment))
        self._write(blocks)
        self._packets += len(packets)
        return records

    def _describe(self, link_type: int) -> None:
        self._write([interface_description(link_type, name=self._interface)])

    def _write(self, blocks: list[bytes]) -> None:
        if self._out is None:
            return
        try:
            self._out.write(b"".join(blocks))
            self._out.flush()
        except OSError as error:
            raise CannotCapture(f"cannot write the capture: {error.strerror}") from None
