"""Glue: writing a bundle into a folder, and reading one that a stranger made, from a folder or a ZIP file.

Nothing in a bundle is believed before it is looked at. Only files of known names are read, each up to a limit; nothing
is unpacked onto the disk; no link is followed.
"""

import errno
import os
import platform
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath

from attrs import evolve, frozen

from netlab import __version__
from netlab.lab import events
from netlab.lab.commenting import commented
from netlab.lab.errors import BadBundle, CannotRun
from netlab.lab.manifest import CAPTURE, EVENTS, LIMITS, MANIFEST, MARKDOWN, REPORT, Versions, manifest_text
from netlab.lab.report import markdown, page
from netlab.lab.report.written import Written
from netlab.lab.result import Result
from netlab.lab.words.loading import language

MAX_ZIP, MAX_ENTRIES, MAX_BUNDLES = 256 << 20, 4_096, 512
#: Folders that bundles may lie in: a student's in a class's.
_DEPTH = 2
#: What desktops leave in folders and ZIP files; it is neither read nor minded.
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
_LITTER_FOLDER = "__MACOSX"
#: The first bytes of an entry in a ZIP file's directory (PKWARE APPNOTE 4.3.12).
_ENTRY = b"PK\x01\x02"


@frozen
class Bundle:
    """The ``files`` of one bundle by name; ``name`` is that of its folder. ``trouble`` says why it cannot be read."""

    name: str
    files: Mapping[str, bytes] = {}
    trouble: str = ""


def files_of(result: Result, code: str) -> dict[str, bytes]:
    """All files of a bundle, the manifest last. They depend on nothing but what was captured and said."""
    if result.capture is not None:
        result = _with_comments(result)
    files = {EVENTS: events.written(result.evidence.events).encode()}
    if result.capture is not None:
        files[CAPTURE] = result.capture
    files.update(reports_of(result, code))
    versions = Versions(__version__, platform.python_version(), f"{platform.system()} {platform.release()}")
    files[MANIFEST] = manifest_text(result, code, versions, files).encode()
    return files


def reports_of(result: Result, code: str) -> dict[str, bytes]:
    """The reports of a result whose capture has its comments."""
    written, words = Written(result), language(code)
    return {
        REPORT: "".join(page.report(written, words)).encode(),
        MARKDOWN: "".join(f"{line}\n" for line in markdown.report(Written(result), words)).encode(),
    }


