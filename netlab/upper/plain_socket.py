"""A socket whose every system call is asked for, for those who want to watch them.

Twisted's own transports read whenever there is something to read, keep what is written for a later turn, tell no
reason when a connection is lost, and shut a socket down before they close it, so that a FIN goes out where the
kernel would have sent a RST. Here `take` takes a connected socket out of its transport; what follows is `recv`,
`send`, `shutdown` and `close` as a plain program makes them, except that it is the reactor that waits.
"""

import errno
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from netlab.common.errors import LocalError
from netlab.upper.calls import Send
from netlab.upper.ending import count_text
from netlab.upper.errors import Stalled

_LINGER = struct.pack("ii", 1, 0)


def take(transport: Any, reactor: Any, patience: float | None = None) -> "PlainSocket":
    """Take the socket of a connected transport, which is done with; its protocol is told that it is lost.

    :param reactor: which watches the socket from now on.
    :param patience: see `PlainSocket`.
    :raises LocalError: there is more than a plain socket, such as TLS.
    """
    taken = getattr(transport, "getHandle", lambda: None)()
    if not isinstance(taken, socket.socket):
        raise LocalError("this connection is no plain socket, so its system calls cannot be told one by one")
    transport.stopReading()
    transport.stopWriting()
    ours = socket.socket(fileno=taken.detach())
    ours.setblocking(False)
    transport.connectionLost(Failure(ConnectionDone()))
    return PlainSocket(ours, reactor, patience)


def acknowledge_late(sock: socket.socket) -> None:
    """Have the kernel acknowledge as late as it may what comes to ``sock``, or to those it accepts, if it is TCP."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)


@implementer(IReadWriteDescriptor)
class PlainSocket:
    """A connected socket and its reactor; one call at a time.

    What the kernel refuses is raised as the `OSError` that it is. A wait whose Deferred is cancelled leaves nothing
    behind; the socket stays open until `close`.

    :param patience: seconds that one wait may take, before it fails with `Stalled`; `None` for no limit.
    """

    def __init__(self, sock: socket.socket, reactor: Any, patience: float | None = None) -> None:
        self._socket = sock
        self._reactor = reactor
        self._patience = patience
        self._waiting: Deferred[None] | None = None
        self._lost = False
        #: Bytes that the kernel gave us, and bytes that it took from us.
        self.received = 0
        self.sent = 0
        #: Called whenever bytes have moved, either way.
        self.moved: Callable[[], object] = lambda: None

    # ---- calls

    async def receive(self, size: int) -> bytes:
        """One ``recv(size)``, once there is something to receive; ``b""`` at the end of the stream."""
        while True:
            await self.readable()
            try:
                data = self._socket.recv(size)
            except BlockingIOError:
                self._check_alarm()
                continue
            self.received += len(data)
            self.moved()
            return data

    async def send(self, what: Send) -> None:
        """Give the kernel every byte of ``what``, by as few calls as it lets us, and one a turn of the reactor.

        While the kernel takes nothing, nothing that it was to take is kept.
        """
        offset = 0
        while offset < what.length:
            offset += self._send_some(what.window(offset))
            if offset < what.length:
                await self._writable()

    def _send_some(self, data: bytes) -> int:
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            self._check_alarm()
            return 0
        self.sent += sent
        self.moved()
        return sent

    def _check_alarm(self) -> None:
        """There was nothing to do after all: the kernel may think again, but a reactor that stops calls no more."""
        if self._lost:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the reactor has stopped")

    def end_sending(self) -> None:
        """``shutdown(SHUT_WR)``."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset_at_close(self) -> None:
        """Have `close` send a RST, whatever there is."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)

    def send_at_once(self) -> None:
        """Turn Nagle's algorithm (RFC 9293 §3.7.4) off, if this is TCP."""
        if self._socket.family in (socket.AF_INET, socket.AF_INET6):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def acknowledge_late(self) -> None:
        """Have the kernel acknowledge as late as it may, as it does by itself once a conversation goes to and fro."""
        acknowledge_late(self._socket)

    def close(self) -> int:
        """``close()`` and nothing before it; how many bytes were left unread in the kernel's buffer."""
        (unread,) = struct.unpack("i", fcntl.ioctl(self._socket, termios.FIONREAD, bytes(4)))
        self._socket.close()
        return int(unread)

    # ---- waiting

    def readable(self, missing: str = "nothing came from the server") -> Deferred[None]:
        """Fires when there is something to receive: data, the end of the stream, or an error.

        :param missing: what it is called when there never is.
        """
        self._reactor.addReader(self)
        return self._wait(missing)

    def _writable(self) -> Deferred[None]:
        self._reactor.addWriter(self)
        return self._wait("the server read nothing")

    def _wait(self, what: str) -> Deferred[None]:
        waiting: Deferred[None] = Deferred(lambda _: self._stop())
        self._waiting = waiting
        if self._patience is None:
            return waiting

        def late(_result: object, seconds: float) -> NoReturn:
            raise Stalled(f"{what} for {seconds:g} s, after {count_text(self.received)} received, {self.sent:,} sent")

        return waiting.addTimeout(self._patience, self._reactor, late)

    def _stop(self) -> None:
        self._waiting = None
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)

    def _go_on(self) -> None:
        waiting = self._waiting
        self._stop()
        if waiting is not None:
            waiting.callback(None)

    # ---- what the reactor calls

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._socket.fileno()

    def doRead(self) -> None:
        """There is something to receive."""
        self._go_on()

    def doWrite(self) -> None:
        """There is room to send."""
        self._go_on()

    def connectionLost(self, reason: Failure) -> None:
        """Something is wrong, and the next call will say what; or the reactor stops."""
        self._lost = True
        self._go_on()

    def logPrefix(self) -> str:
        """Who is at work, for the log."""
        return "netlab-upper"
