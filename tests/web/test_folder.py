"""Looking at files: links, changes, what is kept; and that nothing outside is opened, whoever exchanges what when."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netlab.web.errors import FileChanged
from netlab.web.facts import Facts, Stamp
from netlab.web.folder import LARGEST_READ, Absent, Folder, OpenFile
from netlab.web.kept import MOST_OPEN, Entry, Kept
from tests.parts import temporary_folder

FAR = 4e9  # seconds: every file is settled by then


class FolderTests(SynchronousTestCase):
    """A folder with links and other traps."""

    def setUp(self) -> None:
        top = temporary_folder(self)
        self.outside, self.root = top / "outside", top / "root"
        for folder in (self.outside, self.root / "a"):
            folder.mkdir(parents=True)
        (self.outside / "x.txt").write_text("secret")
        (self.root / "x.txt").write_text("open")
        (self.root / "a/x.txt").write_text("open a")
        (self.root / "big.bin").write_bytes(bytes(LARGEST_READ + 1))
        self.kept = Kept(1 << 20)
        self.folder = self.make()

    def make(self, follow: bool = False) -> Folder:
        folder = Folder(str(self.root), self.kept, follow_symlinks=follow, packs=True, wall=lambda: FAR)
        self.addCleanup(folder.close)
        return folder

    def read(self, path: bytes) -> bytes | Absent:
        """The content there, in a turn of its own."""
        self.folder.turn_ends()
        entry = self.folder.look(path)
        if isinstance(entry, Absent):
            return entry
        if entry.content is not None:
            return entry.content
        assert isinstance(entry.file, OpenFile)
        content = entry.file.read(0, entry.facts.size)
        entry.close()
        return content

    def test_changes_show(self) -> None:
        """What is kept is what is there: rewritten, replaced, removed and back, to the byte."""
        for path in (b"x.txt", b"big.bin"):
            file = self.root / path.decode()
            for content in (b"one" * LARGEST_READ, b"two" * LARGEST_READ, b""):
                file.write_bytes(content)
                self.assertEqual(self.read(path), content)
                self.assertEqual(self.read(path), content)
            file.unlink()
            self.assertEqual(self.read(path), Absent.MISSING)
            (self.root / "other").write_bytes(b"three")
            (self.root / "other").rename(file)
            self.assertEqual(self.read(path), b"three")

    def test_exchanged_for_a_link(self) -> None:
        """A file, or a folder on the way, that becomes a link out is gone, though it was kept."""
        self.assertEqual(self.read(b"a/x.txt"), b"open a")
        (self.root / "a").rename(self.outside / "a")
        (self.root / "a").symlink_to(self.outside / "a")
        self.assertEqual(self.read(b"a/x.txt"), Absent.MISSING)
        self.assertEqual(self.read(b"x.txt"), b"open")
        (self.root / "x.txt").unlink()
        (self.root / "x.txt").symlink_to(self.outside / "x.txt")
        self.assertEqual(self.read(b"x.txt"), Absent.MISSING)

    def test_links_within(self) -> None:
        """Links that stay inside are followed, and their changes show."""
        (self.root / "link").symlink_to("a/x.txt")
        self.assertEqual((self.read(b"link"), self.read(b"link")), (b"open a", b"open a"))
        (self.root / "link").unlink()
        (self.root / "link").symlink_to(self.outside / "x.txt")
        self.assertEqual(self.read(b"link"), Absent.MISSING)
        self.folder = self.make(follow=True)
        self.assertEqual(self.read(b"link"), b"secret")

    def test_what_is_no_file(self) -> None:
        """Folders, pipes, loops of links, a name as a folder."""
        os.mkfifo(self.root / "pipe")
        (self.root / "loop").symlink_to("loop")
        for path, expected in ((b"a", Absent.FOLDER), (b"pipe", Absent.MISSING), (b"loop", Absent.MISSING)):
            self.assertEqual(self.read(path), expected, path)
        self.assertEqual(self.read(b"x.txt/a"), Absent.MISSING)
        self.assertEqual(self.read(b"n" * 300), Absent.MISSING)

    def test_young_files_are_not_kept(self) -> None:
        """A file that may change again without a trace is read each time."""
        now = os.stat(self.root / "x.txt").st_mtime
        folder = Folder(str(self.root), self.kept, follow_symlinks=False, packs=True, wall=lambda: now + 0.05)
        folder.look(b"x.txt")
        self.assertEqual(len(self.kept), 0)

    def test_unkept_files_are_not_read_whole(self) -> None:
        """Who waits for a longer file that is not kept has a place in it and no copy of his own; packed files too."""
        for name, size, reads in (("x.png", 16 << 10, True), ("y.png", 50_000, False), ("y.txt", 50_000, False)):
            (self.root / name).write_bytes(bytes(size))
            for kept, now in ((Kept(100_000), FAR), (self.kept, os.stat(self.root / name).st_mtime + 0.05)):
                folder = Folder(str(self.root), kept, follow_symlinks=False, packs=True, wall=lambda now=now: now)
                entry = folder.look(name.encode())
                assert isinstance(entry, Entry)
                self.assertEqual(entry.content is not None, reads, name)
                entry.close()
                folder.close()
            self.assertEqual(len(self.read(name.encode())), size)
            entry = self.folder.look(name.encode())
            assert isinstance(entry, Entry)
            self.assertIsNotNone(entry.content)

    def test_descriptors(self) -> None:
        """However often files are looked at, none stays open but those that are kept, and none of them at the end."""
        before = len(os.listdir("/proc/self/fd"))
        for number in range(MOST_OPEN + 20):
            (self.root / f"{number}.bin").write_bytes(bytes(LARGEST_READ + 1))
            self.read(f"{number}.bin".encode())
            self.read(b"a")
            self.read(b"missing")
        self.assertEqual(len(os.listdir("/proc/self/fd")), before + MOST_OPEN)
        self.folder.close()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_a_shared_file(self) -> None:
        """A file stays open for who sends it, though it is kept no longer; a change to it is seen."""
        entry = self.folder.look(b"big.bin")
        assert isinstance(entry, Entry)
        assert isinstance(entry.file, OpenFile)
        self.folder.close()
        entry.file.check()
        self.assertEqual(entry.file.read(5, 3), bytes(3))
        os.truncate(self.root / "big.bin", 4)
        self.assertRaises(FileChanged, entry.file.check)
        self.assertRaises(FileChanged, entry.file.read, 5, 3)
        entry.close()
        self.assertEqual(entry.file.descriptor, -1)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.sampled_from(["a", "x.txt", "link", "up", ".h", "..", "outside", "etc", ""]), max_size=6))
    def test_nothing_outside(self, names: list[str]) -> None:
        """No path reads anything outside, even one that the rules for targets would have refused."""
        for name, target in (("link", self.outside), ("up", self.root.parent), (".h", self.outside)):
            if not (self.root / name).is_symlink():
                (self.root / name).symlink_to(target)
        found = self.read(os.fsencode("/".join(names)).lstrip(b"/"))
        self.assertNotEqual(found, b"secret")


def entry(path: bytes, size: int) -> Entry:
    stamp = Stamp(1, 2, size, 4, 5)
    return Entry(path, stamp, Facts(size, 1, "x", "text/plain", is_settled=True), True, bytes(size))


class KeptTests(SynchronousTestCase):
    """The bound."""

    @given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30_000)), max_size=60))
    def test_bounded(self, puts: list[tuple[int, int]]) -> None:
        """Never more bytes than there is room for; what was put last is there, unless it is too large."""
        kept = Kept(100_000)
        for number, size in puts:
            path = b"%d" % number
            kept.put(entry(path, size))
            self.assertLessEqual(kept.used, 100_000)
            found = kept.get(path)
            self.assertEqual(found is not None, entry(path, size).cost * 4 <= 100_000)
        kept.clear()
        self.assertEqual((kept.used, len(kept)), (0, 0))

    def test_last_used_stays(self) -> None:
        """What goes is what was not used for longest."""
        kept = Kept(10_000)
        for path in (b"a", b"b", b"c", b"d"):
            kept.put(entry(path, 100))
        kept.get(b"a")
        kept.put(entry(b"e", 100))
        self.assertIsNone(kept.get(b"b"))
        self.assertIsNotNone(kept.get(b"a"))

    def test_no_room(self) -> None:
        """With no room nothing is kept."""
        kept = Kept(0)
        kept.put(entry(b"a", 0))
        self.assertEqual(len(kept), 0)
