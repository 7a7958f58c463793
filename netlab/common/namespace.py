"""A network of this process's own: a user and a network namespace (user_namespaces(7), network_namespaces(7)).

No right is needed for that where the kernel allows user namespaces. Nothing of the machine's network is in it, and
there this process may do all that root may with networks: capture, make interfaces, take any port.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

from netlab.common.errors import LocalError

# linux/sched.h, linux/if.h and linux/sockios.h
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_UP, _GET_FLAGS, _SET_FLAGS = 0x1, 0x8913, 0x8914


class NoNamespace(LocalError):
    """The kernel gives this program no network of its own."""


def enter_own_network() -> None:
    """Move this process, which must have one thread only, into a network of its own with a loopback that is up.

    It and the programs it starts stay the same user; only this process, until it becomes another program, has root's
    rights there. Those programs may ping, and take any port.

    :raises NoNamespace: the kernel, or whoever set it up, does not allow that.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        if user == 0:
            _unshare(_NEW_NETWORK)
        else:
            _unshare(_NEW_USER | _NEW_NETWORK)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        _bring_up("lo")
        _allow_programs(group)
    except OSError as error:
        raise NoNamespace(f"no network of its own for this program: {error.strerror}") from None


def unshare_network() -> None:
    """Move this process into another new network, with nothing in it, of the same user namespace.

    :raises NoNamespace: the kernel does not allow that.
    """
    try:
        _unshare(_NEW_NETWORK)
    except OSError as error:
        raise NoNamespace(f"no network of its own for this program: {error.strerror}") from None


def set_link(any_socket: socket.socket, interface: str, *, up: bool) -> None:
    """Take an interface of the network that ``any_socket`` was made in up or down.

    :raises OSError: there is none, or this process may not.
    """
    asked = struct.pack("16sH22x", interface.encode(), 0)
    (flags,) = struct.unpack_from("H", fcntl.ioctl(any_socket, _GET_FLAGS, asked), 16)
    wanted = flags | _UP if up else flags & ~_UP
    fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH22x", interface.encode(), wanted))


def _unshare(flags: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _allow_programs(group: int) -> None:
    """Let them ping and take any port; a kernel without these settings goes without (networking/ip-sysctl.rst)."""
    for name, value in (("ping_group_range", f"{group} {group}"), ("ip_unprivileged_port_start", "0")):
        with contextlib.suppress(OSError):
            Path("/proc/sys/net/ipv4", name).write_text(value)


def _bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        set_link(any_socket, interface, up=True)
