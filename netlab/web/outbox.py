"""What waits to be sent on one connection, and how it gets there: memory by `send`, files by `sendfile`.

On plain TCP the kernel is given what it takes at once. What it does not take stays where it is, a slice of a shared
file's content or a place in an open file, until the socket can be written to again: a reader that never reads costs
no memory of ours beyond that. Other transports (TLS, UNIX sockets) get one piece at a time, the next when they have
passed it on.
"""

import errno
import fcntl
import socket
import struct
import termios
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

from netlab.common.prompt_write import can_send_files, send_file_promptly, send_promptly
from netlab.web.errors import FileChanged
from netlab.web.folder import OpenFile
from netlab.web.ranges import Slice

#: Bytes of a file in one system call: as much as a turn of the reactor may spend on one connection.
_FILE_CHUNK = 1 << 20

#: Bytes of a file that the kernel may have without having sent them once.
_UNSENT = 1 << 18

#: linux/tcp.h; Python has no name for it yet.
_TCP_NOTSENT_LOWAT = 25

#: Bytes that are handed to a transport at a time.
_PIECE = 1 << 16

#: Bytes in memory that are gathered before they are sent.
_MUCH = 1 << 16

#: Answers up to this size are copied together into one write; longer content is not worth copying.
_JOINED = 16_384

#: `sendfile` does not know this file system, or not this kind of socket.
_NOT_THIS_WAY = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


def unsent(transport: Any) -> int:
    """Bytes that the kernel still has for the peer, because it has not acknowledged them; 0 where that isn't known."""
    try:
        answer = fcntl.ioctl(transport.fileno(), termios.TIOCOUTQ, bytes(4))
    except (AttributeError, OSError, ValueError):
        return 0
    size: int = struct.unpack("=i", answer)[0]
    return size


class FilePart:
    """A slice of an open file that is still to be sent; the file is closed with its last part."""

    __slots__ = ("file", "is_last", "start", "stop")

    def __init__(self, file: OpenFile, part: Slice, *, is_last: bool) -> None:
        self.file = file
        self.start = part.start
        self.stop = part.stop
        self.is_last = is_last


