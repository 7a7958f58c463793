"""Glue: the network that an experiment has, its own where it can, and a far machine beyond a cable.

It must be entered before this process starts any thread. Everything in it ends with the processes in it.
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from netlab.common.namespace import NoNamespace, enter_own_network, set_link, unshare_network
from netlab.lab.cable import NEW_LINK_FLAGS, cable_request, error_of
from netlab.lab.errors import CannotRun
from netlab.lab.steps import FAR, NEAR

_SYSTEM = Path("/proc/sys/net")
#: No IPv6: its devices look for neighbours and routers, which is no part of any experiment.
_QUIET = {"ipv6/conf/default/disable_ipv6": "1"}
_FAR_END = "10.77.0.2"
_NEAR_NAME, _FAR_NAME, _FAR_LINK = "netlab0", "netlab1", "lo:1"
# linux/sockios.h, and setns(2)'s kind of namespace
_SET_ADDRESS, _SET_MASK, _NEW_NETWORK = 0x8916, 0x891C, 0x40000000
_NETLINK_ROUTE = 0


def enter(kernel: Mapping[str, str]) -> bool:
    """Move into a network of our own, with these settings, where that is allowed; whether it was.

    Who is not root there may ping too: the kernel's list of groups that may is this network's own.
    """
    try:
        enter_own_network()
    except NoNamespace:
        return False
    group = os.getegid()
    _set({**_QUIET, "ipv4/ping_group_range": f"{group} {group}", **kernel})
    return True


def _set(settings: Mapping[str, str]) -> None:
    """Settings of the network that this process is in."""
    for name, value in settings.items():
        # An older kernel does not know each of them; the claims say what came of it.
        with suppress(OSError):
            (_SYSTEM / name).write_text(value)


class FarMachine:
    """Another network, joined to ours by a cable, with an address (`FAR`) on a link of its own."""

    def __init__(self) -> None:
        """:raises CannotRun: the kernel makes no cable."""
        try:
            self._make()
        except (OSError, NoNamespace) as error:
            raise CannotRun(f"no cable to another machine can be made here: {error}") from None

    def _make(self) -> None:
        here = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            unshare_network()
            _set(_QUIET)
            # A socket stays in the network that it was made in: by this one the far machine is told what to do.
            self._there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            there = os.open("/proc/self/ns/net", os.O_RDONLY)
            _enter(here)
            _lay_cable(there)
            os.close(there)
        finally:
            os.close(here)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            _address(ours, _NEAR_NAME, NEAR, "255.255.255.0")
            set_link(ours, _NEAR_NAME, up=True)
        _address(self._there, _FAR_NAME, _FAR_END, "255.255.255.0")
        set_link(self._there, _FAR_NAME, up=True)
        set_link(self._there, "lo", up=True)
        _address(self._there, _FAR_LINK, FAR, "255.255.255.255")

    def cut(self) -> None:
        """Take its link down: what is sent to `FAR` still arrives at the machine, and nobody there answers."""
        set_link(self._there, _FAR_LINK, up=False)


def _enter(network: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(network, _NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _lay_cable(far: int) -> None:
    """Ask the kernel for a pair of veth devices, one here and one in the network ``far`` (rtnetlink(7))."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as link:
        link.send(cable_request(_NEAR_NAME, _FAR_NAME, far, NEW_LINK_FLAGS))
        number = error_of(link.recv(65_536))
        if number:
            raise OSError(number, os.strerror(number))


def _address(any_socket: socket.socket, interface: str, address: str, mask: str) -> None:
    for request, value in ((_SET_ADDRESS, address), (_SET_MASK, mask)):
        where = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
        fcntl.ioctl(any_socket, request, struct.pack("16s16s8x", interface.encode(), where))