def _with_comments(result: Result) -> Result:
    assert result.capture is not None
    about = f"netlab lab run {result.experiment.name}: {result.experiment.title.message}"
    return evolve(result, capture=commented(result.capture, result.comments(), about))


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a bundle; those of an older one in the same place are replaced.

    The manifest is written last, so a bundle that is interrupted is none, and the next may be written over it.

    :raises CannotRun: something else is there, or the disk takes no more.
    """
    check_place(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST, *LIMITS):
            (folder / name).unlink(missing_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise CannotRun(f"cannot write {folder}: {error.strerror}") from None


def check_place(folder: Path) -> None:
    """See that a bundle may be written there, and change nothing.

    :raises CannotRun: it may not, or something else is there.
    """
    try:
        others = [each for each in folder.iterdir() if each.name not in (*LIMITS, *_LITTER)] if folder.exists() else []
    except OSError as error:
        raise CannotRun(f"cannot write {folder}: {error.strerror}") from None
    if others and not (folder / MANIFEST).exists():
        raise CannotRun(f"{folder} has other files in it; give another --out")
    above = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise CannotRun(f"cannot write {folder}: {os.strerror(errno.EACCES)}; give another --out")


def bundles(path: str) -> Iterator[Bundle]:
    """The bundles in a folder, in the folders and ZIP files in it, or in a ZIP file of either, one after the other.

    One that cannot be read, or that nobody should open, is there with its trouble, and keeps nobody from the others.
    """
    place = Path(path)
    found = False
    try:
        for one in _in_folder(place) if place.is_dir() else _in_zip(place):
            found = True
            yield one
    except (BadBundle, OSError) as error:
        yield Bundle(path, trouble=_trouble(error))
    else:
        if not found:
            yield Bundle(path, trouble=f"there is no {MANIFEST}: it is no bundle of netlab lab")


def _trouble(error: BadBundle | OSError) -> str:
    return str(error) if isinstance(error, BadBundle) else f"it cannot be read: {error.strerror}"


def _in_folder(place: Path) -> Iterator[Bundle]:
    if os.path.lexists(place / MANIFEST):
        yield _folder(place)
        return
    marked = list(islice(_marked(place, _DEPTH), MAX_BUNDLES + 1))
    for entry in marked[:MAX_BUNDLES]:
        name = str(entry.relative_to(place))
        for one in bundles(str(entry)):
            yield evolve(one, name=f"{name}/{one.name}" if entry.is_file() and not one.trouble else name)
    if len(marked) > MAX_BUNDLES:
        raise BadBundle(f"{place} has more than {MAX_BUNDLES} bundles; the others were not looked at")


def _marked(place: Path, depth: int) -> Iterator[Path]:
    """The bundles and ZIP files in a folder and, ``depth`` deep, in those in it; what nobody may open is there too."""
    for entry in sorted(place.iterdir()):
        if entry.is_symlink():
            continue
        closed = entry.is_dir() and not os.access(entry, os.R_OK | os.X_OK)
        if closed or entry.suffix.lower() == ".zip" or os.path.lexists(entry / MANIFEST):
            yield entry
        elif depth > 1 and entry.is_dir():
            yield from _marked(entry, depth - 1)


def _folder(place: Path) -> Bundle:
    names = sorted(entry.name for entry in os.scandir(place) if entry.name not in _LITTER)
    if len(names) > MAX_ENTRIES:
        raise BadBundle(f"{place} has more than {MAX_ENTRIES:,} files")
    _check_names(names)
    return Bundle(place.absolute().name, {name: _file(place / name, LIMITS[name]) for name in names})


def _file(path: Path, limit: int) -> bytes:
    """The bytes of a plain file; a link, a pipe or a device is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadBundle(f"{path.name} is no plain file")
        return _bounded(file.read(limit + 1), path.name, limit)


def _bounded(data: bytes, name: str, limit: int) -> bytes:
    if len(data) > limit:
        raise BadBundle(f"{name} has more than {limit:,} bytes")
    return data


def _check_names(names: list[str]) -> None:
    strangers = [name for name in names if name not in LIMITS]
    if strangers:
        raise BadBundle(f"{strangers[0][:100]!r} belongs to no bundle")


def _in_zip(path: Path) -> list[Bundle]:
    data = _file(path, MAX_ZIP)
    if data.count(_ENTRY) > MAX_ENTRIES:
        raise BadBundle(f"{path.name} has more than {MAX_ENTRIES:,} entries")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _entries(archive, path.stem)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BadBundle(f"{path.name} is no ZIP file that can be read: {error}") from None


def _entries(archive: zipfile.ZipFile, stem: str) -> list[Bundle]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
    found: dict[str, dict[str, bytes]] = {}
    room = MAX_ZIP
    for entry in entries:
        folder, name = _place(entry.filename)
        files = found.setdefault(folder, {})
        if name in files:
            raise BadBundle(f"{entry.filename[:100]!r} is there twice")
        files[name] = _unpacked(archive, entry, name, min(room, LIMITS[name]))
        room -= len(files[name])
    if len(found) > MAX_BUNDLES:
        raise BadBundle(f"the ZIP file has more than {MAX_BUNDLES} bundles")
    return [Bundle(folder or stem, files) for folder, files in sorted(found.items())]


def _is_litter(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and (parts[0] == _LITTER_FOLDER or parts[-1] in _LITTER)


def _place(path: str) -> tuple[str, str]:
    """The folder and the name of an entry; a path that leads anywhere else is refused, though nothing is unpacked."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts or len(parts) > _DEPTH + 1:
        raise BadBundle(f"the path {path[:100]!r} leads out of the bundle")
    _check_names([parts[-1]])
    return "/".join(parts[:-1]), parts[-1]


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limit: int) -> bytes:
    """The bytes of an entry, up to the limit whatever it says of itself."""
    if entry.file_size > limit:
        raise BadBundle(f"{name} would have {entry.file_size:,} bytes; {limit:,} are read")
    with archive.open(entry) as file:
        return _bounded(file.read(limit + 1), name, limit)
