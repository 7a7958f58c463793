"""Packets by way of dumpcap: the real one on the loopback, and ones that misbehave."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from netlab.trace.capturing import dumpcap
from netlab.trace.capturing.dumpcap import Dumpcap, filter_text
from netlab.trace.capturing.errors import CannotCapture, NoRightToCapture
from netlab.trace.capturing.ring import Captured
from netlab.trace.link import ETHERNET
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from tests.parts import missing, require_program, temporary_folder

PACKET = enhanced_packet(5, b"packet")
HEAD = section_header() + interface_description(ETHERNET)


class Fixture(TestCase):
    """What comes, and an end that nobody asked for."""

    timeout = 60

    def setUp(self) -> None:
        """Nothing has come."""
        self.packets: list[Captured] = []
        self.lost: Deferred[CannotCapture] = Deferred()
        self.enough: Deferred[None] = Deferred()
        self.wanted = 1

    def received(self, packets: list[Captured]) -> None:
        self.packets += packets
        if len(self.packets) >= self.wanted and not self.enough.called:
            self.enough.callback(None)

    def begin(self, source: Dumpcap) -> None:
        self.addCleanup(source.abandon)
        source.begin(reactor, self.received, self.lost.callback)


class RealTests(Fixture):
    """dumpcap of this machine, which may capture here only for root and its group."""

    def source(self, port: int) -> Dumpcap:
        require_program("dumpcap")
        try:
            return Dumpcap("lo", [port], False)
        except NoRightToCapture as error:
            missing(f"dumpcap: {error}")

    async def test_packets(self) -> None:
        """Each packet of the loopback once, in order, with nanoseconds; none is dropped, and it ends when asked to."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            source = self.source(receiver.getsockname()[1])
            self.begin(source)
            self.wanted = 100
            for number in range(100):
                receiver.sendto(b"%d" % number, receiver.getsockname())
            await self.enough
            self.assertEqual(await source.close(), 0)
        self.assertEqual([packet.data[42:] for packet in self.packets], [b"%d" % number for number in range(100)])
        self.assertEqual(source.link_type, ETHERNET)
        self.assertTrue(any(packet.time % 1_000 for packet in self.packets))
        self.assertFalse(self.lost.called)

    def test_refusals(self) -> None:
        """Its own reason, and not the first line that it writes."""
        require_program("dumpcap")
        with self.assertRaisesRegex(CannotCapture, 'dumpcap: There is no device named "nope"|permission'):
            Dumpcap("nope", [], False)


class MisbehavingTests(Fixture):
    """Programs of that name that do something else."""

    def program(self, script: str) -> None:
        """Have a dumpcap that gives the head of a file and two packets in $FILE, one in $MORE, and does ``script``."""
        folder = temporary_folder(self)
        for name, content in (("file", HEAD + PACKET * 2), ("more", PACKET)):
            (folder / name).write_bytes(content)
        program = folder / "dumpcap"
        program.write_text(f"#!/bin/sh\nFILE={folder}/file; MORE={folder}/more; ON={folder}/on\n{script}\n")
        program.chmod(0o755)
        self.patch(os, "environ", {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"})
        self.folder: Path = folder

    async def test_not_wanted(self) -> None:
        """None at all, one that ends at once with or without a word, one that the kernel does not run."""
        self.program("exit 1")
        for script, reason in (
            ("exit 1", "it ended at once"),
            ("echo 'Capturing on lo' >&2; echo 'dumpcap: no, thank you' >&2; exit 1", "no, thank you"),
        ):
            (self.folder / "dumpcap").write_text(f"#!/bin/sh\n{script}\n")
            with self.assertRaisesRegex(NoRightToCapture, reason):
                Dumpcap("lo", [], False)
        (self.folder / "dumpcap").write_text("#!/nonexistent\n")
        with self.assertRaisesRegex(NoRightToCapture, "No such file"):
            Dumpcap("lo", [], False)
        self.patch(os, "environ", {**os.environ, "PATH": str(self.folder / "nothing")})
        with self.assertRaisesRegex(NoRightToCapture, "there is none"):
            Dumpcap("lo", [], False)

    async def test_dies(self) -> None:
        """The packets before are given, and the end is told."""
        self.program("cat $FILE")
        source = Dumpcap("lo", [], False)
        self.begin(source)
        self.assertEqual(str(await self.lost), "the capture has ended: dumpcap has ended")
        self.assertEqual(len(self.packets), 2)
        self.assertEqual(await source.close(), 0)

    async def test_nonsense(self) -> None:
        """So they are before bytes that are no capture, and the program is not left running."""
        self.program("cat $FILE; printf '\\001\\000\\000\\000\\003\\000\\000\\000nonsense'; exec sleep 1000")
        source = Dumpcap("lo", [], False)
        self.begin(source)
        self.assertIn("what dumpcap says cannot be read: a block says", str(await self.lost))
        self.assertEqual(len(self.packets), 2)
        await source.close()

    async def test_deaf(self) -> None:
        """One that does not hear that it is to end is killed."""
        self.patch(dumpcap, "_PATIENCE", 0.1)
        self.program("trap '' INT; cat $FILE; exec sleep 1000")
        source = Dumpcap("lo", [], False)
        self.begin(source)
        await self.enough
        await source.close()
        self.assertEqual(len(self.packets), 2)
        self.assertFalse(self.lost.called)

    async def test_pause(self) -> None:
        """While nothing is wanted no more is read than the piece that was awaited already."""
        wait = "while ! [ -e $ON$N ]; do sleep 0.02; done; cat $MORE; touch $ON$N.done"
        self.program(f"cat $FILE; for N in 1 2; do {wait}; done; exec sleep 1000")
        source = Dumpcap("lo", [], False)
        self.begin(source)
        await self.enough
        source.pause()
        for number in (1, 2):
            (self.folder / f"on{number}").touch()
            await self.until((self.folder / f"on{number}.done").exists)
        self.assertLess(len(self.packets), 4)
        source.resume()
        await self.until(lambda: len(self.packets) == 4)
        await source.close()

    def until(self, true: Callable[[], bool]) -> Awaitable[None]:
        """Wait until something is so."""
        from twisted.internet.task import LoopingCall

        def look() -> None:
            if true():
                looking.stop()

        looking = LoopingCall(look)
        return looking.start(0.02).addCallback(lambda _: None)


class FilterTests(TestCase):
    """The filter as a text."""

    def test_texts(self) -> None:
        """As pcap-filter(7) has it, and nothing for everything."""
        self.assertEqual(filter_text([], icmp=False), "")
        self.assertEqual(filter_text([80, 9999], icmp=True), "port 80 or port 9999 or icmp or icmp6")
