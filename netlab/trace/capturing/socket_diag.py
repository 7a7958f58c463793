"""Glue: which socket has a TCP connection, asked of the kernel directly (sock_diag(7)), which takes microseconds.

/proc/net/tcp has the same, but the kernel writes all of it anew for each reader, which takes longer than a short
connection lives.
"""

import contextlib
import socket
from struct import Struct

from netlab.trace.capturing.endpoints import Endpoint

# linux/netlink.h, linux/sock_diag.h
_SOCK_DIAG, _BY_FAMILY, _REQUEST = 4, 20, 1
#: struct nlmsghdr: length, type, flags, sequence, port.
_HEADER = Struct("=IHHII")
#: struct inet_diag_req_v2: family, protocol, states, and struct inet_diag_sockid: ports, addresses, no interface and
#: no cookie, which stands for any.
_QUESTION = Struct("=BBxxI2s2s16s16s4x8s")
_EVERY_STATE, _ANY_COOKIE = 0xFFFFFFFF, b"\xff" * 8
#: Of struct inet_diag_msg, after the header: the inode.
_INODE = Struct("=68xI")
_MAX_ANSWER = 4_096
#: Seconds; the kernel answers before `send` returns.
_PATIENCE = 0.1
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}


class SocketDiag:
    """Asks for inodes; where the kernel does not answer it never asks again."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        with contextlib.suppress(OSError, AttributeError):
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG)
            self._socket.settimeout(_PATIENCE)

    def inode(self, end: Endpoint, other: Endpoint) -> str | None:
        """The socket at ``end`` of the TCP connection to ``other``, or else the one that listens there."""
        if self._socket is None or end.protocol != "tcp":
            return None
        try:
            self._socket.send(_question(end, other))
            answer = self._socket.recv(_MAX_ANSWER)
        except OSError:
            self.close()
            return None
        _, kind, _, _, _ = _HEADER.unpack_from(answer)
        if kind != _BY_FAMILY or len(answer) < _HEADER.size + _INODE.size:
            return None
        (inode,) = _INODE.unpack_from(answer, _HEADER.size)
        return str(inode) if inode else None

    def close(self) -> None:
        """Ask no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _question(end: Endpoint, other: Endpoint) -> bytes:
    ports = (end.port.to_bytes(2, "big"), other.port.to_bytes(2, "big"))
    family = _FAMILIES[len(end.address)]
    asked = _QUESTION.pack(family, socket.IPPROTO_TCP, _EVERY_STATE, *ports, end.address, other.address, _ANY_COOKIE)
    return _HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST, 0, 0) + asked
