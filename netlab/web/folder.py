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

#: Longer files are not kept in memory but sent from the disk's cache, by the kernel: by then that is no slower.
LARGEST_KEPT = 128 << 10

#: Names of one folder that are shown.
MOST_NAMES = 2_000

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class Absent(Enum):
    """Why there is no file at a path."""

    MISSING = "nothing that is served"
    FOLDER = "a folder"
    FORBIDDEN = "a file that this process may not read"


class OpenFile:
    """A regular file that is open for reading, and must be closed."""

    def __init__(self, descriptor: int, stamp: Stamp, facts: Facts) -> None:
        self.descriptor = descriptor
        self.facts = facts
        self._stamp = stamp

    def check(self) -> None:
        """See that it is still as it was when it was opened; gone from its folder is no change.

        :raises FileChanged: it is not.
        """
        now = _stamp(os.fstat(self.descriptor))
        if (now.size, now.modified) != (self._stamp.size, self._stamp.modified):
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
        """Close it; once is enough."""
        if self.descriptor >= 0:
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

    def look(self, path: bytes) -> Entry | OpenFile | Absent:
        """The file at ``path``, relative and without dot segments: from memory if it is as it was, else opened.

        :raises Overloaded: no file can be opened now.
        """
        entry = self._kept.get(path)
        if entry is not None:
            if self._is_current(entry):
                return entry
            self._kept.drop(path)
        with self._found(path) as found:
            if isinstance(found, Absent):
                return found
            descriptor, status, is_direct = found
            if not stat.S_ISREG(status.st_mode):
                return Absent.FOLDER if stat.S_ISDIR(status.st_mode) else Absent.MISSING
            try:
                file = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                return _absent(error)
        return self._opened(path, file, is_direct)

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

    def _opened(self, path: bytes, descriptor: int, is_direct: bool) -> Entry | OpenFile:
        """Keep what is open if it is small, and close it then."""
        now = self._wall()
        stamp = _stamp(os.fstat(descriptor))
        file = OpenFile(descriptor, stamp, facts_of(path, stamp, now))
        if stamp.size > LARGEST_KEPT:
            return file
        try:
            content = file.read(0, stamp.size)
            file.check()
        except FileChanged:
            return file
        file.close()
        packed = pack(content) if self._packs and file.facts.worth_packing else None
        entry = Entry(path, stamp, file.facts, content, packed, is_direct)
        if stamp.is_settled(now):
            self._kept.put(entry)
        return entry

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
