"""The catalogues are complete, and say what the code says."""

from __future__ import annotations

import ast
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.trace.words import damage
from netlab.trace.words.language import LEFT_TO_RIGHT, POP
from netlab.trace.words.loading import LANGUAGES, language
from netlab.trace.words.sentence import Sentence, counted, octets, packets, said

ROOT = Path(__file__).resolve().parents[3]
WORDS = ROOT / "netlab/trace/words"


def fields(text: str) -> set[str]:
    """The placeholders of a message."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def entries(code: str) -> Iterator[tuple[str, str | None, list[str]]]:
    """The messages of a catalogue: one, many, and the translations."""
    text = (WORDS / f"{code}.po").read_text("utf-8")
    for block in text.strip().split("\n\n")[1:]:
        found = {
            name: "".join(ast.literal_eval(line) for line in lines.split("\n") if line)
            for name, lines in re.findall(r'^(msg\S+) ((?:".*"\n?)+)', block, re.MULTILINE)
        }
        translations = [value for name, value in found.items() if name.startswith("msgstr")]
        yield found["msgid"], found.get("msgid_plural"), translations


class CatalogueTests(SynchronousTestCase):
    """English and Hebrew."""

    def test_up_to_date(self) -> None:
        """Every message of the code is in both catalogues and translated; the compiled ones are of these."""
        command = [sys.executable, str(ROOT / "scripts/catalogues.py"), "--check"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_same_messages(self) -> None:
        """Both have the same messages, in the same order."""
        english, hebrew = ([(one, many) for one, many, _ in entries(code)] for code in LANGUAGES)
        self.assertEqual(english, hebrew)
        self.assertGreater(len(english), 200)

    def test_placeholders(self) -> None:
        """Every value of a message occurs in its translations; a form for one or two need not say the number."""
        for code in LANGUAGES:
            for one, many, translations in entries(code):
                self.assertEqual(len(translations), 1 if many is None else {"en": 2, "he": 3}[code], one)
                for place, text in enumerate(translations):
                    wanted = fields(one) | fields(many or "")
                    last = place == len(translations) - 1
                    spare = set() if many is None or last else {"count", "waited", "last"}
                    self.assertLessEqual(fields(text), wanted, text)
                    self.assertLessEqual(wanted - spare, fields(text), text)

    def test_isolates(self) -> None:
        """What is isolated is closed again."""
        for _, _, translations in entries("he"):
            for text in translations:
                depth = 0
                for character in text:
                    depth += (character == LEFT_TO_RIGHT) - (character == POP)
                    self.assertIn(depth, (0, 1), text)
                self.assertEqual(depth, 0, text)

    def test_forms(self) -> None:
        """One, two and many are said as the language does."""
        english, hebrew = language("en"), language("he")
        self.assertEqual([english.say(octets(n)) for n in (0, 1, 2)], ["0 bytes", "1 byte", "2 bytes"])
        said_in_hebrew = [hebrew.say(packets(n)).replace(LEFT_TO_RIGHT, "").replace(POP, "") for n in (1, 2, 5, 11)]
        self.assertEqual(said_in_hebrew, ["חבילה אחת", "שתי חבילות", "5 חבילות", "11 חבילות"])

    def test_unknown_message(self) -> None:
        """A message that no catalogue has is English."""
        self.assertEqual(language("he").say(said("nobody translated this")), "nobody translated this")
        self.assertEqual(language("he").say(counted("a {count}", "b {count}", 1)), f"a {LEFT_TO_RIGHT}1{POP}")


class StrangerTests(SynchronousTestCase):
    """Texts of the capture inside sentences."""

    def test_harmless(self) -> None:
        """No control character, no braces that mean anything, and no end to an isolate."""
        for code in LANGUAGES:
            for text in ("\x1b[31m", "{who}{0}", "a\u2069b\u202e", "x" * 5_000, "\ud800", "a\nb"):
                told = language(code).say(said("“{role}”", role=text))
                inner = told.strip("\u2066\u2068\u2069")
                self.assertTrue(all(c.isprintable() or c in "\u2066\u2068\u2069" for c in inner), repr(told))
                self.assertLess(len(told), 3_000)

    def test_direction(self) -> None:
        """A Hebrew name in an English sentence is isolated."""
        self.assertEqual(language("en").say(said("“{role}”", role="שרת")), "“\u2068שרת\u2069”")


class ProblemTests(SynchronousTestCase):
    """What is wrong with files."""

    def test_all_known(self) -> None:
        """Each problem that the readers of files report is one of the catalogue's."""
        for path in sorted((ROOT / "netlab/trace").glob("*.py")):
            if not path.name.startswith(("pcap", "opening")) or path.name == "pcapng_write.py":
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("DamagedCapture", "ValueError"):
                    text = _text(node.args[0])
                    if text:
                        self.assertIsInstance(damage.problem(text), Sentence, text)


def _text(node: ast.expr) -> str:
    """An error's text with numbers in its places; empty if it is no literal."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "12" for part in node.values)
    return ""
