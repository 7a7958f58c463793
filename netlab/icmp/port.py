"""A socket for ICMP on the reactor: it reads in bounded bits, and knows the two ways in which errors come."""

import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.icmp.ancillary import report_of, stamp_of
from netlab.icmp.errors import PacketFault, Truncated
from netlab.icmp.events import Event
from netlab.icmp.exchange import Exchange
from netlab.icmp.packet import IPV4_HEADER, Family, unwrap_ipv4
from netlab.icmp.sockets import Channel

#: Messages read in one turn of the reactor, so that a flood of them leaves others their turns.
READS = 96

#: Nanoseconds after which sending is rehearsed before it is done.
_RUSTY = 1_000_000
#: With it Linux refuses to send over these sockets as soon as it has been asked to.
_REFUSED = int(socket.MSG_OOB)

#: Room for an IPv4 header with options and an ICMP header, and for an error with what it quotes.
_HEADERS = 68
_ERROR_SIZE = 1_500
_ANCILLARY = 256

#: Turns in a row that may report an error where none is found, before the socket is given up.
_MAX_FALSE_ALARMS = 100

#: As a plain number: Python's own is an enumeration, and combining those costs more than a system call.
_MSG_TRUNC = int(socket.MSG_TRUNC)

Received = tuple[bytes, list[tuple[int, int, bytes]], int, Any]


@frozen
class Clocks:
    """Where the time is read, in nanoseconds: a clock that does not run backwards, and the system's."""

    monotonic: Callable[[], int] = time.monotonic_ns
    system: Callable[[], int] = time.time_ns


