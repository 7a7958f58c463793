"""Packets straight from the kernel: a packet socket with a ring and a filter, on the reactor (packet(7))."""

import ctypes
import fcntl
import mmap
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import deferLater
from zope.interface import implementer

from netlab.trace.capturing import packet_filter, ring
from netlab.trace.capturing.errors import CannotCapture, NoRightToCapture
from netlab.trace.capturing.source import Lost, Received
from netlab.trace.link import COOKED2, ETHERNET, RAW

#: Every interface at once.
ANY = "any"

#: Bytes kept of each packet: all of the longest that offloading makes.
SNAP_LENGTH = 262_144

#: Seconds in which the kernel hands over a block that is not full.
_TO_THE_LAST = ring.BLOCK_TIMEOUT * 2 / 1_000

#: Blocks of the ring that are read in one turn of the reactor.
_BLOCKS_A_TURN = 2

# socket(7) and packet(7), by number where Python has no name.
_SOL_PACKET, _RX_RING, _STATISTICS, _VERSION, _TPACKET_V3 = 263, 5, 6, 10, 2
_ATTACH_FILTER = 26
_EVERY_PROTOCOL = 0x0003
_SIOCGIFHWADDR = 0x8927
#: ARPHRD_ETHER, ARPHRD_LOOPBACK, and interfaces whose packets begin with IP: ARPHRD_NONE, TUNNEL, SIT, IPGRE.
_LINK_TYPES = {1: ETHERNET, 772: ETHERNET, 65_534: RAW, 768: RAW, 776: RAW, 778: RAW}
#: IFNAMSIZ: bytes of an interface's name in struct ifreq.
_NAME_SIZE = 16


@implementer(IReadDescriptor)
class PacketSocket:
    """Captures on one interface, or on all, from when it is made (`netlab.trace.capturing.source`)."""

    def __init__(self, interface: str, ports: Sequence[int], icmp: bool) -> None:
        """:raises CannotCapture: there is no such interface, or it is of a kind that is not known.

        :raises NoRightToCapture: the kernel does not let this program.
        """
        self._interface = interface
        self._next = 0
        self._socket = _open(interface)
        try:
            self.link_type = _link_type(self._socket, interface)
            self._set_up(interface, ports, icmp)
        except OSError as error:
            self._socket.close()
            raise CannotCapture(f"cannot capture on {interface}: {error.strerror}") from None
        except CannotCapture:
            self._socket.close()
            raise

    def begin(self, reactor: Any, received: Received, lost: Lost) -> None:
        """Give packets."""
        self._reactor = reactor
        self._received = received
        self._lost = lost
        self.resume()

    def _set_up(self, interface: str, ports: Sequence[int], icmp: bool) -> None:
        """Filter and ring come before binding, so that no packet is seen without them."""
        loopback = socket.if_nametoindex("lo")
        wanted = packet_filter.program(ports, icmp=icmp, loopback=loopback, snap_length=SNAP_LENGTH)
        _attach(self._socket, packet_filter.pack(wanted))
        self._socket.setsockopt(_SOL_PACKET, _VERSION, struct.pack("i", _TPACKET_V3))
        self._socket.setsockopt(_SOL_PACKET, _RX_RING, ring.request())
        self._ring = mmap.mmap(self._socket.fileno(), ring.BLOCK_SIZE * ring.BLOCKS)
        self._view = memoryview(self._ring)
        _bind(self._socket, 0 if interface == ANY else socket.if_nametoindex(interface))

    def logPrefix(self) -> str:
        """Who this is, for Twisted's log."""
        return "capture"

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def resume(self) -> None:
        """Give what comes."""
        self._reactor.addReader(self)

    def pause(self) -> None:
        """Give nothing until `resume`; the ring keeps what fits, and the kernel counts what doesn't."""
        self._reactor.removeReader(self)

    def doRead(self) -> None:
        """Give what is in the next blocks."""
        for _ in range(_BLOCKS_A_TURN):
            if not self._give_block():
                return

    def connectionLost(self, reason: object) -> None:
        """The kernel gives this socket no more, and the reactor has forgotten it."""
        self._lost(CannotCapture(f"the capture has ended: {self._interface} went down, or is no more"))

    async def close(self) -> int:
        """Give all that the kernel has until now, and end; how many packets it had to drop."""
        await deferLater(self._reactor, _TO_THE_LAST)
        self.pause()
        while self._give_block():
            pass
        _, dropped, _ = struct.unpack("=3I", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))
        self.abandon()
        return int(dropped)

    def abandon(self) -> None:
        """End at once."""
        self._view.release()
        self._ring.close()
        self._socket.close()

    def _give_block(self) -> bool:
        if not ring.is_ours(self._view, self._next):
            return False
        found = list(ring.packets(self._view, self._next, self.link_type))
        ring.give_back(self._view, self._next)
        self._next = (self._next + 1) % ring.BLOCKS
        if found:
            self._received(found)
        return True


def _open(interface: str) -> socket.socket:
    if not hasattr(socket, "AF_PACKET"):
        raise NoRightToCapture("this system has no packet sockets")
    kind = socket.SOCK_DGRAM if interface == ANY else socket.SOCK_RAW
    try:
        return socket.socket(socket.AF_PACKET, kind, 0)
    except PermissionError:
        raise NoRightToCapture("this program may not capture") from None


def _bind(opened: socket.socket, index: int) -> None:
    """Bind to an interface, 0 for all (which Python's own bind cannot say): struct sockaddr_ll."""
    address = struct.pack("=HHi12x", socket.AF_PACKET, socket.htons(_EVERY_PROTOCOL), index)
    if ctypes.CDLL(None, use_errno=True).bind(opened.fileno(), address, len(address)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _link_type(opened: socket.socket, interface: str) -> int:
    if interface == ANY:
        return COOKED2
    names = [name for _, name in socket.if_nameindex()]
    if interface not in names:
        raise CannotCapture(f"there is no interface {interface!r}; there are: {', '.join([*names, ANY])}")
    answer = fcntl.ioctl(opened.fileno(), _SIOCGIFHWADDR, struct.pack("16s24x", interface.encode()))
    (kind,) = struct.unpack_from("=H", answer, _NAME_SIZE)
    if kind not in _LINK_TYPES:
        raise CannotCapture(f"{interface} is of a kind whose packets netlab does not read (ARPHRD {kind})")
    return _LINK_TYPES[kind]


def _attach(opened: socket.socket, program: bytes) -> None:
    """Give the socket its filter: struct sock_fprog is a count and an address."""
    instructions = ctypes.create_string_buffer(program, len(program))
    count = len(program) // packet_filter.SIZE
    opened.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HL", count, ctypes.addressof(instructions)))
