"""Pairs as tshark makes them: echoes with their replies, HTTP requests with their responses."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.app.http import HttpTalk
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from tests.parts import require_program, temporary_folder
from tests.trace.app.captured import FOLDER
from tests.trace.app.talking import BEGAN, CLIENT, SERVER, capture, found_in, talk
from tests.trace.app.test_echo import echo
from tests.trace.frames import A, B, ethernet, ipv4


class TsharkTests(SynchronousTestCase):
    """The same files through both."""

    def setUp(self) -> None:
        """Without tshark there is nothing to compare with."""
        require_program("tshark")

    def fields(self, path: Path, shown: str, *names: str) -> list[list[str]]:
        """Fields of the packets that a filter shows, as tshark has them."""
        columns = [word for name in names for word in ("-e", name)]
        command = ["tshark", "-n", "-r", str(path), "-Y", shown, "-T", "fields", *columns]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        return [line.split("\t") for line in lines]

    def echoes(self, path: Path) -> None:
        """Replies to the same requests, after the same time."""
        theirs = {
            (int(request), int(reply)): round(float(milliseconds) * 1_000_000)
            for reply, request, milliseconds in self.fields(
                path, "icmp.resp_to", "frame.number", "icmp.resp_to", "icmp.resptime"
            )
        }
        sessions = found_in(path.read_bytes()).echoes
        ours = {
            (echo.request, echo.reply): echo.rtt
            for one in sessions
            for echo in one.echoes
            if echo.outcome == "answered"
        }
        self.assertTrue(ours)
        self.assertEqual(ours, theirs)

    def test_ping(self) -> None:
        """Two programs that ping at once, captured."""
        self.echoes(FOLDER / "ping.pcapng")

    def test_lost_echoes(self) -> None:
        """Some echoes are lost, others answered out of order."""
        order = [(8, 0), (8, 1), (0, 1), (8, 2), (0, 0), (8, 3)]
        blocks = [section_header(), interface_description(1)]
        for number, (kind, sequence) in enumerate(order):
            ends = (A, B) if kind == 8 else (B, A)
            packet = ethernet(ipv4(echo(kind, sequence), 1, *ends))
            blocks.append(enhanced_packet(BEGAN + number * 7_000_000, packet))
        path = temporary_folder(self) / "capture"
        path.write_bytes(b"".join(blocks))
        self.echoes(path)

    def pairs(self, path: Path) -> None:
        """Responses to the same requests. tshark shows a message at the packet that ends it."""
        theirs = {
            int(request): int(response)
            for response, request in self.fields(path, "http.request_in", "frame.number", "http.request_in")
        }
        ours = {}
        shown = {}
        for application in found_in(path.read_bytes()).applications:
            if isinstance(application.facts, HttpTalk):
                for one in application.facts.exchanges:
                    if one.request and one.response:
                        ours[one.request.span.last] = one.response
        for request, response in ours.items():
            # What the close ends is shown at the FIN, which carries nothing.
            shown[request] = theirs[request] if response.body.framing == "close" else response.span.last
        self.assertTrue(shown)
        self.assertEqual(shown, theirs)

    def test_web(self) -> None:
        """A browser's visit, captured."""
        self.pairs(FOLDER / "web.pcapng")

    def test_shapes(self) -> None:
        """Chunks over several packets, a HEAD, and requests one after the other."""
        get, head = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        plain = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        line = talk(
            (CLIENT, get),
            (SERVER, chunked[:60]),
            (SERVER, chunked[60:]),
            (CLIENT, head),
            (SERVER, plain),
            (CLIENT, get[:9]),
            (CLIENT, get[9:]),
            (SERVER, plain + b"hello"),
            port=80,
        )
        path = temporary_folder(self) / "capture"
        path.write_bytes(capture(line.frames))
        self.pairs(path)
