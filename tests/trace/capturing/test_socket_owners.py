"""Programs at the ends of connections: a /proc made by hand, and the real one."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.capturing.endpoints import Endpoint
from netlab.trace.capturing.socket_owners import SocketOwners, endpoint_text, program_name
from tests.parts import temporary_folder

_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#: 127.0.0.1 as /proc has it.
HOME = "0100007F" if sys.byteorder == "little" else "7F000001"


def row(local: str, state: str, inode: int) -> str:
    return (
        f"   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0 100\n"
    )


def nothing(_end: Endpoint, _other: Endpoint) -> None:
    """The kernel does not say."""


def end(address: str, port: int, protocol: str = "tcp") -> Endpoint:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return Endpoint(protocol, socket.inet_pton(family, address), port)


class OwnerTests(SynchronousTestCase):
    """What is said of a flow."""

    def owners(self, tcp: str = "", tcp6: str = "", sockets: dict[int, tuple[str, int]] | None = None) -> SocketOwners:
        proc = temporary_folder(self)
        (proc / "self" / "net").mkdir(parents=True)
        for name, rows in (("tcp", tcp), ("tcp6", tcp6)):
            (proc / "self" / "net" / name).write_text(_HEAD + rows)
        for number, (name, inode) in (sockets or {}).items():
            (proc / str(number) / "fd").mkdir(parents=True)
            (proc / str(number) / "comm").write_text(f"{name}\n")
            (proc / str(number) / "fd" / "3").symlink_to(f"socket:[{inode}]")
        self.proc, self.clock = proc, Clock()
        return SocketOwners(nothing, proc, self.clock.seconds)

    def test_both_ends(self) -> None:
        """The listener, who has not accepted yet, and the one who connects; once for each flow."""
        port = (9_999).to_bytes(2, "big").hex().upper()
        tcp = row(f"00000000:{port}", "0A", 11) + row(f"{HOME}:ABCD", "02", 12)
        owners = self.owners(tcp, sockets={7: ("twistd", 11), 8: ("netlab", 12)})
        flow = end("127.0.0.1", 0xABCD), end("127.0.0.1", 9_999)
        self.assertEqual(owners.comments(flow), ("127.0.0.1:43981 = netlab[8]", "127.0.0.1:9999 = twistd[7]"))
        self.assertEqual(owners.comments(flow), ())
        self.assertEqual(owners.comments((flow[1], flow[0])), ())
        self.assertEqual(owners.comments(None), ())

    def test_later(self) -> None:
        """An end that is not known yet is asked for again with later packets, three times in all."""
        owners, flow = self.owners(), (end("10.0.0.9", 1), end("127.0.0.1", 80))
        table = self.proc / "self" / "net" / "tcp"
        self.assertEqual(owners.comments(flow), ())
        table.write_text(_HEAD + row(HOME + ":0050", "01", 5))
        (self.proc / "7" / "fd").mkdir(parents=True)
        (self.proc / "7" / "comm").write_text("late\n")
        (self.proc / "7" / "fd" / "3").symlink_to("socket:[5]")
        self.assertEqual(owners.comments(flow), (), "at once it is not asked again")
        self.clock.advance(1)
        self.assertEqual(owners.comments(flow), ("127.0.0.1:80 = late[7]",))
        for _ in range(3):
            self.clock.advance(1)
            self.assertEqual(owners.comments(flow), ())

    def test_connection_is_gone(self) -> None:
        """Where the socket of a connection is nobody's any more, it is that of who listens there."""
        tcp = row(HOME + ":0050", "0A", 5) + row(HOME + ":0050", "01", 6)
        owners = self.owners(tcp, sockets={7: ("twistd", 5)})
        self.assertEqual(owners.comments((end("10.0.0.9", 1), end("127.0.0.1", 80))), ("127.0.0.1:80 = twistd[7]",))

    def test_dual_stack(self) -> None:
        """An IPv4 connection of a socket for both is found; so is one of IPv6."""
        mapped = "0000000000000000FFFF00000100007F:0050" if sys.byteorder == "little" else ""
        everywhere = f"{'0' * 32}:0051"
        owners = self.owners("", row(mapped, "01", 5) + row(everywhere, "0A", 6), {1: ("both", 5), 2: ("any", 6)})
        self.assertEqual(owners.comments((end("10.0.0.9", 1), end("127.0.0.1", 80))), ("127.0.0.1:80 = both[1]",))
        self.assertEqual(owners.comments((end("::9", 1), end("::1", 81))), ("[::1]:81 = any[2]",))
        self.assertEqual(owners.comments((end("10.0.0.9", 2), end("10.0.0.1", 81))), ("10.0.0.1:81 = any[2]",))

    def test_nobody(self) -> None:
        """Ends that are no program here, or of which nothing may be known, are left out."""
        self.assertEqual(self.owners().comments((end("10.0.0.1", 1), end("10.0.0.2", 2))), ())
        self.assertEqual(SocketOwners(nothing, Path("/nowhere")).comments((end("10.0.0.1", 1), end("10.0.0.2", 2))), ())

    def test_this_program(self) -> None:
        """The real /proc knows this program."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            name = program_name(Path("/proc/self"))
            said = SocketOwners(nothing).comments((end("127.0.0.1", 1), end("127.0.0.1", port)))
            self.assertEqual(said, (f"127.0.0.1:{port} = {name}[{os.getpid()}]",))

    def test_effort(self) -> None:
        """Tables and walks that take long are made seldom: many new flows do not hold up the capture."""
        owners, read = self.owners(), []

        def tables(_protocol: str) -> dict[Endpoint, list[str]]:
            read.append(self.clock.seconds())
            self.clock.advance(0.01)
            return {}

        self.patch(owners, "_inodes", tables)
        for number in range(1_000):
            owners.comments((end("10.0.0.9", 1 + number), end("127.0.0.1", 80)))
            self.clock.advance(0.001)
        self.assertEqual(len(read), round(self.clock.seconds() / 0.11))

    def test_itself(self) -> None:
        """A socket that speaks with itself is told once."""
        owners = self.owners(row(HOME + ":0050", "01", 5), sockets={7: ("one", 5)})
        here = end("127.0.0.1", 80)
        self.assertEqual(owners.comments((here, here)), ("127.0.0.1:80 = one[7]",))
        self.clock.advance(1)
        self.assertEqual(owners.comments((here, here)), ())

    def test_asked(self) -> None:
        """What the kernel says directly is taken; for the rest there are the tables."""
        tcp = row(HOME + ":0050", "0A", 5)
        self.owners(tcp, sockets={7: ("twistd", 5), 8: ("netlab", 6)})
        flow = end("127.0.0.1", 1), end("127.0.0.1", 80)
        answers = {flow: "6"}
        owners = SocketOwners(lambda one, other: answers.get((one, other)), self.proc, self.clock.seconds)
        self.assertEqual(owners.comments(flow), ("127.0.0.1:1 = netlab[8]", "127.0.0.1:80 = twistd[7]"))

    def test_closed_meanwhile(self) -> None:
        """A file that a program closes while it is looked at does not hide its sockets."""
        owners = self.owners(row(HOME + ":0050", "0A", 5), sockets={7: ("twistd", 5)})
        (self.proc / "7" / "fd" / "2").write_text("no link any more")
        self.assertEqual(owners.comments((end("10.0.0.9", 1), end("127.0.0.1", 80))), ("127.0.0.1:80 = twistd[7]",))

    def test_python(self) -> None:
        """Of a Python program the script or the module has the name, not Python."""
        process = temporary_folder(self)
        for comm, words, name in (
            ("twistd", "/usr/bin/python3 /usr/bin/twistd", "twistd"),
            ("python3.11", "/usr/bin/python3 /home/me/bin/netlab calc", "netlab"),
            ("python3", "python3 -m netlab.cli.main calc", "netlab.cli.main"),
            ("python3", "python3 -c pass", "python3"),
            ("python3", "python3", "python3"),
            ("python3", "", "python3"),
            ("\udcff\n\x1b[31m" + "x" * 99, "", "\ufffd\\n\\x1b[31m" + "x" * 57),
        ):
            (process / "comm").write_text(f"{comm}\n", errors="surrogateescape")
            (process / "cmdline").write_text("".join(f"{word}\0" for word in words.split()))
            self.assertEqual(program_name(process), name)

    def test_text(self) -> None:
        """Addresses as people write them."""
        self.assertEqual(endpoint_text(end("::1", 8)), "[::1]:8")
