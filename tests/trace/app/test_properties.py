"""Streams of any shape: however segments are cut, repeated and reordered, the messages are the same."""

from __future__ import annotations

import json
import random
import struct
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.app.application import MAX_FAULTS, Application
from netlab.trace.app.findings import Applications
from netlab.trace.app.values import arrays
from netlab.trace.errors import TraceError
from netlab.trace.reading import Trace
from tests.trace.app.captured import FOLDER, SCENES
from tests.trace.app.messages import request, response
from tests.trace.app.talking import CLIENT, SERVER, capture, found_in
from tests.trace.frames import ACK, PSH, SYN, ethernet, ipv4, tcp

ASKED = [request("1 + 2"), request("max(2, 3) + 3"), request("1 / 0")]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
HTTP = (
    b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n\r\nPOST /c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + CHUNKED + b"HTTP/1.1 204 No Content\r\n\r\n",
)
#: What both sides say, in protocols that have messages.
TALKS = {
    "calc": (b"".join(ASKED), b"".join(map(response, ASKED))),
    "http": HTTP,
    "watchdog": (struct.pack("<iiii", 300, 256, 256, 9), b""),
}


def frame(sender: int, bits: int, place: int, payload: bytes = b"") -> bytes:
    """A segment at a place of its stream; nothing is acknowledged, so that no order of the file contradicts it."""
    ports, ends = (40_000, 7), ("10.0.0.1", "10.0.0.2")
    if sender == SERVER:
        ports, ends = ports[::-1], ends[::-1]
    one = tcp(bits, 1000 + place, 1, payload, ports=ports)
    return ethernet(ipv4(one, source=ends[0], destination=ends[1]))


def opening() -> list[bytes]:
    """SYN and SYN-ACK."""
    return [frame(CLIENT, SYN, 0), frame(SERVER, SYN | ACK, 0)]


@st.composite
def cut(draw: st.DrawFn, sender: int, said: bytes) -> list[bytes]:
    """One direction in segments of any size, some of them again, some overlapping others."""
    places = sorted(draw(st.sets(st.integers(0, len(said)), max_size=8)) | {0, len(said)})
    ranges = list(pairwise(places))
    ranges += draw(st.lists(st.sampled_from([(a, b) for a in places for b in places if a < b] or [(0, 0)]), max_size=4))
    return [frame(sender, PSH | ACK, 1 + start, said[start:stop]) for start, stop in ranges if start < stop]


def said(application: Application) -> Any:
    """What was said, without which packets said it."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: plain(one)
                for name, one in value.items()
                if name not in ("waited", "freshness", "pipelined", "since", "longest")
            } | ({"parts": 0, "packets": 0, "first": 0, "last": 0, "began": 0, "ended": 0} if "parts" in value else {})
        return [plain(one) for one in value] if isinstance(value, list) else value

    from netlab.trace.app.values import text_of

    return plain(json.loads(text_of(application)))


class ShapeTests(SynchronousTestCase):
    """The same bytes in other segments."""

    @settings(max_examples=60, deadline=None)
    @given(st.data(), st.sampled_from(sorted(TALKS)))
    def test_same_messages(self, data: st.DataObject, protocol: str) -> None:
        """Every split, repetition, overlap and order of the segments gives the same messages."""
        sides = TALKS[protocol]
        whole = [frame(side, PSH | ACK, 1, text) for side, text in enumerate(sides) if text]
        expected = said(self.only([*opening(), *whole]))
        self.assertEqual(expected["protocol"], protocol)
        pieces = [piece for side, text in enumerate(sides) for piece in data.draw(cut(side, text))]
        shuffled = data.draw(st.permutations(pieces))
        application = self.only([*opening(), *shuffled])
        self.assertEqual(said(application), expected)
        self.assertEqual(application.faults, ())

    def only(self, frames: list[bytes]) -> Application:
        """The application of a single connection."""
        (application,) = found_in(capture((number * 1000, one) for number, one in enumerate(frames))).applications
        return application

    @settings(max_examples=40, deadline=None)
    @given(st.data(), st.sampled_from(sorted(TALKS)))
    def test_spans_add_up(self, data: st.DataObject, protocol: str) -> None:
        """The packets that carry a message bring exactly its bytes."""
        sides = TALKS[protocol]
        pieces = [piece for side, text in enumerate(sides) for piece in data.draw(cut(side, text))]
        frames = [*opening(), *data.draw(st.permutations(pieces))]
        found = found_in(capture((number * 1000, one) for number, one in enumerate(frames)))
        notes = [note for notes in found.notes().values() for note in notes]
        self.assertEqual(sum(note.length for note in notes), sum(map(len, sides)))


class JunkTests(SynchronousTestCase):
    """Bytes that make no sense."""

    def check(self, data: bytes) -> None:
        """Whatever a capture holds, findings are made, bounded, and plain."""
        trace = Trace([data])
        applications = Applications()
        try:
            for packet in trace.packets():
                applications.packet(packet)
        except TraceError:
            return
        found = applications.findings(trace.conversations())
        for _name, texts in arrays(found):
            for text in texts:
                json.loads(text)
        for application in found.applications:
            self.assertLessEqual(len(application.faults), MAX_FAULTS)

    @settings(max_examples=120, deadline=None)
    @given(st.sampled_from(sorted(set(SCENES) - {"upper-v3"})), st.integers(min_value=0), st.integers(1, 30))
    def test_mutated_captures(self, name: str, seed: int, changes: int) -> None:
        """Captures with bytes changed at random raise nothing but our own errors."""
        data = bytearray((FOLDER / f"{name}.pcapng").read_bytes())
        chosen = random.Random(seed)
        for _ in range(changes):
            data[chosen.randrange(len(data))] = chosen.randrange(256)
        self.check(bytes(data))

    @settings(max_examples=80, deadline=None)
    @given(st.sampled_from(sorted(TALKS)), st.integers(min_value=0), st.integers(1, 8))
    def test_mutated_messages(self, protocol: str, seed: int, changes: int) -> None:
        """Messages with bytes changed, in whole packets, as their program would get them."""
        chosen = random.Random(seed)
        frames = opening()
        for side, text in enumerate(TALKS[protocol]):
            changed = bytearray(text)
            for _ in range(changes if changed else 0):
                changed[chosen.randrange(len(changed))] = chosen.randrange(256)
            middle = chosen.randrange(len(changed) + 1)
            frames += [
                frame(side, PSH | ACK, 1, changed[:middle]),
                frame(side, PSH | ACK, 1 + middle, changed[middle:]),
            ]
        self.check(capture((number * 1000, one) for number, one in enumerate(frames)))

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from([CLIENT, SERVER]), st.binary(max_size=60), st.integers(0, 200)), max_size=20)
    )
    def test_any_bytes(self, segments: list[tuple[int, bytes, int]]) -> None:
        """Any bytes at any places."""
        frames = [*opening(), *(frame(side, PSH | ACK, 1 + place, data) for side, data, place in segments)]
        self.check(capture((number * 1000, one) for number, one in enumerate(frames)))


class BoundTests(SynchronousTestCase):
    """Limits."""

    def test_drops(self) -> None:
        """A head that comes byte by byte, and never ends, is given up."""
        text = b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000
        frames = [frame(CLIENT, PSH | ACK, 1 + place, text[place : place + 7]) for place in range(0, len(text), 7)]
        (application,) = found_in(
            capture((number, one) for number, one in enumerate([*opening(), *frames]))
        ).applications
        self.assertEqual([fault.kind for fault in application.faults], ["head_too_long", "unread"])
