"""Bundles of strangers: what was tampered with fails with the reason, and nothing of it does any harm."""

from __future__ import annotations

import json
import os
import stat
import warnings
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.lab.bundle import bundles, reports_of, write
from netlab.lab.errors import BadBundle, CannotRun
from netlab.lab.junit import xml
from netlab.lab.loading import experiments
from netlab.lab.manifest import CAPTURE, EVENTS, LIMITS, MANIFEST, REPORT, read_manifest
from netlab.lab.verifying import FAILED, Verified, check
from netlab.lab.words.loading import language
from tests.lab.bench import done
from tests.parts import missing, temporary_folder

WORDS = language("en")


def checked(files: dict[str, bytes], student: str | None = None) -> Verified:
    """What verification says."""
    return check("bundle", files, experiments(), student, reports_of)


def resealed(files: dict[str, bytes], change: Callable[[dict[str, object]], None] = lambda _: None) -> dict[str, bytes]:
    """The same with a manifest that fits the files, as a careful forger leaves it."""
    value = json.loads(files[MANIFEST])
    value["files"] = {name: sha256(data).hexdigest() for name, data in files.items() if name != MANIFEST}
    change(value)
    return {**files, MANIFEST: json.dumps(value).encode()}


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


class ReadingTests(SynchronousTestCase):
    """Folders and ZIP files."""

    def setUp(self) -> None:
        """Have a folder."""
        self.folder = temporary_folder(self)
        self.files = done("one").files

    def zipped(self, *entries: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> str:
        """A ZIP file with these entries."""
        path = self.folder / "bundle.zip"
        with zipfile.ZipFile(path, "w", packing) as archive:
            for name, data in entries:
                archive.writestr(name, data)
        return str(path)

    def refused(self, path: str | Path, reason: str) -> None:
        """See it refused for this reason."""
        (found,) = bundles(str(path))
        self.assertEqual(found.files, {})
        self.assertTrue(found.trouble)
        self.assertIn(reason, found.trouble)

    def test_round_trip(self) -> None:
        """A folder, a folder of folders, a ZIP file of either."""
        write(self.folder / "all/one", self.files)
        self.assertEqual(bundles(str(self.folder / "all/one"))[0].files, self.files)
        self.assertEqual([one.name for one in bundles(str(self.folder / "all"))], ["one"])
        for prefix in ("", "mine/", "lab-reports/mine/"):
            found = bundles(self.zipped(*((prefix + name, data) for name, data in self.files.items())))
            self.assertEqual([one.files for one in found], [self.files])

    def test_paths_that_leave(self) -> None:
        """A path that leads out is refused, and nothing is ever unpacked."""
        for name in (
            "../manifest.json",
            "/manifest.json",
            "a/../../manifest.json",
            "..\\manifest.json",
            "a/b/c/manifest.json",
        ):
            self.refused(self.zipped((name, b"{}")), "leads out of the bundle")
        self.assertEqual(sorted(os.listdir(self.folder)), ["bundle.zip"])

    def test_bomb(self) -> None:
        """What would become huge is not unpacked, whatever it says of its size."""
        bomb = self.zipped((CAPTURE, bytes(LIMITS[CAPTURE] + 1)))
        self.assertLess(Path(bomb).stat().st_size, 1 << 20)
        self.refused(bomb, "bytes; ")
        # The same, saying that it is small.
        data = bytearray(Path(bomb).read_bytes())
        size = (LIMITS[CAPTURE] + 1).to_bytes(4, "little")
        Path(bomb).write_bytes(bytes(data).replace(size, (100).to_bytes(4, "little")))
        self.refused(bomb, "")

    def test_odd_archives(self) -> None:
        """Twice the same, other names, links, no ZIP file at all."""
        with warnings.catch_warnings(action="ignore"):
            twice = self.zipped((MANIFEST, b"{}"), (MANIFEST, b"{}"))
        self.refused(twice, "twice")
        self.refused(self.zipped(("evil.sh", b"")), "belongs to no bundle")
        self.refused(self.zipped(*((f"{number}/{MANIFEST}", b"") for number in range(600))), "more than 512 bundles")
        self.refused(self.zipped(), "no bundle")
        (self.folder / "no.zip").write_bytes(b"PK\x03\x04 no")
        self.refused(self.folder / "no.zip", "no ZIP file")
        whole = Path(self.zipped((MANIFEST, b"{}" * 99))).read_bytes()
        for size in range(0, len(whole), 7):
            (self.folder / "cut.zip").write_bytes(whole[:size])
            self.refused(self.folder / "cut.zip", "")

    def test_link_in_archive(self) -> None:
        """An entry that is a link is its text, and leads nowhere."""
        path = self.folder / "link.zip"
        with zipfile.ZipFile(path, "w") as archive:
            entry = zipfile.ZipInfo(MANIFEST)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, "/etc/passwd")
        self.assertEqual(bundles(str(path))[0].files, {MANIFEST: b"/etc/passwd"})

    def test_odd_folders(self) -> None:
        """Links, pipes and strangers in a folder; one that is empty."""
        place = self.folder / "one"
        write(place, self.files)
        (place / REPORT).unlink()
        (place / REPORT).symlink_to("/etc/passwd")
        self.refused(place, "cannot be read")
        (place / REPORT).unlink()
        os.mkfifo(place / REPORT)
        self.refused(place, "no plain file")
        (place / REPORT).unlink()
        (place / "more").write_text("")
        self.refused(place, "belongs to no bundle")
        (self.folder / "empty").mkdir()
        self.refused(self.folder / "empty", "no bundle")

    def test_one_bad_among_many(self) -> None:
        """A bundle that cannot be read keeps nobody from the others; ZIP files may lie in a folder."""
        write(self.folder / "all/good", self.files)
        write(self.folder / "all/bad", self.files)
        (self.folder / "all/bad/more").write_text("")
        (self.folder / "all/junk.zip").write_bytes(b"junk")
        found = {Path(one.name).name: one.trouble for one in bundles(str(self.folder / "all"))}
        self.assertEqual(found.pop("good"), "")
        self.assertEqual(sorted(found), ["bad", "junk.zip"])
        self.assertTrue(all(found.values()))

    def test_too_large(self) -> None:
        """A file beyond its limit is not read to its end."""
        place = self.folder / "one"
        write(place, self.files)
        with (place / MANIFEST).open("r+b") as file:
            file.truncate(LIMITS[MANIFEST] + 1)
        self.refused(place, "more than")

    def test_writing_over(self) -> None:
        """A report is written over an older one, and over nothing else."""
        write(self.folder / "one", self.files)
        write(self.folder / "one", self.files)
        (self.folder / "precious").write_text("")
        self.assertRaises(CannotRun, write, self.folder, self.files)