@implementer(IPullProducer)
class Outbox:
    """Sends in order what it is given.

    :param drained: called in a turn of its own when all has been sent that could not be sent at once.
    :param moved: called whenever the peer has taken something that it did not take at once.
    :param broke: called with the error when a file cannot be sent any further.
    """

    def __init__(
        self,
        transport: Any,
        drained: Callable[[], None],
        moved: Callable[[], None],
        broke: Callable[[Exception], None],
    ) -> None:
        self._transport = transport
        self._drained = drained
        self._moved = moved
        self._broke = broke
        self._parts: deque[bytes | memoryview | FilePart] = deque()
        #: Short bytes that come after those, to be one part with others.
        self._short: list[bytes] = []
        #: Bytes that were added since the last `push`.
        self.fresh = 0
        #: Whether the transport is to tell us when it can take more.
        self.is_waiting = False
        self._registering = False
        self._by_kernel = can_send_files(transport)
        self._is_held_short = False

    def add(self, data: bytes | memoryview) -> None:
        """Put bytes at the end."""
        size = len(data)
        self.fresh += size
        if size <= _JOINED and isinstance(data, bytes):
            self._short.append(data)
        else:
            if self._short:
                self._join()
            self._parts.append(data)

    def add_file(self, file: OpenFile, part: Slice, *, is_last: bool) -> None:
        """Put a part of a file at the end; the file is closed after its last part, and whatever happens."""
        if self._short:
            self._join()
        self._parts.append(FilePart(file, part, is_last=is_last))
        if part.stop - part.start > _UNSENT and self._by_kernel and not self._is_held_short:
            self._is_held_short = True
            self._transport.socket.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _UNSENT)
        self.fresh = _MUCH

    @property
    def is_full(self) -> bool:
        """Whether enough was added for one `push`."""
        return self.fresh >= _MUCH

    def push(self) -> bool:
        """Send what can be sent now: whether that was all. If it was not, the rest goes by itself."""
        self.fresh = 0
        if self._short:
            self._join()
        if not self._parts:
            return True
        if not self.is_waiting:
            try:
                if self._by_kernel and self._give_kernel():
                    return True
            except Exception as error:
                self._fail(error)
                return False
            self._wait()
        return False

    def clear(self) -> None:
        """Forget everything, and close what is open."""
        for part in self._parts:
            if isinstance(part, FilePart) and part.is_last:
                part.file.close()
        self._parts.clear()
        self._short.clear()
        self._stop_waiting()

    # ---- what the transport calls

    def resumeProducing(self) -> None:
        """It has passed on all that it had."""
        if self._registering or not self.is_waiting:
            return
        try:
            done = self._give_kernel() if self._by_kernel else self._give_transport()
        except Exception as error:
            self._fail(error)
            return
        self._moved()
        if done:
            self._stop_waiting()
            self._drained()
        elif self._by_kernel:
            self._transport.startWriting()

    def stopProducing(self) -> None:
        """The connection is lost; `clear` follows."""

    # ---- inside

    def _join(self) -> None:
        """Make the short bytes that wait, of which there are some, the next part."""
        short = self._short
        self._parts.append(b"".join(short) if len(short) > 1 else short[0])
        short.clear()

    def _wait(self) -> None:
        self.is_waiting = self._registering = True
        # A transport may ask for more before this returns: not yet.
        self._transport.registerProducer(self, False)
        self._registering = False
        if self._by_kernel:
            self._transport.startWriting()
        else:
            self.resumeProducing()

    def _stop_waiting(self) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self._transport.unregisterProducer()

    def _fail(self, error: Exception) -> None:
        self.clear()
        self._broke(error)

    def _give_kernel(self) -> bool:
        """Give the kernel what it takes: whether that was all. At most one piece of a file."""
        while self._parts:
            first = self._parts[0]
            if isinstance(first, FilePart):
                self._give_file(first)
                if self._parts:
                    return False
            elif not self._give_memory():
                return False
        return True

    def _give_memory(self) -> bool:
        """Give the kernel the bytes that come before the next file: whether it took all of them."""
        parts = self._parts
        run: list[bytes | memoryview] = []
        for part in parts:
            if isinstance(part, FilePart):
                break
            run.append(part)
        sent = send_promptly(self._transport, run, more=len(run) < len(parts))
        for part in run:
            if sent < len(part):
                parts[0] = memoryview(part)[sent:]
                return False
            sent -= len(part)
            parts.popleft()
        return True

    def _give_file(self, part: FilePart) -> None:
        """Give the kernel a piece of a file, and see that it was still the same one.

        What the kernel has taken are pages of the file, and a change in place changes them until they have left. So
        it is let have no more than it needs, and the check comes after. In the turn in which the file was looked up
        it needs none.
        """
        try:
            size = min(_FILE_CHUNK, part.stop - part.start)
            sent = send_file_promptly(self._transport, part.file.descriptor, part.start, size)
        except OSError as error:
            if error.errno not in _NOT_THIS_WAY:
                raise
            sent = send_promptly(self._transport, (part.file.read(part.start, min(_PIECE, size)),)) or None
        if sent == 0:
            raise FileChanged("the file ended while it was sent")
        if self.is_waiting:
            part.file.check()
        self._advance(part, sent or 0)

    def _give_transport(self) -> bool:
        """Give the transport one more piece; whether there was none."""
        if not self._parts:
            return True
        first = self._parts.popleft()
        if isinstance(first, FilePart):
            self._parts.appendleft(first)
            first.file.check()
            data = first.file.read(first.start, min(_PIECE, first.stop - first.start))
            self._advance(first, len(data))
        else:
            data = bytes(first[:_PIECE])
            if len(first) > _PIECE:
                self._parts.appendleft(memoryview(first)[_PIECE:])
        self._transport.write(data)
        return False

    def _advance(self, part: FilePart, sent: int) -> None:
        part.start += sent
        if part.start >= part.stop:
            self._parts.popleft()
            if part.is_last:
                part.file.close()
