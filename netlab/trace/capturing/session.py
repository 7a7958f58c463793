"""One capture: packets from a source into a pcapng file, with the names of the programs at both ends."""

import platform
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool

from netlab import __version__
from netlab.trace.capturing.endpoints import endpoints_of
from netlab.trace.capturing.ring import Captured
from netlab.trace.capturing.socket_diag import SocketDiag
from netlab.trace.capturing.socket_owners import SocketOwners
from netlab.trace.capturing.source import Source
from netlab.trace.pcapng_write import enhanced_packet, interface_description, interface_statistics, section_header

#: Bytes of packets that may wait for the disk; with more, packets stay in the kernel's ring, which counts what it has
#: to drop.
_MAX_WAITING = 32 << 20


class Sink(Protocol):
    """What takes the capture's bytes; it may wait, and raise."""

    def write(self, data: bytes) -> None:
        """Take all of ``data``."""
        ...


@frozen
class Summary:
    """How a capture went: packets written, and packets that the kernel had no room for."""

    packets: int
    dropped: int


class Session:
    """Takes packets from a source and writes them, in a thread, for files and /proc can be slow.

    Give the source to `start`, and `finish` in the end.
    """

    def __init__(
        self, reactor: Any, interface: str, wanted: str, sinks: Sequence[Sink], failed: Callable[[Exception], None]
    ) -> None:
        """:param wanted: the filter, for the file to say.

        :param failed: is told when there is no use in going on: nothing can be written, or nothing will come. It may
            be told twice.
        """
        self._reactor = reactor
        self._interface = interface
        self._wanted = wanted
        self._sinks = sinks
        self._diag = SocketDiag()
        self._owners = SocketOwners(self._diag.inode)
        self._waiting: list[Captured] = []
        self._size = 0
        self._working = False
        self._paused = False
        self._broken = False
        self._worked: Deferred[None] = succeed(None)
        self._source: Source | None = None
        self._described = False
        self._packets = 0
        self._failed = failed

    def start(self, source: Source) -> None:
        """Begin.

        :raises Exception: what a sink raises.
        """
        self._source = source
        self._write([section_header(f"netlab {__version__}", f"{platform.system()} {platform.release()}")])
        source.begin(self._reactor, self._received, self._failed)

    async def finish(self) -> Summary:
        """End: everything that was captured is written, and the kernel's count."""
        assert self._source is not None
        dropped = await self._source.close()
        self._paused = False
        await self._worked
        if not self._broken:
            try:
                await self._in_thread(partial(self._end, dropped))
            except Exception as error:
                self._failed(error)
        self._diag.close()
        return Summary(self._packets, dropped)

    def _received(self, packets: list[Captured]) -> None:
        if self._broken:
            return
        self._waiting += packets
        self._size += sum(len(packet.data) for packet in packets)
        if not self._working:
            self._working = True
            self._worked = Deferred.fromCoroutine(self._work())
        elif self._size > _MAX_WAITING and self._source is not None:
            self._paused = True
            self._source.pause()

    async def _work(self) -> None:
        assert self._source is not None
        try:
            while self._waiting:
                batch, self._waiting, self._size = self._waiting, [], 0
                if self._paused:
                    self._paused = False
                    self._source.resume()
                await self._in_thread(partial(self._store, batch, self._source.link_type))
        except Exception as error:
            self._broken = True
            self._waiting.clear()
            self._failed(error)
        finally:
            self._working = False

    def _in_thread(self, work: Callable[[], None]) -> "Deferred[None]":
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work)

    def _store(self, packets: list[Captured], link_type: int) -> None:
        """Write packets; in a thread."""
        blocks = self._description(link_type)
        for packet in packets:
            comments = self._owners.comments(endpoints_of(link_type, packet.data))
            blocks.append(enhanced_packet(packet.time, packet.data, packet.length, comment=comments))
        self._write(blocks)
        self._packets += len(packets)

    def _end(self, dropped: int) -> None:
        """Write what comes last; in a thread."""
        assert self._source is not None
        blocks = self._description(self._source.link_type)
        self._write([*blocks, interface_statistics(time.time_ns(), self._packets + dropped, dropped)])

    def _description(self, link_type: int) -> list[bytes]:
        """What has to come before the first packet."""
        if self._described:
            return []
        self._described = True
        return [interface_description(link_type, name=self._interface, wanted=self._wanted)]

    def _write(self, blocks: list[bytes]) -> None:
        data = b"".join(blocks)
        for sink in self._sinks:
            sink.write(data)
