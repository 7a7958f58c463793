"""Captures of our own daemons with netlab's comments, as tshark shows them with our dissector."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.cli.wireshark import dissector
from netlab.trace.filtering import choice_of
from netlab.trace.opening import blocks_of
from netlab.trace.pcapng_write import (
    enhanced_packet,
    interface_description,
    interface_statistics,
    section_header,
)
from netlab.trace.reading import Trace
from netlab.trace.report.annotated import MAX_COMMENT, annotated, comments_of
from tests.cli.command import NETLAB, at_terminal, environment, netlab
from tests.parts import require_program, temporary_folder
from tests.trace.frames import CONVERSATION

CAPTURES = Path(__file__).parent.parent / "data" / "captures"


def rewritten(data: bytes, chosen: str | None = None) -> Trace:
    """A capture with comments, read again."""
    comments = comments_of(Trace([data]), {})
    choice = choice_of(chosen) if chosen else None
    return Trace([b"".join(annotated(Trace([data]), choice, comments, "test"))])


class CopyTests(SynchronousTestCase):
    """What a copy has beside the comments."""

    def test_everything_is_kept(self) -> None:
        """Packets, times, lengths on the wire, interfaces, other comments, and what the kernel dropped."""
        data = section_header("who", "system", "hardware", "of the file") + b"".join(
            [
                interface_description(1, 96, "lo", "loopback", "port 1"),
                enhanced_packet(10**18 + 1, CONVERSATION[0], 999, 0, ("mine", "calc: of an older run")),
                interface_description(101, name="tun0"),
                enhanced_packet(10**18 + 2, CONVERSATION[1][14:], None, 1),
                interface_statistics(10**18 + 3, 7, 5),
            ]
        )
        before, after = Trace([data]), rewritten(data)
        packets = list(after.packets())
        expected = list(before.packets())
        self.assertEqual(packets[0].comments, ("mine",))
        self.assertEqual(packets, [expected[0]._replace(comments=("mine",)), expected[1]])
        self.assertEqual(after.file.interfaces, before.file.interfaces)
        for name in ("system", "hardware", "comments", "dropped"):
            self.assertEqual(getattr(after.file, name), getattr(before.file, name))
        self.assertEqual(after.file.application, "test")

    def test_chosen(self) -> None:
        """Only the packets that a filter chooses, with the comments that they have in the whole capture."""
        data = (CAPTURES / "calc.pcapng").read_bytes()
        (packet,) = rewritten(data, "frame 8").packets()
        self.assertEqual(packet.comments, ("calc: 6 [max(2, 3) + 3 → 3 + 3 → 6]",))

    def test_damaged_and_empty(self) -> None:
        """Everything before the damage is there; without packets it is a file that says so."""
        data = section_header() + interface_description(1) + enhanced_packet(5, CONVERSATION[0]) + b"\1\0\0\0"
        self.assertEqual(len(list(rewritten(data).packets())), 1)
        self.assertEqual(list(rewritten(section_header()).packets()), [])

    def test_bounded(self) -> None:
        """No comment is longer than it may be, whatever was asked."""
        path = CAPTURES / "calc.pcapng"
        texts = [text for found in comments_of(Trace(blocks_of(str(path))), {}).values() for text in found]
        self.assertTrue(texts)
        self.assertFalse([text for text in texts if len(text) > MAX_COMMENT + 10 or "\n" in text])


class WiresharkTests(SynchronousTestCase):
    """`netlab trace -o OUT.pcapng`, and tshark with our dissector."""

    def ask(self, name: str, *fields: str) -> list[list[str]]:
        """Fields of each packet of ours in the capture of this name, tshark passing twice; many values have a |."""
        tshark = require_program("tshark")
        folder = temporary_folder(self)
        script, path = folder / "netlab.lua", folder / "out.pcapng"
        script.write_text(dissector(), "utf-8")
        made = netlab("trace", str(CAPTURES / f"{name}.pcapng"), "-o", str(path))
        self.assertEqual((made.returncode, made.stdout, made.stderr), (0, "", ""))
        columns = [word for field in ("frame.number", *fields) for word in ("-e", field)]
        said = subprocess.run(
            [tshark, "-r", str(path), "-2", "-X", f"lua_script:{script}", "-Y", "netlab_calc || netlab_watchdog",
             "-T", "fields", "-E", "aggregator=|", *columns],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        self.assertNotIn("Lua", said.stderr)
        return [line.split("\t") for line in said.stdout.splitlines()]

    def test_calculator(self) -> None:
        """Pickled bodies have their texts, each its own where a segment has several; a JSON body shows itself."""
        found = self.ask(
            "calc", "netlab_calc.status", "netlab_calc.response_in", "netlab_calc.response_to", "netlab_calc.decoded"
        )
        self.assertEqual(
            found[:6],
            [
                ["6", "0", "8", "", "max(2, 3) + 3"],
                ["8", "200", "", "6", "6 [max(2, 3) + 3 → 3 + 3 → 6]"],
                ["10", "0|0", "11|11", "", "1 / 0|2 ** 10"],
                ["11", "400|200", "", "10|10", "ZeroDivisionError: division by zero|1024 [2 ** 10 → 1024]"],
                ["12", "0", "13", "", ""],
                ["13", "200", "", "12", ""],
            ],
        )
        self.assertEqual([row[:4] for row in found[6:]], [["15", "0", "16", ""], ["16", "200", "", "15"]])

    def test_proxy(self) -> None:
        """Requests and responses of the client and of the proxy upstream, each pair on its own connection."""
        found = self.ask("proxy", "tcp.dstport", "netlab_calc.response_to", "_ws.expert.message", "netlab_calc.decoded")
        self.assertEqual(sum(row[1] == "9998" for row in found), 4)
        self.assertEqual(sum(row[1] == "9999" for row in found), 2)
        self.assertEqual([row[2] for row in found if row[2]], ["9", "4", "21", "33", "29", "47"])
        # A comment is an expert note of Wireshark's own, too.
        self.assertEqual(found[-1][3].split("|")[1:], ["The server failed"])
        self.assertTrue(found[-1][4].startswith("CalculatorServerError: Internal proxy error: Connection refused"))

    def test_repeated(self) -> None:
        """A capture that has every packet twice has one request and one response."""
        found = self.ask("both-directions", "netlab_calc.response_in", "netlab_calc.response_to")
        self.assertEqual(found, [["7", "11", ""], ["11", "", "7"]])

    def test_damaged_stream(self) -> None:
        """The header that lies has its note, and the server's complaint is there to read."""
        found = self.ask("calc-damaged", "netlab_calc.length", "_ws.expert.message", "netlab_calc.decoded")
        self.assertEqual(found[2][1:], ["5", "Total length under 12", ""])
        self.assertEqual(found[3][2].split("|")[1:], ["The server found fault with the request"])
        self.assertIn("a total length of 5 bytes", found[3][3])

    def test_watchdog(self) -> None:
        """Start and signs of life, with the times between them."""
        found = self.ask("watchdog", "netlab_watchdog.message", "netlab_watchdog.since", "_ws.expert.message")
        self.assertEqual([(row[1], row[3]) for row in found], [("300", ""), ("256", ""), ("256", "")])
        self.assertEqual([round(float(row[2]), 1) for row in found[1:]], [0.3, 0.3])

    def test_into_a_pipe(self) -> None:
        """From a pipe into a pipe; not to a terminal, nor to where nothing can be written."""
        source = CAPTURES / "calc.pcapng"
        code, said = at_terminal("trace", str(source), "--format", "pcapng")
        self.assertEqual(code, 2)
        self.assertIn("pcapng is nothing for a terminal", said)
        full = netlab("trace", str(source), "--format", "pcapng", "-o", "/dev/full")
        self.assertEqual(full.stderr, "netlab trace: cannot write /dev/full: No space left on device\n")
        with source.open("rb") as stream:
            made = subprocess.run(
                [*NETLAB, "trace", "-", "--format", "pcapng"],
                stdin=stream, capture_output=True, env=environment(), timeout=60, check=True,
            )  # fmt: skip
        self.assertEqual(len(list(Trace([made.stdout]).packets())), len(list(Trace(blocks_of(str(source))).packets())))
