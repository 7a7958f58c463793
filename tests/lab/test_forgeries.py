"""Bundles that were tampered with: each fails with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from xml.etree import ElementTree as ET

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.bundle import reports_of
from netlab.lab.errors import BadBundle
from netlab.lab.junit import xml
from netlab.lab.loading import experiments
from netlab.lab.manifest import CAPTURE, EVENTS, MANIFEST, REPORT, read_manifest
from netlab.lab.verifying import FAILED, SKIPPED, Verified, Wanted, check
from netlab.lab.words.loading import language
from tests.lab.bench import done
from tests.parts import missing

WORDS = language("en")


def checked(files: dict[str, bytes], student: str | None = None, seed: int | None = None) -> Verified:
    """What verification says."""
    return check("bundle", files, experiments(), Wanted(student, seed), reports_of)


def resealed(files: dict[str, bytes], change: Callable[[dict[str, object]], None] = lambda _: None) -> dict[str, bytes]:
    """The same with a manifest that fits the files, as a careful forger leaves it."""
    value = json.loads(files[MANIFEST])
    value["files"] = {name: sha256(data).hexdigest() for name, data in sorted(files.items()) if name != MANIFEST}
    change(value)
    return {**files, MANIFEST: (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()}


class TamperingTests(SynchronousTestCase):
    """Forgeries of a real bundle."""

    def setUp(self) -> None:
        """Have a bundle that is good, of a student."""
        if done("one").result.capture is None:
            missing("nothing can be captured here")
        self.files = done("one").files

    def refused(self, files: dict[str, bytes], *names: str, student: str | None = None) -> str:
        """See these checks fail; the reasons."""
        found = checked(files, student)
        failed = {one.name for one in found.checks if one.outcome == FAILED}
        self.assertLessEqual(set(names), failed, found.reasons(WORDS))
        return " ".join(found.reasons(WORDS))

    def test_good(self) -> None:
        """The bundle as it was written is verified, and is its student's and nobody else's."""
        self.assertEqual(checked(self.files, "one").reasons(WORDS), [])
        self.assertIn("the student one", self.refused(self.files, "student", student="two"))

    def test_edited_capture(self) -> None:
        """An edited capture is noticed; with the manifest made to fit it, by what it shows."""
        capture = self.files[CAPTURE]
        edited = {**self.files, CAPTURE: capture.replace(b"calculator", b"calculatoR")}
        self.assertNotEqual(edited[CAPTURE], capture)
        self.assertIn("Changed since the report was made: capture.pcapng", self.refused(edited, "files"))
        self.assertIn("The manifest says proved; judged again", self.refused(resealed(edited), "asked", "reports"))

    def test_cut_capture(self) -> None:
        """A capture whose end is missing is damaged, or has other packets than the manifest says."""
        for size in (-7, -300):
            cut = {**self.files, CAPTURE: self.files[CAPTURE][:size]}
            self.refused(resealed(cut), "capture")

    def test_another_capture(self) -> None:
        """Another student's capture under one's own ID has the other's ports and expressions."""
        other = done("two").files
        mixed = {**self.files, CAPTURE: other[CAPTURE], EVENTS: other[EVENTS]}
        self.refused(resealed(mixed), "port", "asked", "events", "reports")

    def test_another_bundle(self) -> None:
        """Another's whole bundle with one's own ID in it fails by its parameters."""

        def mine(value: dict[str, object]) -> None:
            value["student"] = "two"

        self.assertIn("Not what follows from the student's ID", self.refused(resealed(self.files, mine), "parameters"))

    def test_edited_manifest(self) -> None:
        """Verdicts, commands, counts: what the manifest says is compared with what is found."""

        def verdict(value: dict[str, object]) -> None:
            value["claims"][0]["verdict"] = "disproved"  # type: ignore[index]

        def command(value: dict[str, object]) -> None:
            value["commands"][0] = "rm -rf /"  # type: ignore[index]

        def count(value: dict[str, object]) -> None:
            value["packets"] = 7

        def blind(value: dict[str, object]) -> None:
            value["captured"] = False

        for change, name in ((verdict, "port"), (command, "parameters"), (count, "capture"), (blind, "capture")):
            self.refused(resealed(self.files, change), name)

    def test_unused_values(self) -> None:
        """What no other check looks at cannot be changed either: titles, frames, claims twice, keys of one's own."""

        def frames(value: dict[str, object]) -> None:
            value["claims"][0]["frames"] = [999]  # type: ignore[index]

        def twice(value: dict[str, object]) -> None:
            value["claims"].insert(0, {**value["claims"][0], "verdict": "disproved"})  # type: ignore[attr-defined, index]

        def named(name: str, text: str) -> Callable[[dict[str, object]], None]:
            return lambda value: value.update({name: text})

        self.assertEqual(checked(resealed(self.files)).reasons(WORDS), [])
        for change in (frames, twice, named("title", "x"), named("why", "x"), named("grade", "A")):
            self.refused(resealed(self.files, change), "manifest")
        key = {**self.files, MANIFEST: self.files[MANIFEST].replace(b'"seed": 0', b'"seed": 7, "seed": 0')}
        self.refused(key, "manifest")
        self.refused(resealed(self.files, named("lang", "xx")), "reports")

    def test_another_version(self) -> None:
        """By another version's name the texts cannot be compared, if they differ: then it is said, and not passed."""

        def older(value: dict[str, object]) -> None:
            value["versions"]["netlab"] = "0.0.1"  # type: ignore[index]

        self.assertEqual(checked(resealed(self.files, older)).skipped, [])
        forged = checked(resealed({**self.files, REPORT: b"<h1>mine</h1>"}, older))
        self.assertEqual(forged.skipped, ["reports"])
        self.assertIn(SKIPPED, {one.outcome for one in forged.checks})

    def test_seed(self) -> None:
        """Who has to be somebody has the seed that was given out, or none: a chosen one finds a neighbour's values."""
        self.assertTrue(checked(self.files, "one", 0).is_good)
        self.refused(self.files, "student", student="two")
        self.assertFalse(checked(self.files, None, 1).is_good)

        def chosen(value: dict[str, object]) -> None:
            value["seed"] = 1359

        self.assertIn("with seed 1359", self.refused(resealed(self.files, chosen), "student", student="one"))

    def test_halves_of_characters(self) -> None:
        """Half a character, which JSON can have, is refused, and no error of ours."""

        def half(value: dict[str, object]) -> None:
            value["student"] = "\ud800"

        text = json.dumps({"time": "9999999999.0", "source": "\ud800", "kind": "output", "text": ""}).encode()
        manifest = json.loads(self.files[MANIFEST])
        half(manifest)
        self.refused({**self.files, MANIFEST: json.dumps(manifest).encode()}, "bundle")
        self.refused(resealed({**self.files, EVENTS: self.files[EVENTS] + text + b"\n"}), "bundle")

    def test_events_before(self) -> None:
        """An event from long ago does not widen the time that packets have to lie in."""
        line = json.dumps({"time": "1.000000000", "source": "x", "kind": "output", "text": ""}).encode() + b"\n"
        for events in (line + self.files[EVENTS], self.files[EVENTS] + line):
            self.refused(resealed({**self.files, EVENTS: events}), "events")

    def test_edited_report(self) -> None:
        """A report that says something else than its capture is noticed, whatever the manifest says."""
        edited = {**self.files, REPORT: self.files[REPORT].replace(b"7 proved", b"9 proved")}
        self.assertIn("These do not say what the capture gives: report.html", self.refused(resealed(edited), "reports"))

    def test_old_events(self) -> None:
        """Events of another time do not belong to this capture."""
        events = self.files[EVENTS].replace(b'"time": "1', b'"time": "2')
        self.refused(resealed({**self.files, EVENTS: events}), "events")

    def test_missing_and_strange_files(self) -> None:
        """A file less or more is told."""
        less = {name: data for name, data in self.files.items() if name != REPORT}
        self.assertIn("report.html", self.refused(less, "files"))
        self.assertIn("notes.txt", self.refused({**self.files, "notes.txt": b""}, "files"))

    def test_junit(self) -> None:
        """The XML can be parsed, counts what failed, and is a document whatever a stranger's texts are."""
        bad = checked({**self.files, REPORT: b""})
        odd = evolve(bad, name="a\x00b\x1b<&>\ud800")
        document = ET.fromstring(xml([odd], WORDS))
        suite = document.find("testsuite")
        assert suite is not None
        self.assertEqual(int(suite.get("failures", "0")), len(suite.findall("testcase/failure")))
        self.assertEqual(int(suite.get("tests", "0")), len(bad.checks))

    @settings(deadline=None, max_examples=30)
    @given(st.binary(max_size=300), st.sampled_from((MANIFEST, CAPTURE, EVENTS)))
    def test_junk(self, junk: bytes, name: str) -> None:
        """Junk in any place is a reason, and never an error of ours."""
        files = {**self.files, name: junk}
        self.assertFalse(checked(files if name == MANIFEST else resealed(files)).is_good)


class ManifestTests(SynchronousTestCase):
    """Manifests that are none."""

    def test_hostile(self) -> None:
        """Deep, huge and wrong values are refused with a reason."""
        good = json.loads(done("one").files[MANIFEST])
        wrong: list[object] = [{**good, "seed": -1}, {**good, "student": "x" * 999}, {**good, "quick": 1}]
        wrong += [{**good, "claims": 1}, {**good, "schema": "other"}, {**good, "files": []}, [], None, 7]
        for data in (b"[" * 200_000, b"\xff", b"", b"1" * 10_000, *(json.dumps(one).encode() for one in wrong)):
            self.assertRaises(BadBundle, read_manifest, data)
