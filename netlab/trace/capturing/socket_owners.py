"""Which program a socket of this machine belongs to, as Linux tells it in /proc (proc(5))."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from netlab.trace.capturing.endpoints import Endpoint

#: Flows whose owners were asked for, so that each is asked for once.
_MAX_FLOWS = 65_536
#: Seconds between two walks through all processes.
_WALK_INTERVAL = 0.02

_Inodes = dict[Endpoint, str]
_MAPPED = bytes(10) + b"\xff\xff"
_LISTENING = "0A"
_NOWHERE = {4: bytes(4), 16: bytes(16)}


class SocketOwners:
    """Finds the programs at both ends of each new flow. It reads many files: call it in a thread of its own."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._flows: set[frozenset[Endpoint]] = set()
        self._processes: dict[str, str] = {}
        self._walked = 0.0

    def comment(self, flow: tuple[Endpoint, Endpoint] | None) -> str:
        """A line for each end of ``flow`` that is a program here, the first time it is seen; else nothing."""
        if flow is None:
            return ""
        key = frozenset(flow)
        if key in self._flows or len(self._flows) >= _MAX_FLOWS:
            return ""
        self._flows.add(key)
        inodes = self._inodes(flow[0].protocol)
        owners = ((end, self._process(_inode(inodes, end))) for end in flow)
        return "\n".join(f"{endpoint_text(end)} = {owner}" for end, owner in owners if owner)

    def _inodes(self, protocol: str) -> _Inodes:
        found: _Inodes = {}
        for name in (protocol, f"{protocol}6"):
            try:
                lines = (self._proc / "self" / "net" / name).read_text().splitlines()[1:]
            except OSError:
                continue
            found.update(_entries(protocol, lines))
        return found

    def _process(self, inode: str | None) -> str | None:
        if inode is None:
            return None
        now = time.monotonic()
        if inode not in self._processes and now - self._walked > _WALK_INTERVAL:
            self._processes = dict(self._walk())
            self._walked = time.monotonic()
        return self._processes.get(inode)

    def _walk(self) -> Iterator[tuple[str, str]]:
        """The inode of every socket of every process that we may look at, and that process."""
        for number in filter(str.isdigit, os.listdir(self._proc)):
            process = self._proc / number
            try:
                targets = [os.readlink(entry) for entry in os.scandir(process / "fd")]
                name = (process / "comm").read_text().rstrip("\n")
            except OSError:
                continue
            for target in targets:
                if target.startswith("socket:["):
                    yield target[8:-1], f"{name}[{number}]"


def endpoint_text(end: Endpoint) -> str:
    """Address and port as a person writes them."""
    address = str(ip_address(end.address))
    return f"[{address}]:{end.port}" if ":" in address else f"{address}:{end.port}"


def _inode(inodes: _Inodes, end: Endpoint) -> str | None:
    """The socket bound to exactly this address, or to every address."""
    for address in (end.address, _NOWHERE[len(end.address)], _NOWHERE[16]):
        inode = inodes.get(end._replace(address=address))
        if inode is not None:
            return inode
    return None


def _entries(protocol: str, lines: Iterable[str]) -> Iterator[tuple[Endpoint, str]]:
    """Local ends and inodes. Those that listen come first, so that a connection of the same port counts for more."""
    rows = [line.split() for line in lines]
    rows = [row for row in rows if len(row) > 9 and row[9] != "0"]
    for row in sorted(rows, key=lambda row: row[3] != _LISTENING):
        address, _, port = row[1].partition(":")
        yield Endpoint(protocol, _address(address), int(port, 16)), row[9]


def _address(text: str) -> bytes:
    """An address as /proc has it: words of 32 bits in this machine's order. An IPv4 address in IPv6 is IPv4."""
    words = (int(text[place : place + 8], 16) for place in range(0, len(text), 8))
    address = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return address[12:] if address.startswith(_MAPPED) else address