@implementer(IReadDescriptor)
class IcmpPort:
    """One socket; what comes is given to an exchange, and what that makes of it to ``told``.

    :param size: bytes of data in requests.
    :param rested: is called after each turn of reading, with whether there may be more to read.
    """

    log = Logger(namespace="netlab.icmp")

    def __init__(
        self,
        reactor: IReactorFDSet,
        channel: Channel,
        exchange: Exchange,
        told: Callable[[Event], object],
        size: int,
        clocks: Clocks,
        rested: Callable[[bool], object],
    ) -> None:
        self.channel = channel
        self._reactor = reactor
        self._socket = channel.socket
        self._sendto = channel.socket.sendto
        self._exchange = exchange
        self._told = told
        self._size = max(size + _HEADERS, _ERROR_SIZE)
        self._clocks = clocks
        self._rested = rested
        self._is_wrapped = channel.is_raw and channel.family is Family.IPV4
        self._false_alarms = 0
        self._last_sent = 0
        self._closed = False

    def start(self) -> None:
        """Begin to read."""
        self._synchronize()
        self._reactor.addReader(self)

    def close(self) -> None:
        """Close the socket."""
        if not self._closed:
            self._closed = True
            self._reactor.removeReader(self)
            self._socket.close()

    def send(self, packets: Sequence[bytes], address: Any) -> tuple[list[int], str | None]:
        """Send ``packets`` now, as many as can be; the monotonic times when that was, and `None`.

        Only of the first is it known that it cannot be sent: then it has a time as well, and the reason is given.
        """
        monotonic, sendto = self._clocks.monotonic, self._sendto
        if monotonic() - self._last_sent > _RUSTY:
            self._rehearse(packets[0], address)
        times: list[int] = []
        for packet in packets:
            # The reply may be there before `sendto` returns: nothing may come between the clock and the kernel.
            now = monotonic()
            try:
                sendto(packet, address)
            except OSError as error:
                if times:  # what is wrong may be told of one that was just sent, or be over in the next turn
                    break
                now, reason = self._retry(packet, address, now, error)
                if reason is not None:
                    return [now], reason
            times.append(now)
        self._last_sent = times[-1]
        return times, None

    def _rehearse(self, packet: bytes, address: Any) -> None:
        """Do all that sending takes but the sending.

        What was not run for a while has to be fetched by the processor first, from Python's code to the kernel's, and
        takes some 10 µs longer; those would be in the round trip.
        """
        if sys.platform == "linux":
            with suppress(OSError):
                self._sendto(packet, _REFUSED, address)

    def _retry(self, packet: bytes, address: Any, now: int, error: OSError) -> tuple[int, str | None]:
        """Send what was not sent ``now``; when that was, and `None`, or why it could not be done.

        A datagram socket also reports errors about requests that were sent before, sometimes with nothing in the
        queue yet or any more; so it is tried again, and what is wrong with this request is said again.
        """
        if self.channel.is_raw:
            return now, _reason(error)
        self._read_errors()
        now = self._clocks.monotonic()
        try:
            self._sendto(packet, address)
        except OSError as again:
            return now, _reason(again)
        return now, None

    def read(self) -> bool:
        """Read what has come, as much as one turn may; whether there may be more."""
        received: list[Received] = []
        recvmsg, size = self._socket.recvmsg, self._size
        for _ in range(READS):
            try:
                received.append(recvmsg(size, _ANCILLARY))
            except BlockingIOError:
                break
            except OSError:  # about a request that was sent; the replies are behind it
                self._read_errors()
        if received:
            self._synchronize()
            now = self._clocks.monotonic()
            self._deliver(received, now)
        return len(received) == READS

    # ---- what the reactor calls

    def fileno(self) -> int:
        """The socket's number; -1 once it is closed."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """The name in the log."""
        return "ICMP"

    def doRead(self) -> None:
        """Read for one turn."""
        self._false_alarms = 0
        more = self.read()
        if not self._closed:
            self._rested(more)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor takes errors that wait in the queue for the end of the socket; read them and go on."""
        if self._closed:
            return
        pending = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if self._read_errors() or pending:
            self._false_alarms = 0
        self._false_alarms += 1
        if self._false_alarms > _MAX_FALSE_ALARMS:
            self.log.error("the ICMP socket failed: {reason}", reason=reason.getErrorMessage())
            self.close()
        else:
            self._reactor.addReader(self)

    # ---- inside

    def _synchronize(self) -> None:
        monotonic = self._clocks.monotonic
        self._exchange.stamps.synchronize(monotonic(), self._clocks.system(), monotonic())

    def _deliver(self, received: list[Received], now: int) -> None:
        answer, told = self._exchange.answer, self._told
        header = IPV4_HEADER if self._is_wrapped else 0
        for data, ancillary, flags, address in received:
            sender, stamp = address[0], stamp_of(ancillary)
            # Nearly all that come are plain replies. What else is read piece by piece.
            event = answer(data[header:], sender, stamp, now) or self._interpret(data, flags, sender, stamp, now)
            if event is not None:
                told(event)

    def _interpret(self, data: bytes, flags: int, sender: str, stamp: int | None, now: int) -> Event | None:
        try:
            if flags & _MSG_TRUNC:
                raise Truncated(f"a packet of more than {self._size} bytes")
            message = unwrap_ipv4(data) if self._is_wrapped else data
        except PacketFault as fault:
            self._exchange.refuse(fault)
            return None
        channel, sender = self.channel, sender.partition("%")[0]
        return self._exchange.receive(channel.family, channel.identifier, message, sender, stamp, now)

    def _read_errors(self) -> int:
        """Read the queue of errors of a datagram socket, one turn's at most; how many there were."""
        if self.channel.is_raw:
            return 0
        for count in range(READS):
            try:
                request, ancillary, _, address = self._socket.recvmsg(self._size, _ANCILLARY, socket.MSG_ERRQUEUE)
            except OSError:
                return count
            self._deliver_error(request, ancillary, address)
        return READS

    def _deliver_error(self, request: bytes, ancillary: list[tuple[int, int, bytes]], address: Any) -> None:
        report = report_of(ancillary)
        if report is not None and address:
            to = address[0].partition("%")[0]
            error = (report.type, report.code, report.rest)
            channel = self.channel
            event = self._exchange.report(channel.family, channel.identifier, request, to, report.sender, error)
            if event is not None:
                self._told(event)


def _reason(error: OSError) -> str:
    return "the send buffer is full" if isinstance(error, BlockingIOError) else error.strerror or "failed"
