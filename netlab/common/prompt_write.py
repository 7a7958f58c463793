"""Sending at once what the kernel takes at once, and closing at once what has nothing left to send.

Twisted's transports keep what is written until the next turn of the reactor, which costs two system calls to ask for
that turn and one to be told of it. On a connection that has nothing waiting, the bytes can be given to the kernel
right away; measured, a request and its answer on one connection take a quarter less time. Whether anything waits is
only known from two private attributes of Twisted's transports, so this file alone looks at them, and takes the
ordinary way wherever they are not what it knows.
"""

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport, ITransport
from twisted.internet.tcp import Server
from twisted.python.failure import Failure


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
    if type(transport) is Server and _idle(transport):
        try:
            sent = transport.socket.send(data)
        except OSError:
            sent = 0
        if sent == len(data):
            return True
        data = data[sent:]
    transport.write(data)
    return False


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
