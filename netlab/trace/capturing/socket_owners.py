"""Which program a socket of this machine belongs to, as Linux tells it in /proc (proc(5))."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from attrs import define

from netlab.common.printable import printable
from netlab.trace.capturing.endpoints import Endpoint

#: Flows whose owners were asked for.
_MAX_FLOWS = 65_536
#: How often the owners of a flow are asked for (one side may be another machine), and the seconds in between.
_TRIES, _PAUSE = 3, 0.05
#: Sockets whose programs are remembered.
_MAX_SOCKETS = 65_536
#: Characters of a program's name. Programs choose their own.
_MAX_NAME = 64
#: Of one second, the part that may be spent on walks through all processes, and on the tables of all sockets.
_SHARE = 0.1

#: The sockets that may be at an endpoint, the likeliest first.
_Inodes = dict[Endpoint, list[str]]
_MAPPED = bytes(10) + b"\xff\xff"
_LISTENING = "0A"
_NOWHERE = {4: bytes(4), 16: bytes(16)}


#: Gives the inode of the socket at the first endpoint of a connection to the second, if it can.
Ask = Callable[[Endpoint, Endpoint], str | None]


@define
class _Flow:
    """What is not known yet of a flow."""

    ends: tuple[Endpoint, Endpoint]
    tries: int
    next: float
    unknown: list[Endpoint]


class _Effort:
    """Something slow, which is done again when it has rested so long that it takes no more than `_SHARE` of time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = self._due = 0.0

    def is_due(self) -> bool:
        """Whether it has rested."""
        return self._now() >= self._due

    def __enter__(self) -> None:
        self._began = self._now()

    def __exit__(self, *_: object) -> None:
        ended = self._now()
        self._due = ended + (ended - self._began) / _SHARE


class SocketOwners:
    """Finds the programs at both ends of each new flow. It reads many files: call it in a thread of its own."""

    def __init__(self, ask: Ask, proc: Path = Path("/proc"), now: Callable[[], float] = time.monotonic) -> None:
        """:param ask: finds a socket quicker than /proc does, or not at all."""
        self._ask = ask
        self._proc = proc
        self._now = now
        #: `None` for those of which no more can be known.
        self._flows: dict[frozenset[Endpoint], _Flow | None] = {}
        self._processes: dict[str, str] = {}
        self._walking, self._tables = _Effort(now), _Effort(now)

    def comments(self, flow: tuple[Endpoint, Endpoint] | None) -> tuple[str, ...]:
        """One for each end of ``flow`` that is a program here, the first time it is known."""
        if flow is None:
            return ()
        key = frozenset(flow)
        if key not in self._flows and len(self._flows) < _MAX_FLOWS:
            self._flows[key] = _Flow(flow, _TRIES, 0.0, list(dict.fromkeys(flow)))
        known, now = self._flows.get(key), self._now()
        if known is None or now < known.next:
            return ()
        known.tries, known.next = known.tries - 1, now + _PAUSE
        found = tuple(self._told(known))
        if not known.tries or not known.unknown:
            self._flows[key] = None
        return found

    def _told(self, flow: _Flow) -> Iterator[str]:
        yield from self._named(flow, self._asked(flow))
        if flow.unknown and self._tables.is_due():
            with self._tables:
                found = self._inodes(flow.unknown[0].protocol)
            yield from self._named(flow, {end: _sockets(found, end) for end in flow.unknown})

    def _asked(self, flow: _Flow) -> dict[Endpoint, list[str]]:
        one, other = flow.ends
        answers = ((end, self._ask(end, one if end == other else other)) for end in flow.unknown)
        return {end: [inode] for end, inode in answers if inode is not None}

    def _named(self, flow: _Flow, sockets: dict[Endpoint, list[str]]) -> Iterator[str]:
        self._find({inodes[0] for inodes in sockets.values() if inodes})
        for end, inodes in sockets.items():
            owner = next(filter(None, map(self._processes.get, inodes)), None)
            if owner is not None:
                flow.unknown.remove(end)
                yield f"{endpoint_text(end)} = {owner}"

    def _inodes(self, protocol: str) -> _Inodes:
        found: _Inodes = {}
        for name in (protocol, f"{protocol}6"):
            try:
                lines = (self._proc / "self" / "net" / name).read_text().splitlines()[1:]
            except OSError:
                continue
            for end, inode in _entries(protocol, lines):
                found.setdefault(end, []).append(inode)
        return found

    def _find(self, wanted: set[str]) -> None:
        """Walk through the processes until all ``wanted`` sockets are known, unless that was done a moment ago."""
        missing = wanted - self._processes.keys()
        if not missing or not self._walking.is_due():
            return
        if len(self._processes) > _MAX_SOCKETS:
            self._processes.clear()
        with self._walking:
            for inode, owner in self._walk():
                self._processes[inode] = owner
                missing.discard(inode)
                if not missing:
                    break

    def _walk(self) -> Iterator[tuple[str, str]]:
        """The inode of every socket of every process that we may look at, and that process.

        The newest come first: of these some will soon be gone.
        """
        for number in sorted(filter(str.isdigit, os.listdir(self._proc)), key=int, reverse=True):
            process = self._proc / number
            try:
                sockets = list(_open_sockets(process / "fd"))
                owner = f"{program_name(process)}[{number}]" if sockets else ""
            except OSError:
                continue
            for inode in sockets:
                yield inode, owner


def _open_sockets(folder: Path) -> Iterator[str]:
    """The inodes of a process's sockets; what it closes meanwhile is left out."""
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if target.startswith("socket:["):
                yield target[8:-1]


def program_name(process: Path) -> str:
    """The program's name, of a folder of /proc; of Python's, that of what it runs: a script or a module."""
    name = (process / "comm").read_text(errors="replace").rstrip("\n")
    if name.startswith("python"):
        words = (process / "cmdline").read_text(errors="replace").split("\0")[1:3]
        if len(words) == 2 and words[0] == "-m":
            name = words[1]
        elif words and words[0] and not words[0].startswith("-"):
            name = Path(words[0]).name
    return printable(name[:_MAX_NAME])


def endpoint_text(end: Endpoint) -> str:
    """Address and port as a person writes them."""
    address = str(ip_address(end.address))
    return f"[{address}]:{end.port}" if ":" in address else f"{address}:{end.port}"


def _sockets(found: _Inodes, end: Endpoint) -> list[str]:
    """The sockets bound to exactly this address, then those to every address."""
    places = (end.address, _NOWHERE[len(end.address)], _NOWHERE[16])
    return [inode for address in places for inode in found.get(end._replace(address=address), ())]


def _entries(protocol: str, lines: Iterable[str]) -> Iterator[tuple[Endpoint, str]]:
    """Local ends and inodes. A connection comes before whoever listens: it may have been handed on."""
    rows = [line.split() for line in lines]
    rows = [row for row in rows if len(row) > 9 and row[9] != "0"]
    for row in sorted(rows, key=lambda row: row[3] == _LISTENING):
        address, _, port = row[1].partition(":")
        yield Endpoint(protocol, _address(address), int(port, 16)), row[9]


def _address(text: str) -> bytes:
    """An address as /proc has it: words of 32 bits in this machine's order. An IPv4 address in IPv6 is IPv4."""
    words = (int(text[place : place + 8], 16) for place in range(0, len(text), 8))
    address = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return address[12:] if address.startswith(_MAPPED) else address
