"""Network namespaces that tests make themselves: hosts with real kernels, joined by virtual cables.

As root they are made directly, as another user inside a user namespace where the system allows that; else the test
is skipped. A namespace lives as long as the process in it that does nothing, and goes away with it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from unittest import TestCase

from tests.parts import missing, require_program

PATIENCE = 30.0

#: An address may be used at once: nobody else can have it.
_BEGIN = "echo 0 > /proc/sys/net/ipv6/conf/default/dad_transmits"


class Host:
    """One namespace; its loopback is up. It ends with the test."""

    def __init__(self, test: TestCase, beside: Host | None = None) -> None:
        """Make one, in the user namespace of another if there is one."""
        for program in ("ip", "unshare", "nsenter"):
            require_program(program)
        self._as_root = os.geteuid() == 0
        inside = beside.enter() if beside is not None else []
        flags = ["--net"] if self._as_root or beside is not None else ["--user", "--map-root-user", "--net"]
        self._holder = subprocess.Popen(
            [*inside, "unshare", *flags, "sh", "-c", f"{_BEGIN} && ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        test.addCleanup(self._end)
        assert self._holder.stdout is not None and self._holder.stderr is not None
        if self._holder.stdout.readline() != "up\n":
            missing(f"no network namespace can be made: {self._holder.stderr.read().strip()}")

    @property
    def pid(self) -> int:
        """The process in it that does nothing."""
        return self._holder.pid

    def enter(self) -> list[str]:
        """The words before a command that is to run in it."""
        user = [] if self._as_root else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.pid), *user, "--net", "--"]

    def run(self, *words: str) -> str:
        """Run a command in it that must not fail; what it printed."""
        result = subprocess.run([*self.enter(), *words], capture_output=True, text=True, timeout=PATIENCE, check=False)
        if result.returncode:
            raise AssertionError(f"{words} failed: {result.stderr}")
        return result.stdout

    def write(self, path: str, text: str) -> None:
        """Set a value under /proc/sys/net, which belongs to the namespace."""
        self.run("sh", "-c", f"echo '{text}' > /proc/sys/net/{path}")

    def cable(self, name: str, other: Host, other_name: str) -> None:
        """A cable to another host: a device on each end, both up."""
        self.run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", other_name, "netns", str(other.pid))
        for host, device in ((self, name), (other, other_name)):
            host.run("ip", "link", "set", device, "up")

    def address(self, device: str, *addresses: str) -> None:
        """Give a device addresses, each with its prefix; they may be used at once."""
        for address in addresses:
            self.run("ip", "address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    def route(self, *routes: Sequence[str]) -> None:
        """Add routes: to where, and by which gateway."""
        for to, gateway in routes:
            self.run("ip", "route", "add", to, "via", gateway)

    def _end(self) -> None:
        for stream in (self._holder.stdin, self._holder.stdout, self._holder.stderr):
            if stream is not None:
                stream.close()
        self._holder.kill()
        self._holder.wait(PATIENCE)
