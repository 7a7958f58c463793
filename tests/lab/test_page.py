"""The reports in a real browser: no error in its console, nothing fetched, and all text on paper."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from unicodedata import normalize

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.bundle import reports_of
from netlab.lab.manifest import CAPTURE, MARKDOWN, REPORT
from netlab.lab.words.loading import LANGUAGES, language
from netlab.trace.words.sentence import Sentence
from tests.browser import browse
from tests.lab.bench import all_done
from tests.parts import missing, require_program, temporary_folder


def letters(text: str) -> str:
    """A text without what a page turns or wraps: marks of direction, spaces, presentation forms."""
    return re.sub(r"[\s\u200e\u200f\u202a-\u202e\u2066-\u2069-]", "", normalize("NFKC", text))


class PageTests(SynchronousTestCase):
    """Both languages."""

    def setUp(self) -> None:
        """Have the pages of one experiment."""
        require_program("chromium")
        self.folder = temporary_folder(self)
        self.one = all_done()["calc-outage"]
        if self.one.result.capture is None:
            missing("nothing can be captured here")

    def page(self, code: str) -> Path:
        """The page in this language."""
        path = self.folder / f"{code}.html"
        path.write_bytes(reports_of(self.one.result, code)[REPORT])
        return path

    def browse(self, path: Path, *words: str) -> tuple[str, str]:
        """Open the page; what the browser wrote on stdout and stderr."""
        return browse(self, self.folder, path, *words)

    def test_pages(self) -> None:
        """The page stands as it was written, from right to left where it should; packets from left to right."""
        for code, is_right in LANGUAGES.items():
            text, errors = self.browse(self.page(code), "--virtual-time-budget=2000", "--dump-dom")
            self.assertNotIn("CONSOLE", errors)
            self.assertIn(f'<html lang="{code}" dir="{"rtl" if is_right else "ltr"}">', text)
            self.assertEqual(text.count('<svg class="chart"'), 3)
            self.assertIn('<pre dir="ltr"', text)
            self.assertNotRegex(text, r'(src|href)="(?!#|data:)')
            self.assertEqual(len(re.findall(r'<details id="p\d+"', text)), len(self.one.result.evidence.packets))

    def test_paper(self) -> None:
        """Printed, nothing is missing: every sentence of the story, claim, reason and number."""
        pdftotext = require_program("pdftotext")
        for code in LANGUAGES:
            pdf = self.folder / f"{code}.pdf"
            self.browse(self.page(code), f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
            printed = subprocess.run([pdftotext, "-raw", pdf, "-"], capture_output=True, text=True, check=True).stdout
            for said in self.sentences(code):
                if code == "he":
                    missing_words = [word for word in words_of(said) if word not in words_of(printed)]
                    self.assertEqual(missing_words, [], said)
                else:
                    self.assertIn(letters(said), letters(printed))

    def sentences(self, code: str) -> list[str]:
        """What has to be on paper."""
        words = language(code)
        told: list[Sentence] = [self.one.result.experiment.title, *self.one.result.plan.story]
        for claim, judged in self.one.result.judged:
            told += [claim.text, judged.reason]
        return [words.say(one) for one in told] + [f"{self.one.result.evidence.packets[-1].number}"]

    def test_ladder_on_paper(self) -> None:
        """A ladder that fits on a sheet stands on one, under its heading."""
        pdftotext = require_program("pdftotext")
        pdf = self.folder / "ladder.pdf"
        self.browse(self.page("en"), f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
        text = subprocess.run([pdftotext, "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
        sheet = next(one for one in text.split("\f") if one.lstrip().startswith("Ladder"))
        numbers = re.findall(r"^ *(\d+) +\d+\.\d{6} ", sheet, re.MULTILINE)
        self.assertEqual(len(numbers), len(self.one.result.evidence.packets))

    def test_own_comments(self) -> None:
        """What was written at packets for Wireshark is not told again in the report, whose claims say it."""
        self.assertIn(b"refused: proved", self.one.files[CAPTURE])
        self.assertNotIn("refused: proved", self.one.files[MARKDOWN].decode())

    def test_markdown(self) -> None:
        """Markdown has the same, and strangers' texts stand for themselves."""
        for code in LANGUAGES:
            text = reports_of(self.one.result, code)[MARKDOWN].decode()
            self.assertIn(letters(language(code).say(self.one.result.experiment.title)), letters(text))
            self.assertEqual(text.count("```mermaid"), 4)
            self.assertEqual(text.count("```") % 2, 0)
        self.assertNotIn("<script", text)


def words_of(text: str) -> set[str]:
    """The Hebrew words of a text; how pdftotext orders what runs two ways is its own affair."""
    return set(re.findall(r"[\u05d0-\u05ea]{2,}", normalize("NFKC", text)))
