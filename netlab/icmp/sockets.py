"""Sockets for ICMP: a raw one where that is allowed, otherwise the unprivileged datagram socket (icmp(7), raw(7)).

A raw socket gives every ICMP message that comes to this machine, with its IPv4 header; a filter in the kernel leaves
out what we have no use for. A datagram socket gives only replies to its own identifier, which the kernel chooses, and
errors through a queue of their own.
"""

import errno
import os
import socket
import sys
from contextlib import suppress
from struct import pack

from attrs import frozen

from netlab.icmp.ancillary import IP_RECVERR, IPV6_RECVERR, SO_TIMESTAMPNS, SOL_IP, SOL_IPV6
from netlab.icmp.errors import NoSocket
from netlab.icmp.packet import Family

_SOL_RAW, _ICMP_FILTER = 255, 1
_ICMP6_FILTER = 1
_RECEIVE_BUFFER = 1 << 20

_DOMAINS = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_PROTOCOLS = {Family.IPV4: socket.IPPROTO_ICMP, Family.IPV6: socket.IPPROTO_ICMPV6}
_NOT_ALLOWED = {errno.EPERM, errno.EACCES}

#: For tests, and for whoever wants to see what an ordinary user gets: use no raw socket.
UNPRIVILEGED = "NETLAB_ICMP_UNPRIVILEGED"


@frozen
class Channel:
    """An open socket, what messages over it are marked with, and whether it is a raw one."""

    socket: socket.socket
    family: Family
    identifier: int
    is_raw: bool


def open_channel(family: Family, ttl: int | None = None) -> Channel:
    """A socket for ``family``, set up.

    :raises NoSocket: there can be none; the text says what would help.
    """
    sock, is_raw = _open(family)
    try:
        sock.setblocking(False)
        _set_up(sock, family, is_raw)
        if ttl is not None:
            _set_ttl(sock, family, ttl)
        identifier = int.from_bytes(os.urandom(2), "big")
        if not is_raw:
            sock.bind(("", 0))
            identifier = sock.getsockname()[1]
    except BaseException:
        sock.close()
        raise
    return Channel(sock, family, identifier, is_raw)


def _open(family: Family) -> tuple[socket.socket, bool]:
    kinds = [socket.SOCK_DGRAM] if os.environ.get(UNPRIVILEGED) else [socket.SOCK_RAW, socket.SOCK_DGRAM]
    for kind in kinds:
        try:
            return socket.socket(_DOMAINS[family], kind, _PROTOCOLS[family]), kind == socket.SOCK_RAW
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise NoSocket(f"this machine has no IPv{family.version} sockets: {error.strerror}") from None
    raise NoSocket(_advice())


def _advice() -> str:
    """What to do where neither socket is allowed."""
    python = os.path.realpath(sys.executable)
    return (
        f"no permission to send ICMP; allow it to everyone with: sudo sysctl -w "
        f'net.ipv4.ping_group_range="0 2147483647" (group {os.getegid()} is not in it now), '
        f"or to this Python with: sudo setcap cap_net_raw+ep {python}, or run this with sudo"
    )


def _set_up(sock: socket.socket, family: Family, is_raw: bool) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    # Without stamps, which other systems have not, times are those of reading.
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    if is_raw:
        _filter(sock, family)
    elif family is Family.IPV4:
        sock.setsockopt(SOL_IP, IP_RECVERR, 1)
    else:
        sock.setsockopt(SOL_IPV6, IPV6_RECVERR, 1)


def _filter(sock: socket.socket, family: Family) -> None:
    """Have the kernel leave out all types of messages but echo replies and errors: a set bit keeps a type out."""
    wanted = {family.echo_reply, *family.errors}
    if family is Family.IPV4:
        sock.setsockopt(_SOL_RAW, _ICMP_FILTER, pack("=I", 0xFFFFFFFF ^ sum(1 << kind for kind in wanted)))
        return
    words = [0xFFFFFFFF ^ sum(1 << kind % 32 for kind in wanted if kind // 32 == word) for word in range(8)]
    sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, pack("=8I", *words))


def _set_ttl(sock: socket.socket, family: Family, ttl: int) -> None:
    if family is Family.IPV4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
