"""Bundles of strangers, as folders and ZIP files: whatever they are, nothing of them does any harm."""

from __future__ import annotations

import os
import stat
import warnings
import zipfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netlab.lab import bundle
from netlab.lab.bundle import MAX_ENTRIES, Bundle, write
from netlab.lab.errors import CannotRun
from netlab.lab.manifest import CAPTURE, LIMITS, MANIFEST, REPORT
from tests.lab.bench import done
from tests.parts import temporary_folder


def bundles(path: str) -> list[Bundle]:
    """All bundles at a path."""
    return list(bundle.bundles(path))


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

    def test_many_entries(self) -> None:
        """A directory of more entries than anybody sends is refused before it is read."""
        path = Path(self.zipped(*((f"{number}/{MANIFEST}", b"") for number in range(MAX_ENTRIES + 1))))
        self.refused(path, "more than 4,096 entries")

    def test_class(self) -> None:
        """A class's folder has one for each student, or their ZIP files; each bundle is known by its whole name."""
        write(self.folder / "class/alice/tcp", self.files)
        (self.folder / "class/notes").mkdir()
        with zipfile.ZipFile(self.folder / "class/bob.zip", "w") as archive:
            for name, data in self.files.items():
                archive.writestr(f"tcp/{name}", data)
        found = {one.name: one.files for one in bundles(str(self.folder / "class"))}
        self.assertEqual(found, {"alice/tcp": self.files, "bob.zip/tcp": self.files})

    def test_litter(self) -> None:
        """What desktops leave beside files is not minded, and not read."""
        write(self.folder / "one", self.files)
        (self.folder / "one/.DS_Store").write_bytes(b"x")
        self.assertEqual(bundles(str(self.folder / "one"))[0].files, self.files)
        litter = (("__MACOSX/one/._manifest.json", b"x"), ("one/.DS_Store", b"x"))
        found = bundles(self.zipped(*litter, *((f"one/{name}", data) for name, data in self.files.items())))
        self.assertEqual([one.files for one in found], [self.files])

    def test_one_at_a_time(self) -> None:
        """Of many bundles the next is not read before the last has been looked at."""
        for name in ("a", "b"):
            write(self.folder / name, self.files)
        found = bundle.bundles(str(self.folder))
        self.assertEqual(next(found).trouble, "")
        (self.folder / "b" / MANIFEST).write_bytes(b"later")
        self.assertEqual(next(found).files[MANIFEST], b"later")

    def test_half_made(self) -> None:
        """A bundle that was interrupted while it was written is written again."""
        write(self.folder / "one", self.files)
        (self.folder / "one" / MANIFEST).unlink()
        write(self.folder / "one", self.files)
        self.assertEqual(bundles(str(self.folder / "one"))[0].files, self.files)

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
