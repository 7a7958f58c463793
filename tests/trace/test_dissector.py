"""The Lua dissector, run by tshark over captures made by hand."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.calc.codecs import json_body
from netlab.calc.header import CLIENT_ERROR, FOREVER, SERVER_ERROR, SUCCESS, encode_packet
from netlab.cli.wireshark import dissector
from tests.parts import require_program, temporary_folder
from tests.trace.made import Capture

_VECTORS = json.loads((Path(__file__).parent.parent / "data" / "calc_vectors.json").read_text("utf-8"))
_CLIENT, _CALC, _WATCHDOG = 40_000, 9_999, 3_000


def request(text: str = "1", max_age: int = FOREVER, status: int = 0) -> bytes:
    body = json_body.write_expression(text)
    return encode_packet(body, timestamp=5, request=True, steps=True, cache=True, max_age=max_age, status=status)


def response(body: bytes = b'{"result": 1}', status: int = SUCCESS) -> bytes:
    return encode_packet(body, timestamp=6, status=status)


class DissectorTests(SynchronousTestCase):
    """What the dissector shows, asked for by field as a filter would."""

    def setUp(self) -> None:
        """Write the dissector where tshark is told to find it."""
        self.tshark = require_program("tshark")
        self.folder = temporary_folder(self)
        self.script = self.folder / "netlab.lua"
        self.script.write_text(dissector(), "utf-8")

    def ask(
        self,
        capture: Capture,
        *fields: str,
        options: tuple[str, ...] = (),
        only: str = "netlab_calc || netlab_watchdog",
    ) -> list[list[str]]:
        """The fields of each packet of ours, tshark passing twice; a field that occurs twice has a comma in it."""
        path = capture.write(self.folder / "made.pcapng")
        columns = [word for name in ("frame.number", *fields) for word in ("-e", name)]
        said = subprocess.run(
            [self.tshark, "-r", str(path), "-2", "-X", f"lua_script:{self.script}", *options,
             "-Y", only, "-T", "fields", *columns],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        self.assertNotIn("Lua", said.stderr)
        return [line.split("\t") for line in said.stdout.splitlines()]

    def talk(self, *sent: tuple[int, bytes], comment: str | None = None) -> Capture:
        """A capture of one connection; each segment goes to or comes from a port of ours."""
        capture = Capture()
        for port, data in sent:
            if port > 0:
                capture.segment(_CLIENT, port, data, comment)
            else:
                capture.segment(-port, _CLIENT, data)
        return capture

    def test_every_field_of_the_header(self) -> None:
        """Each field can be asked for by name, in a recorded request and its response."""
        vector = _VECTORS[0]
        capture = self.talk(
            (_CALC, bytes.fromhex(vector["request"])), (-_CALC, response(bytes.fromhex(vector["body"]), SUCCESS))
        )
        names = ("length", "flags.cache", "flags.steps", "flags.type", "flags.reserved", "status", "max_age")
        self.assertEqual(
            self.ask(capture, *(f"netlab_calc.{name}" for name in names), "netlab_calc.codec"),
            [
                ["1", "687", "1", "1", "1", "0", "0", "65535", "pickle, protocol 4"],
                ["2", "564", "0", "0", "0", "0", "200", "0", "pickle, protocol 4"],
            ],
        )

    def test_request_and_response_know_each_other(self) -> None:
        """They are matched in order, on each connection by itself, and the time between them is told."""
        capture = Capture()
        capture.segment(_CLIENT, _CALC, request("1") + request("2"))
        capture.segment(_CLIENT + 1, _CALC, request("3"))
        capture.segment(_CALC, _CLIENT, response())
        capture.segment(_CALC, _CLIENT + 1, response())
        capture.segment(_CALC, _CLIENT, response())
        self.assertEqual(
            self.ask(capture, "netlab_calc.response_in", "netlab_calc.response_to", "netlab_calc.time"),
            [
                ["1", "3,5", "", ""],
                ["2", "4", "", ""],
                ["3", "", "1", "0.002000000"],
                ["4", "", "2", "0.002000000"],
                ["5", "", "1", "0.004000000"],
            ],
        )

    def test_split_packets(self) -> None:
        """A packet cut by TCP, in the header too, is put together again."""
        whole = request("max(2, 3) + 3")
        capture = self.talk(
            (_CALC, whole[:5]), (_CALC, whole[5:20]), (_CALC, whole[20:] + whole[:1]), (_CALC, whole[1:])
        )
        self.assertEqual(
            self.ask(capture, "netlab_calc.json"),
            [[number, '{"expression": "max(2, 3) + 3"}'] for number in ("3", "4")],
        )

    def test_byte_by_byte(self) -> None:
        """Both directions in segments of one byte: two requests, then their responses."""
        asked, answered = request("1") + request("22"), response() + response(b'{"result": 22}')
        capture = self.talk(
            *((_CALC, asked[place : place + 1]) for place in range(len(asked))),
            *((-_CALC, answered[place : place + 1]) for place in range(len(answered))),
        )
        found = self.ask(capture, "netlab_calc.json", "netlab_calc.response_in", "netlab_calc.response_to")
        first, second, third, fourth = (
            str(end)
            for end in (len(request("1")), len(asked), len(asked) + len(response()), len(asked) + len(answered))
        )
        self.assertEqual(
            found,
            [
                [first, '{"expression": "1"}', third, ""],
                [second, '{"expression": "22"}', fourth, ""],
                [third, '{"result": 1}', "", first],
                [fourth, '{"result": 22}', "", second],
            ],
        )

    def test_filters(self) -> None:
        """Every field of the header, and those that are made of it, can be compared in a filter."""
        capture = self.talk((_CALC, request()), (-_CALC, response()))
        fields = (
            'timestamp == "1970-01-01 00:00:05"', f"length == {len(request())}", "flags == 0x1c00", "flags.cache == 1",
            "flags.steps == 1", "flags.type == 1", "flags.reserved == 0", "status == 0", "max_age == 65535",
            "padding == 00:00", "body contains 65:78:70", 'codec == "JSON"', 'json contains "expression"',
            "response_in == 2",
        )  # fmt: skip
        only = " && ".join(f"netlab_calc.{field}" for field in fields)
        self.assertEqual(self.ask(capture, only=only), [["1"]])
        self.assertEqual(self.ask(capture, only="netlab_calc.response_to == 1 && netlab_calc.time > 0.0005"), [["2"]])

    def test_expert_notes(self) -> None:
        """Each fault has its note, and none is noted where there is none."""
        reserved = bytearray(request())
        reserved[6] |= 0x40
        faults = (
            ((_CALC, bytes(12)), "Total length under 12"),
            ((_CALC, bytes(reserved)), "Reserved bits are set"),
            ((_CALC, request(status=200)), "A request has a status"),
            ((-_CALC, response(status=CLIENT_ERROR)), "The server found fault with the request"),
            ((-_CALC, response(status=SERVER_ERROR)), "The server failed"),
            ((-_CALC, response(status=404)), "The protocol has no such status"),
            ((-_CALC, response()), "No request in this capture asked for this response"),
            ((_CALC, request()), "No response to this request in this capture"),
            ((_CALC, encode_packet(b"\xffjunk", timestamp=0, request=True)), "The body is neither pickle nor JSON"),
        )
        capture = Capture()
        for client, ((port, data), _) in enumerate(faults, _CLIENT):
            capture.segment(*((client, port) if port > 0 else (-port, client)), data)
        notes = self.ask(capture, "_ws.expert.message")
        self.assertEqual(len(notes), len(faults))
        for (_, message), (_, found) in zip(faults, notes, strict=True):
            self.assertIn(message, found.split(","))
        clean = self.ask(self.talk((_CALC, request()), (-_CALC, response())), "_ws.expert.message")
        self.assertEqual(clean, [["1", ""], ["2", ""]])

    def test_hostile_stream(self) -> None:
        """After a header that cannot be trusted the rest is not cut into packets, and nothing fails."""
        capture = self.talk((_CALC, request() + bytes(7) + b"\xff" * 1_000), (_CALC, b"\x00" * 11), (_CALC, b"\xff"))
        found = self.ask(capture, "netlab_calc.length", "_ws.lua.error")
        self.assertEqual([row[2] for row in found], [""] * len(found))

    def test_decoded_text(self) -> None:
        """What netlab wrote into the frame's comment stands at the pickled body; another comment does not."""
        pickled = (_CALC, bytes.fromhex(_VECTORS[0]["request"]))
        self.assertEqual(
            self.ask(self.talk(pickled, comment="calc: max(2, 3) + 3"), "netlab_calc.decoded"),
            [["1", "max(2, 3) + 3"]],
        )
        self.assertEqual(self.ask(self.talk(pickled, comment="remember this"), "netlab_calc.decoded"), [["1", ""]])

    def test_other_ports(self) -> None:
        """The ports are a preference."""
        capture = self.talk((5_555, request()))
        self.assertEqual(self.ask(capture, "netlab_calc.length"), [])
        found = self.ask(capture, "netlab_calc.length", options=("-o", "netlab_calc.ports:5555"))
        self.assertEqual(found, [["1", str(len(request()))]])

    def test_watchdog(self) -> None:
        """300, 256, split and joined; an unknown number has its note; short texts count as signs of life."""
        start, alive, other = (struct.pack("<i", number) for number in (300, 256, 7))
        capture = self.talk(
            (_WATCHDOG, start), (_WATCHDOG, alive[:1]), (_WATCHDOG, alive[1:] + alive), (_WATCHDOG, other)
        )
        self.assertEqual(
            self.ask(capture, "netlab_watchdog.message", "netlab_watchdog.since", "_ws.expert.message"),
            [
                ["1", "300", "", ""],
                ["3", "256,256", "0.002000000,0.000000000", ""],
                ["4", "7", "0.001000000", "The number is neither 300 nor 256"],
            ],
        )
        texts = self.talk((_WATCHDOG, b"hi!"), (_WATCHDOG, b"restart\n"))
        self.assertEqual([row[1] for row in self.ask(texts, "netlab_watchdog.text")], ["hi!", "restart\\n"])
