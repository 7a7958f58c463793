"""Who is at the other end of a connection, by the word of the kernel alone."""

import os
import socket
from struct import Struct
from typing import Any

from attrs import frozen
from twisted.internet.address import IPv4Address, IPv6Address

from netlab.watchdog.errors import NotProven
from netlab.watchdog.kin import Identity, Process, Table
from netlab.watchdog.processes import holders, read_process
from netlab.watchdog.sockets import Place, find_socket
from netlab.watchdog.whom import endable, holder, same_user

#: struct ucred: process, user, group (unix(7)).
_CREDENTIALS = Struct("iII")
#: Linux 6.5 and newer: a pidfd of the peer, which no other process can come to stand for.
_SO_PEERPIDFD = 77


@frozen
class UnixPeer:
    """Who connected to our UNIX socket: ``identity`` is `None` if it had ended by the time we looked."""

    uid: int
    identity: Identity | None


@frozen
class TcpPeer:
    """Both ends of a TCP connection."""

    own: Place
    peer: Place


@frozen
class NoPeer:
    """A connection of a kind that tells nothing."""


Peer = UnixPeer | TcpPeer | NoPeer


def peer_of(transport: Any) -> Peer:
    """What the kernel says of a connection that was just accepted; it costs a few system calls."""
    own, peer = transport.getHost(), transport.getPeer()
    if isinstance(peer, IPv4Address | IPv6Address):
        return TcpPeer(Place(own.host, own.port), Place(peer.host, peer.port))
    handle = transport.getHandle() if hasattr(transport, "getHandle") else None
    if isinstance(handle, socket.socket) and handle.family == socket.AF_UNIX:
        return _unix_peer(handle)
    return NoPeer()


def prove(peer: Peer, table: Table) -> Process:
    """The one process at the other end.

    It reads much of ``/proc`` where the connection is a TCP one, so a reactor has it done in a thread.

    :param table: all processes, read a moment ago.
    :raises NotProven: no single one is proven, or nobody may end it.
    """
    if isinstance(peer, UnixPeer):
        same_user(peer.uid, os.geteuid())
        process = table.get(peer.identity.pid) if peer.identity else None
        if process is None or process.identity != peer.identity:
            raise NotProven("the process that connected has ended already")
        return endable(process, os.getpid())
    if isinstance(peer, TcpPeer):
        return _tcp_holder(peer, table)
    raise NotProven("a connection of this kind does not tell who is at its other end")


def _tcp_holder(peer: TcpPeer, table: Table) -> Process:
    if not (peer.own.is_loopback and peer.peer.is_loopback):
        raise NotProven(f"{peer.peer.host} may be another machine: only who connects over loopback can be proven")
    found = None
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(path, encoding="ascii") as lines:
                found = found or find_socket(lines, peer.peer, peer.own)
        except OSError:
            continue
    if found is None:
        raise NotProven("the other end of the connection is closed, or out of this machine's sight")
    same_user(found.uid, os.geteuid())
    return holder(table, holders(found.inode), os.getpid())


def _unix_peer(connection: socket.socket) -> UnixPeer:
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        descriptor = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        # An older kernel, or nobody there any more. The number was taken a moment ago, as the peer connected.
        process = read_process(pid) if pid > 0 else None
        return UnixPeer(uid, process.identity if process else None)
    try:
        # As long as the pidfd can be signalled, its process has not ended, and so the number is still its own.
        process = read_process(pid) if pid > 0 else None
        return UnixPeer(uid, process.identity if process and _stands_for(descriptor, pid) else None)
    finally:
        os.close(descriptor)


def _stands_for(descriptor: int, pid: int) -> bool:
    """Whether a pidfd's process is there and has that number (proc(5), fdinfo)."""
    with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
        return f"Pid:\t{pid}\n" in lines.readlines()
