"""Reports of real captures stay as they were read and found right."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.closing import CAUSES
from netlab.trace.flags import WIRESHARK_NAMES
from netlab.trace.opening import blocks_of
from netlab.trace.reading import Trace
from netlab.trace.report.headings import messages_left_out
from netlab.trace.report.telling import Telling
from netlab.trace.words.closings import CAUSES as CAUSE_SENTENCES
from netlab.trace.words.closings import SHORT
from netlab.trace.words.flags import SENTENCES
from netlab.trace.words.loading import language
from tests.trace.report.golden import CAPTURES, REPORTS, WHOLE, document, documents, report, reports


class GoldenTests(SynchronousTestCase):
    """Every golden report is what would be written now."""

    maxDiff = 4_000

    def test_reports(self) -> None:
        """All languages and formats."""
        found = set()
        for path, golden, form, code in reports():
            found.add(golden)
            self.assertEqual(report(path, form, code), golden.read_text("utf-8"), golden.name)
        for path, golden in documents():
            found.add(golden)
            self.assertEqual(document(path), golden.read_text("utf-8"), golden.name)
        self.assertEqual(found, set(REPORTS.iterdir()))

    def test_svg(self) -> None:
        """Drawings are well-formed, have a title and a description, and a row for each packet."""
        for name in WHOLE:
            packets = sum(1 for _ in Trace(blocks_of(str(CAPTURES / f"{name}.pcapng"))).packets())
            for code in ("en", "he"):
                root = ET.fromstring((REPORTS / f"{name}.{code}.svg").read_text("utf-8"))
                space = {"s": "http://www.w3.org/2000/svg"}
                self.assertTrue(root.findtext("s:title", "", space))
                self.assertTrue(root.findtext("s:desc", "", space))
                self.assertEqual(len(root.findall("s:g", space)), packets)

    def test_self_contained(self) -> None:
        """A page asks for nothing, and says which way it runs."""
        for name in WHOLE:
            for code, direction in (("en", "ltr"), ("he", "rtl")):
                text = (REPORTS / f"{name}.{code}.html").read_text("utf-8")
                self.assertIn(f'<html lang="{code}" dir="{direction}">', text)
                self.assertNotRegex(text, r'(src|href)="(?!#|data:,)')
                self.assertNotIn("url(", text)

    def test_many_packets(self) -> None:
        """Packets that are told without what they carried say so, and where to find it; others do not."""
        words = {0: "is told here, with the conversations", 3: "Of more than 3 packets it is told here", 100: ""}
        for held, expected in words.items():
            telling = Telling(Trace(blocks_of(str(CAPTURES / "calc.pcapng"))), None, {})
            told = list(telling.packets(held))
            self.assertEqual(telling.messages_left_out, bool(expected))
            text = "\n".join(language("en").say(one) for packet in told for one in packet.sentences)
            self.assertEqual("It asks the calculator for" in text, not expected)
            if expected:
                self.assertIn(expected, language("en").say(messages_left_out(held)))

    def test_hostile_texts(self) -> None:
        """What a capture says of itself is text in every format."""
        for code in ("en", "he"):
            for suffix in ("html", "md"):
                text = (REPORTS / f"lossy.{code}.{suffix}").read_text("utf-8")
                self.assertNotIn("<script>alert", text)
                self.assertNotIn("<b>", text)
                self.assertIn("alert", text)
                self.assertNotIn("\u202e", text)

    def test_every_kind_is_told(self) -> None:
        """There is a sentence for each flag and each cause."""
        self.assertEqual(set(WIRESHARK_NAMES), set(SENTENCES))
        self.assertEqual(set(CAUSES), set(CAUSE_SENTENCES))
        self.assertEqual(set(CAUSES), set(SHORT))

    def test_json_has_what_is_told(self) -> None:
        """The numbers that the English report of a packet has are in its JSON."""
        found = json.loads(document(CAPTURES / "calc.pcapng"))
        fourth = found["packets"][3]["tcp"]
        told = report(CAPTURES / "calc.pcapng", "text", "en")
        self.assertIn(f"sends {fourth['length']} bytes, Seq {fourth['sequence']} to", told)
        self.assertIn("closed politely", told)
        self.assertEqual({one["closing"]["cause"] for one in found["conversations"]}, {"polite"})
