"""The page as a browser shows it: real Chromium, without a window."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.browser import WORDS, browse
from tests.parts import require_program, temporary_folder
from tests.trace.report.golden import CAPTURES, report
from tests.trace.report.keyboard import Browser

#: Added to the page: does what a reader does, and writes what came of it into the page.
_SCRIPT = """
<script>
(async () => {
  const settled = async (is) => {
    for (let turn = 0; turn < 200 && !is(); turn += 1) await new Promise((done) => setTimeout(done, 20));
  };
  const seen = {};
  const packet = document.getElementById("p4");
  seen.folded = packet.open;
  document.querySelector('svg a[href="#p4"]').dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
  await settled(() => document.activeElement.tagName === "SUMMARY");
  const place = packet.getBoundingClientRect();
  seen.unfolded = packet.open;
  seen.visible = place.top >= 0 && place.top < innerHeight;
  seen.focused = document.activeElement === packet.querySelector("summary");
  document.getElementById("unfold").click();
  seen.all = [...document.querySelectorAll("details")].every((one) => one.open);
  document.getElementById("fold").click();
  seen.none = [...document.querySelectorAll("details")].every((one) => !one.open);
  seen.named = [...document.querySelectorAll("svg a")].every((one) => one.getAttribute("aria-label"));
  seen.direction = getComputedStyle(document.body).direction;
  seen.drawing = getComputedStyle(document.querySelector("svg")).direction;
  seen.wide = document.documentElement.scrollWidth <= innerWidth;
  document.body.append(Object.assign(document.createElement("output"), {textContent: JSON.stringify(seen)}));
})();
</script>
</body>
"""


class PageTests(SynchronousTestCase):
    """Clicks, the console, paper."""

    def setUp(self) -> None:
        """A browser."""
        self.chromium = require_program("chromium")
        self.folder = temporary_folder(self)

    def page(self, code: str, name: str = "proxy", more: str = "") -> Path:
        """The page of a capture, with ``more`` at its end."""
        text = report(CAPTURES / f"{name}.pcapng", "html", code)
        path = self.folder / f"{name}.{code}.html"
        path.write_text(text.replace("</body>", more) if more else text, "utf-8")
        return path

    def browse(self, path: Path, *words: str) -> tuple[str, str]:
        """Open the page; what the browser wrote on stdout and stderr."""
        return browse(self, self.folder, path, *words)

    def test_click(self) -> None:
        """A click on the ladder unfolds the packet and takes the reader there; the console stays empty."""
        for code, direction in (("en", "ltr"), ("he", "rtl")):
            text, errors = self.browse(self.page(code, more=_SCRIPT), "--virtual-time-budget=8000", "--dump-dom")
            self.assertNotIn("CONSOLE", errors)
            found = re.search("<output>(.*?)</output>", text)
            assert found is not None, text[-500:]
            seen = json.loads(unescape(found[1]))
            expected = dict.fromkeys(("unfolded", "visible", "focused", "all", "none", "named", "wide"), True)
            self.assertEqual(seen, {**expected, "folded": False, "direction": direction, "drawing": "ltr"})

    def test_keyboard(self) -> None:
        """With keys alone: past the ladder, or to an arrow of it, to its packet, which Space folds again."""
        profile = f"--user-data-dir={self.folder / 'keys'}"
        browser = Browser([self.chromium, *WORDS, profile], self.page("en", "calc"))
        self.addCleanup(browser.close)
        where = 'document.activeElement.getAttribute("href") || document.activeElement.className'
        reached = []
        for _ in range(3):
            browser.press("Tab")
            reached.append(browser.ask(where))
        self.assertEqual(reached, ["#conversations", "drawing", "#p1"])
        browser.press("Enter")
        arrived = """new Promise((done) => {
            const look = () => {
                const at = document.activeElement;
                if (at.tagName === "SUMMARY") done([at.parentElement.id, at.parentElement.open]);
                else setTimeout(look, 10);
            };
            look();
        })"""
        self.assertEqual(browser.ask(arrived), ["p1", True])
        browser.press(" ")
        self.assertIs(browser.ask('document.getElementById("p1").open'), False)

    def test_hostile(self) -> None:
        """What a capture says of itself does nothing in a browser."""
        text, errors = self.browse(self.page("en", "lossy"), "--virtual-time-budget=2000", "--dump-dom")
        self.assertNotIn("CONSOLE", errors)
        self.assertEqual(text.count("<script"), 1)
        self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", text)

    def test_paper(self) -> None:
        """On paper there is everything, the bytes of folded packets too."""
        pdftotext = require_program("pdftotext")
        paper = self.folder / "page.pdf"
        self.browse(self.page("en", "calc"), f"--print-to-pdf={paper}", "--no-pdf-header-footer")
        done = subprocess.run([pdftotext, "-layout", str(paper), "-"], capture_output=True, text=True, check=True)
        for words in (
            "Summary",
            "Ladder",
            "The client closed first",
            "It asks the calculator for",
        ):
            self.assertIn(words, done.stdout)
        self.assertRegex(done.stdout, "0000 +00 00 00 00")
