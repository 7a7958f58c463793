"""Sending at once what the kernel takes at once, and closing at once what has nothing left to send.

Twisted's transports keep what is written until the next turn of the reactor, which costs two system calls to ask for
that turn and one to be told of it. On a connection that has nothing waiting, the bytes can be given to the kernel
right away; measured, a request and its answer on one connection take a quarter less time. Whether anything waits is
only known from two private attributes of Twisted's transports, so this file alone looks at them, and takes the
ordinary way wherever they are not what it knows. A file's bytes need not come through this process at all.
"""

import os
import socket
from collections.abc import Sequence

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport, ITransport
from twisted.internet.tcp import Server
from twisted.python.failure import Failure

#: Buffers that one call may take (Linux allows 1,024).
_MAX_BUFFERS = 64


def without_delay(transport: ITransport) -> None:
    """Have the kernel send each write at once, where it is TCP.

    Nagle's algorithm (RFC 9293 §3.7.4) would hold the second of two writes until the first is acknowledged, and the
    peer may put that off for 40 ms. Here a write has all that is to be said at the time: there is nothing to join.
    """
    if ITCPTransport.providedBy(transport):
        transport.setTcpNoDelay(True)


def write_promptly(transport: ITransport, data: bytes) -> bool:
    """Write ``data``, in order after all that was written before.

    Whether every byte is known to be in the kernel's hands. Whatever goes wrong, the transport finds out by itself
    and in its own way: the rest is given to it.
    """
    sent = send_promptly(transport, (data,))
    if sent == len(data):
        return True
    transport.write(data[sent:])
    return False


def send_promptly(transport: ITransport, buffers: Sequence[bytes | memoryview], *, more: bool = False) -> int:
    """Give the kernel what it takes of ``buffers``: how many bytes that was, and they are sent.

    It is 0 where the transport has bytes of its own to send first, and when the connection is broken, which the
    transport finds out when it writes.

    :param more: whether other bytes follow at once, so that a segment need not be filled by these alone.
    """
    if type(transport) is not Server or not _idle(transport):
        return 0
    flags = socket.MSG_MORE if more else 0
    try:
        if len(buffers) == 1:
            return transport.socket.send(buffers[0], flags)
        return transport.socket.sendmsg(buffers[:_MAX_BUFFERS], (), flags)
    except OSError:
        return 0


def can_send_files(transport: ITransport) -> bool:
    """Whether `send_file_promptly` is for this transport: its bytes go to a TCP socket as they are."""
    return type(transport) is Server and not transport.TLS


def send_file_promptly(transport: ITransport, file: int, start: int, size: int) -> int | None:
    """Have the kernel send ``size`` bytes, or as many as it takes now, of the open ``file``: how many it took.

    0 is the end of the file. `None` if it takes none now, or the transport has bytes of its own to send first, or the
    connection is broken, which the transport finds out when it writes.

    :raises OSError: the file cannot be read, or not sent this way.
    """
    if type(transport) is not Server or not _idle(transport):
        return None
    try:
        return os.sendfile(transport.fileno(), file, start, size)
    except (BlockingIOError, ConnectionError):
        return None


def close_promptly(transport: ITransport) -> None:
    """Close a connection whose peer has sent its last byte.

    With nothing left to send this is over at once, as it is for protocols that know no half-closed connections; the
    ordinary way takes two system calls more and another turn of the reactor.
    """
    if type(transport) is Server and _idle(transport):
        transport.connectionLost(Failure(ConnectionDone()))
    else:
        transport.loseConnection()


def _idle(transport: Server) -> bool:
    """Whether nothing stands between the next byte written and the socket."""
    return not (
        transport.TLS
        or transport.dataBuffer
        or transport._tempDataBuffer
        or transport.disconnecting
        or transport.disconnected
        or not transport.connected
        or transport._writeDisconnecting
        or transport._writeDisconnected
    )
