"""The folder that is served: looking at files, opening them, reading small ones. All that touches the disk is here.

No path is trusted to lead where it says. A file is first opened without any right to read it (``O_PATH``: no device
is started, no pipe waits); then the kernel says what it is and where it really lies (``/proc/self/fd``), and only a
regular file under the root, by a way that is not hidden, is opened for reading, through that same descriptor. Between
two looks nothing can be exchanged, because there is only one.

Each call does a few system calls and reads a bounded number of bytes, so the reactor may wait for it.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from itertools import islice

from netlab.web.errors import FileChanged, Overloaded
from netlab.web.facts import Facts, Stamp, facts_of
from netlab.web.kept import Entry, Kept
from netlab.web.packing import pack
from netlab.web.pages import Named
from netlab.web.resolve import is_served

#: Longer files are kept open, not read: from here on the kernel is quicker to send what is in its own cache. Up to here
#: both take the kernel as long, and one call for head and content spares this process several microseconds. A file that
#: gets shorter packed is packed once; that takes 3 ms at the most.
LARGEST_READ = 128 << 10

#: Files that will not be kept are read up to here only: each who waits for one would have a copy of its own.
LARGEST_UNKEPT = 16 << 10

#: Names of one folder that are shown.
MOST_NAMES = 2_000

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class Absent(Enum):
    """Why there is no file at a path."""

    MISSING = "nothing that is served"
    FOLDER = "a folder"
    FORBIDDEN = "a file that this process may not read"


class OpenFile:
    """A regular file that is open for reading. Whoever has it is one of its users, and must close it."""

    def __init__(self, descriptor: int, stamp: Stamp) -> None:
        self.descriptor = descriptor
        self._stamp = stamp
        self._users = 1

    def share(self) -> None:
        """One more uses it."""
        self._users += 1

    def check(self) -> None:
        """See that it is still as it was when it was opened; gone from its folder is no change.

        :raises FileChanged: it is not.
        """
        status = os.fstat(self.descriptor)
        if (status.st_size, status.st_mtime_ns) != (self._stamp.size, self._stamp.modified):
            raise FileChanged("the file changed while it was sent")

    def read(self, start: int, size: int) -> bytes:
        """``size`` bytes from ``start``; raises `FileChanged` if they are not there."""
        try:
            data = os.pread(self.descriptor, size, start)
        except OSError as error:
            raise FileChanged(f"the file cannot be read: {error.strerror}") from None
        if len(data) < size:
            raise FileChanged("the file ended while it was sent")
        return data

    def close(self) -> None:
        """One of its users is done with it."""
        self._users -= 1
        if self._users == 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Folder:
    """Looks up paths under ``root``.

    :param root: an existing folder; links in its own path are followed.
    :param follow_symlinks: whether links may lead out of it, and to hidden files.
    :param packs: whether content is packed for who asks for it.
    :param wall: unix seconds.
    """

    def __init__(self, root: str, kept: Kept, *, follow_symlinks: bool, packs: bool, wall: Callable[[], float]) -> None:
        self.root = os.path.realpath(os.fsencode(root))
        self._kept = kept
        self._follow = follow_symlinks
        self._packs = packs
        self._wall = wall
        #: What was found to be current in this turn: all its requests were there before it began.
        self._seen: dict[bytes, Entry] = {}

    def look(self, path: bytes) -> Entry | Absent:
        """The file at ``path``, relative and without dot segments; the entry must be closed after use.

        :raises Overloaded: no file can be opened now.
        """
        entry = self._seen.get(path)
        if entry is None:
            entry = self._kept.get(path)
            if entry is not None and not self._is_current(entry):
                self._kept.drop(path)
                entry = None
            if entry is None:
                return self._open(path)
            self._seen[path] = entry
        entry.share()
        return entry

    def close(self) -> None:
        """Close what is kept open."""
        self._seen.clear()
        self._kept.clear()

    def names(self, path: bytes) -> tuple[list[Named], bool] | Absent:
        """What may be seen in the folder at ``path``, and whether there is more; raises `Overloaded`."""
        with self._found(path) as found:
            if isinstance(found, Absent):
                return found
            try:
                entries = os.scandir(os.fsencode(f"/proc/self/fd/{found[0]}"))
            except OSError as error:
                return _absent(error)
            with entries:
                visible = (entry for entry in entries if not entry.name.startswith(b"."))
                named = [self._named(path, entry) for entry in islice(visible, MOST_NAMES)]
                return [entry for entry in named if entry is not None], next(visible, None) is not None

    def turn_ends(self) -> None:
        """Every file has to be looked at again."""
        self._seen.clear()

    # ---- inside

    @contextmanager
    def _found(self, path: bytes) -> Iterator[tuple[int, os.stat_result, bool] | Absent]:
        """A descriptor that is only good for looking, what it is of, and whether the way there has no link."""
        wanted = os.path.join(self.root, path) if path else self.root
        try:
            descriptor = os.open(wanted, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            yield _absent(error)
            return
        try:
            real = os.readlink(os.fsencode(f"/proc/self/fd/{descriptor}"))
            if self._follow or is_served(real, self.root):
                yield descriptor, os.fstat(descriptor), real == wanted
            else:
                yield Absent.MISSING
        finally:
            os.close(descriptor)

    def _open(self, path: bytes) -> Entry | Absent:
        """Open what is at ``path``, and read it if it is small."""
        with self._found(path) as found:
            if isinstance(found, Absent):
                return found
            descriptor, status, is_direct = found
            if not stat.S_ISREG(status.st_mode):
                return Absent.FOLDER if stat.S_ISDIR(status.st_mode) else Absent.MISSING
            try:
                opened = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                return _absent(error)
        now = self._wall()
        stamp = _stamp(os.fstat(opened))
        is_settled = stamp.is_settled(now)
        largest = LARGEST_READ if is_settled and self._kept.takes(stamp.size) else LARGEST_UNKEPT
        entry = self._entry(path, OpenFile(opened, stamp), stamp, facts_of(path, stamp, now), is_direct, largest)
        if is_settled:
            # What goes for it may have been seen in this turn.
            self._seen.clear()
            self._kept.put(entry)
        return entry

    def _entry(self, path: bytes, file: OpenFile, stamp: Stamp, facts: Facts, is_direct: bool, largest: int) -> Entry:
        """The file's content if that is no longer than ``largest``, else the file."""
        packs = self._packs and facts.worth_packing
        if stamp.size <= largest:
            try:
                content = file.read(0, stamp.size)
                file.check()
            except FileChanged:
                pass  # whoever sends it finds out
            else:
                file.close()
                return Entry(path, stamp, facts, is_direct, content, pack(content) if packs else None)
        return Entry(path, stamp, facts, is_direct, file=file)

    def _is_current(self, entry: Entry) -> bool:
        """Whether the path still leads to the same file, unchanged, and may still be served."""
        if self._follow or entry.is_direct:
            wanted = os.path.join(self.root, entry.path)
            try:
                return _stamp(os.stat(wanted) if self._follow else _lstat(wanted, len(self.root))) == entry.stamp
            except OSError:
                return False
        with self._found(entry.path) as found:
            return not isinstance(found, Absent) and _stamp(found[1]) == entry.stamp

    def _named(self, path: bytes, entry: "os.DirEntry[bytes]") -> Named | None:
        """An entry as it is shown; `None` if it would not be served."""
        with suppress(OSError):
            if not entry.is_symlink():
                return _named(entry.name, entry.stat(follow_symlinks=False))
            with self._found(path + b"/" + entry.name if path else entry.name) as found:
                return None if isinstance(found, Absent) else _named(entry.name, found[1])
        return None


def _named(name: bytes, status: os.stat_result) -> Named | None:
    is_folder = stat.S_ISDIR(status.st_mode)
    if not is_folder and not stat.S_ISREG(status.st_mode):
        return None
    return Named(name, is_folder, status.st_size, status.st_mtime)


def _lstat(path: bytes, above: int) -> os.stat_result:
    """What is at ``path`` if no part of it after the first ``above`` bytes is a link.

    :raises OSError: one is, or there is nothing.
    """
    place = path.find(b"/", above + 1)
    while place >= 0:
        if not stat.S_ISDIR(os.lstat(path[:place]).st_mode):
            raise NotADirectoryError
        place = path.find(b"/", place + 1)
    return os.lstat(path)


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _absent(error: OSError) -> Absent:
    """What an error in opening means; raises `Overloaded` if it is no fault of the path."""
    if error.errno in _EXHAUSTED:
        raise Overloaded(f"no file can be opened now: {error.strerror}") from None
    return Absent.FORBIDDEN if error.errno == errno.EACCES else Absent.MISSING
