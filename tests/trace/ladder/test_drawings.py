"""Drawings of ladders: whatever a capture or a user says, they are well-formed, and fit."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.facts import Endpoint
from netlab.trace.ladder import mermaid, svg, text
from netlab.trace.ladder.layout import Arrow, Aside, Ladder, Lane, Pause, ladder_of
from netlab.trace.pcapng_write import enhanced_packet, interface_description, section_header
from netlab.trace.reading import Trace
from netlab.trace.report import drawing, markdown, page
from netlab.trace.report.paint import Paint
from netlab.trace.report.telling import Telling
from netlab.trace.words.loading import language
from netlab.trace.words.people import Roles
from tests.trace.frames import CONVERSATION, SYN, capture, ethernet, ipv4, tcp, traced

HOSTILE = st.text(max_size=40) | st.sampled_from(
    ["</title><script>", "]]>", "&lt;", "\u202e", "end", "a;b#c", "```", "%%{init}%%", "\ud800", "\x00\x1b", "{{7*7}}"]
)


def hostile(label: str, role: str) -> tuple[Ladder, Roles]:
    """A ladder with strange texts at every place that has one."""
    end, other = Endpoint("10.0.0.1", 1), Endpoint("::1", 2)
    lanes = (Lane(0, end, 0, 0, 3, True), Lane(1, other, 1, 0, 1, True), Lane(2, other, 1, 2, 3, False))
    rows = (
        Arrow(1, 0, 0, 1, label, (label,), False, False, 0),
        Pause(5_000_000),
        Arrow(2, 1, 2, 0, label, (), True, True, None),
        Aside(3, 2, label),
    )
    return Ladder(lanes, 2, rows, 7), {1: role, other: role}


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.seen.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def tags(source: str) -> list[str]:
    """The elements of ``source``, in order."""
    parser = Tags()
    parser.feed(source)
    return parser.seen


class HostileTests(SynchronousTestCase):
    """Strange texts."""

    @given(HOSTILE, HOSTILE)
    def test_svg(self, label: str, role: str) -> None:
        """SVG is well-formed XML of the same elements."""
        found, roles = hostile(label, role)
        for links in (False, True):
            texts = svg.Texts(language("en").stranger(label), "", lambda frame: language("he").stranger(label))
            drawn = "".join(svg.draw(found, roles, language("he"), texts, links=links))
            root = ET.fromstring(drawn)
            self.assertFalse([one.tag for one in root.iter() if one.tag.endswith("script")])

    @given(HOSTILE, HOSTILE)
    def test_mermaid(self, label: str, role: str) -> None:
        """A diagram keeps its lines, and no text of it means anything to Mermaid."""
        found, roles = hostile(label, role)
        lines = list(mermaid.draw(found, roles, language("en"), label))
        self.assertEqual(len(lines), 2 + 3 + 1 + 4)
        for line in lines[5:]:
            said = line.partition(": ")[2]
            self.assertNotRegex(re.sub(r"#\d+;", "", said), r"[;#%<>{}]|(?i:end)")

    @given(HOSTILE, HOSTILE, st.integers(1, 300))
    def test_text(self, label: str, role: str, width: int) -> None:
        """Every line is a line."""
        found, roles = hostile(label, role)
        for code in ("en", "he"):
            for line in text.draw(found, roles, language(code), width, Paint(False)):
                self.assertTrue(all(one.isprintable() or one in "\u2066\u2068\u2069" for one in line), repr(line))

    @given(HOSTILE, HOSTILE)
    def test_reports(self, comment: str, role: str) -> None:
        """A page has the same elements whatever a comment says, and Markdown the same lines."""
        plain = self.reports("plain", "plain")
        strange = self.reports(comment, role)
        self.assertEqual(tags(plain[0]), tags(strange[0]))
        self.assertEqual(plain[1].count("\n"), strange[1].count("\n"))

    def reports(self, comment: str, role: str) -> tuple[str, str]:
        """The page and the Markdown of a capture with a comment."""
        note = comment.encode("utf-8", "replace").decode() or "-"
        blocks = [section_header(comment=note), interface_description(1)]
        blocks += [enhanced_packet(10**18 + place, frame, comment=note) for place, frame in enumerate(CONVERSATION)]
        made = []
        for form in (page, markdown):
            telling = Telling(Trace([b"".join(blocks)]), None, {80: language("en").stranger(role or "-")})
            separator = "\n" if form is markdown else ""
            made.append(separator.join(form.report(telling, {80: role or "-"}, language("he"), "a.pcapng")))
        return made[0], made[1]


class DrawingTests(SynchronousTestCase):
    """What a reader sees."""

    def lines(self, *frames: bytes, width: int = 100, code: str = "en") -> list[str]:
        """The text of a ladder."""
        found = ladder_of(traced(frames, step=10_000_000)[0])
        return list(text.draw(found, {80: "server"}, language(code), width, Paint(False)))

    def test_text(self) -> None:
        """Names above the lanes, an arrow a packet, its words beside it."""
        lines = self.lines(*CONVERSATION)
        self.assertIn("server", lines[0])
        self.assertRegex(lines[1], r"10\.0\.0\.1:1000 +10\.0\.0\.2:80")
        self.assertRegex(lines[2], r"^ +1 +0\.000000 +│─+▶│ +SYN Seq=0$")
        self.assertEqual(sum("◀" in line or "▶" in line for line in lines), len(CONVERSATION))

    def test_width(self) -> None:
        """Lines keep to the width as long as the lanes do."""
        for width in (70, 80, 120, 200):
            self.assertLessEqual(max(map(len, self.lines(*CONVERSATION, width=width))), width)

    def test_many_lanes(self) -> None:
        """Where names do not fit there are letters, and a list of what they stand for."""
        frames = [ethernet(ipv4(tcp(SYN, 1, ports=(port, 80)))) for port in range(5000, 5012)] * 2
        lines = self.lines(*frames, width=80)
        self.assertEqual(lines[0], "  A = 10.0.0.1:5000")
        self.assertIn("  B = server 10.0.0.2:80", lines)
        self.assertLessEqual(max(map(len, lines)), 110)

    def test_right_to_left(self) -> None:
        """In Hebrew every line is isolated as one that runs from left to right."""
        for line in filter(None, self.lines(*CONVERSATION, code="he")):
            self.assertTrue(line.startswith("\u2066") and line.endswith("\u2069"))

    def test_colour(self) -> None:
        """Resets and flags have colours where there are any."""
        found, roles = hostile("x", "y")
        lines = list(text.draw(found, roles, language("en"), 80, Paint(True)))
        self.assertTrue(any("\x1b[33m" in line for line in lines))
        self.assertTrue(any("\x1b[31m" in line for line in lines))

    def test_many_packets(self) -> None:
        """300 packets are drawn, 300 programs too, and what is left out is said."""
        frames = [ethernet(ipv4(tcp(SYN, 1, ports=(port, 80)))) for port in range(1000, 1301)]
        telling = Telling(Trace([capture(frames)]), None, {})
        drawn = "".join(drawing.report("svg", telling, {}, language("en"), "x"))
        self.assertEqual(drawn.count('<g class="">'), 300)
        self.assertIn("1 more packet is not in the ladder", drawn)
