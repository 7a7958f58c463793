"""The file of a `SqliteStore`: looked at before it is touched, made whole or not at all. Calls here block."""

import errno
import os
import sqlite3
import stat
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from netlab.proxy.stores.base import StoreError, StoreRefused
from netlab.proxy.stores.inspection import APPLICATION, HEADER, VERSION, objection

#: Apart from the rest of the schema, because emptying the table at once takes it away for a moment.
TRIGGER_LESS = """CREATE TRIGGER less AFTER DELETE ON entries BEGIN
    UPDATE totals SET entries = entries - 1, bytes = bytes - old.size;
END"""

#: Rows are filed under a digest because keys can be 64 kB long; ``id`` tells their order. ``totals`` is its one row's
#: name for a count that every transaction keeps true, whoever else has the file open.
_SCHEMA = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, expires REAL, size INTEGER NOT NULL, packed BLOB NOT NULL
);
CREATE INDEX expiry ON entries (expires) WHERE expires IS NOT NULL;
CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);
CREATE TRIGGER more AFTER INSERT ON entries BEGIN
    UPDATE totals SET entries = entries + 1, bytes = bytes + new.size;
END;
{TRIGGER_LESS};
"""

#: Milliseconds to wait for another process that writes to the same file.
_BUSY = 200

#: Bytes of write-ahead log that are left on the disk after a burst.
_WAL_LIMIT = 4 << 20

#: What may be well again later, of SQLite's primary result codes (https://www.sqlite.org/rescode.html) and of errno.
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
}
_PASSING_ERRNO = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE}

#: What tells of damage: a page that makes no sense, no SQLite file, a table that is missing.
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


def open_file(path: str, *, check: bool = True) -> sqlite3.Connection:
    """The connection to the store in ``path``, which is made if it is not there.

    :param check: read it through first; without, whoever opens it has just done so.
    :raises StoreRefused: the file is damaged or another program's, or cannot be used. It was not changed, and nothing
        was put beside it.
    :raises StoreError: it cannot be used now, but that may pass: there is no room, or another process holds it.
    """
    place = Path(os.path.realpath(path))
    try:
        if not _is_there(place):
            _make(place)
        elif check:
            _check(place)
        return _connect(place)
    except sqlite3.Error as error:
        refused = StoreError if _code(error) in _PASSING else StoreRefused
        raise refused(f"{path} cannot be used: {error}") from error
    except OSError as error:
        refused = StoreError if error.errno in _PASSING_ERRNO else StoreRefused
        raise refused(f"{path} cannot be used: {error.strerror or error}") from error
    except _Objection as found:
        raise StoreRefused(f"{path} {found}") from found


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, which extended ones have in their low byte; 0 if the error is not SQLite's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


class _Objection(Exception):
    """Why the file is not to be touched."""


def _is_there(place: Path) -> bool:
    """Whether there is a file with anything in it."""
    try:
        found = place.stat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode):
        raise _Objection("is no file")
    return found.st_size > 0


def _check(place: Path) -> None:
    """Read the file through and change nothing.

    What a killed proxy left in the write-ahead log belongs to the content, so it is read with that if there is one;
    and as immutable if not, because SQLite would put files beside it otherwise.
    """
    log, index = (place.with_name(place.name + end) for end in ("-wal", "-shm"))
    has_log, had_index = log.exists(), index.exists()
    with place.open("rb") as file:
        reason = objection(file.read(HEADER), None if has_log else place.stat().st_size)
    if reason is not None:
        raise _Objection(reason)
    sound = False
    connection = sqlite3.connect(_uri(place, "mode=ro" if has_log else "mode=ro&immutable=1"), uri=True)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _Objection(f"is damaged: {' '.join(str(found).split())}")
        connection.execute("SELECT id, digest, expires, size, packed, entries, bytes FROM entries, totals LIMIT 1")
        sound = True
    except sqlite3.DatabaseError as error:
        if _code(error) in _DAMAGE:
            raise _Objection(f"is damaged: {error}") from error
        raise
    finally:
        connection.close()
        if not sound and not had_index:
            index.unlink(missing_ok=True)


def _make(place: Path) -> None:
    """Make an empty store, whole before it has its name; one that another process makes at the same time wins."""
    descriptor, name = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".new", dir=place.parent)
    os.close(descriptor)
    try:
        with closing(sqlite3.connect(name)) as connection:
            connection.executescript(f"BEGIN; {_SCHEMA} COMMIT; PRAGMA journal_mode = WAL;")
        if place.exists():  # and empty
            os.replace(name, place)
        else:
            _give_name(name, place)
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(name + end).unlink(missing_ok=True)


def _give_name(name: str, place: Path) -> None:
    """Link, which another process's file is safe from, where the file system has links."""
    try:
        os.link(name, place)
    except FileExistsError:
        return
    except OSError:
        os.replace(name, place)


def _connect(place: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(_uri(place, "mode=rw"), uri=True, isolation_level=None, timeout=_BUSY / 1000)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except BaseException:
        connection.close()
        raise
    return connection


def _uri(place: Path, parameters: str) -> str:
    return f"file:{quote(str(place))}?{parameters}"
