"""What a `SqliteStore` does with its file, one piece of work at a time. Calls here block, and belong in one thread."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import field, frozen, validators

from netlab.proxy.entry import Entry
from netlab.proxy.stores.packing import MAX_PACKED, digest_of, pack, unpack
from netlab.proxy.stores.sqlite_file import TRIGGER_LESS, open_file

#: Rows that are deleted in one piece of work, so that others have their turn between.
STEP = 500

#: Rows that are looked through for keys in one piece of work.
PAGE = 200

#: Of a row: it has not expired, and is no longer than an entry can be, whoever wrote it.
_USABLE = f"(expires IS NULL OR expires > ?) AND length(packed) <= {MAX_PACKED}"


@frozen
class SqliteBounds:
    """How much the file may hold; ``max_bytes`` counts keys and answers, and the file is about a tenth larger."""

    max_entries: int = field(default=1_000_000, validator=validators.ge(0))
    max_bytes: int = field(default=1 << 30, validator=validators.ge(0))


@frozen
class Work:
    """Something to do with a table, and whether it changes it."""

    do: "Callable[[Table], Any]"
    writes: bool


class Table:
    """The rows of one file. Every method but `perform` may raise `sqlite3.Error`."""

    def __init__(self, path: str, bounds: SqliteBounds, run: bytes, *, check: bool = True) -> None:
        self._connection = open_file(path, check=check)
        self._bounds = bounds
        self._run = run
        #: Rows that were not what this program wrote, and rows that had to go for others.
        self.malformed = 0
        self.evicted = 0

    def perform(self, batch: Sequence[Work]) -> list[Any]:
        """Do all of ``batch`` in order, what it writes in one transaction: the results, or the errors in their place.

        A failed write fails all writes of the batch, for nothing of it is stored then.
        """
        failure: Exception | None = None
        if any(work.writes for work in batch):
            failure = self._failure(partial(self._connection.execute, "BEGIN IMMEDIATE"))
        results: list[Any] = []
        for work in batch:
            if work.writes and failure is not None:
                results.append(failure)
                continue
            result = self._attempt(partial(work.do, self))
            results.append(result)
            if work.writes and isinstance(result, Exception):
                failure = result
                self._roll_back()
        if self._connection.in_transaction:
            failure = self._failure(self._connection.commit)
            if failure is not None:
                self._roll_back()
        if failure is not None:
            results = [failure if work.writes else result for work, result in zip(batch, results, strict=True)]
        return results

    def get(self, key: bytes, now: float) -> Entry | None:
        """The entry for ``key`` unless it has expired at ``now``, unix seconds."""
        row = self._connection.execute(
            f"SELECT packed FROM entries WHERE digest = ? AND {_USABLE}", (digest_of(key), now)
        ).fetchone()
        if row is None:
            return None
        found = unpack(row[0], self._run)
        if found is None or found[0] != key:
            self.malformed += 1
            return None
        return found[1]

    def put(self, key: bytes, entry: Entry, expires: float) -> None:
        """Store an entry until ``expires``, unix seconds, and let the oldest go for it."""
        self.remove(key)
        packed = pack(key, entry, self._run)
        self._connection.execute(
            "INSERT INTO entries (digest, expires, size, packed) VALUES (?, ?, ?, ?)",
            (digest_of(key), None if math.isinf(expires) else expires, len(packed), packed),
        )
        for _ in range(STEP):
            if not self._is_too_full():
                break
            self.evicted += self._connection.execute(
                "DELETE FROM entries WHERE id = (SELECT min(id) FROM entries)"
            ).rowcount

    def remove(self, key: bytes) -> bool:
        """Remove the row for ``key``; whether there was one."""
        return self._connection.execute("DELETE FROM entries WHERE digest = ?", (digest_of(key),)).rowcount > 0

    def clear(self) -> int:
        """Remove all rows; how many there were.

        Without the trigger that counts each, SQLite empties the table as a whole
        (https://www.sqlite.org/lang_delete.html, "The Truncate Optimization"): some twenty times as fast.
        """
        execute = self._connection.execute
        entries: int = execute("SELECT entries FROM totals").fetchone()[0]
        execute("DROP TRIGGER IF EXISTS less")
        execute("DELETE FROM entries")
        execute("UPDATE totals SET entries = 0, bytes = 0")
        execute(TRIGGER_LESS)
        return entries

    def expire(self, now: float) -> int:
        """Remove some rows that have expired at ``now``; how many. Less than `STEP` were the last."""
        return self._connection.execute(
            f"DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE expires <= ? LIMIT {STEP})", (now,)
        ).rowcount

    def keys(self, first: bytes, last: bytes, now: float) -> list[tuple[bytes, bytes | None]]:
        """The next `PAGE` digests from ``first`` to ``last``, and the key of each row that is ours."""
        rows = self._connection.execute(
            f"SELECT digest, packed FROM entries WHERE digest BETWEEN ? AND ? AND {_USABLE}"
            f" ORDER BY digest LIMIT {PAGE}",
            (first, last, now),
        )
        return [(bytes(digest), self._key_of(digest, packed)) for digest, packed in rows]

    def close(self) -> None:
        """Let go of the file; SQLite tidies up its write-ahead log."""
        self._connection.close()

    def _key_of(self, digest: bytes, packed: object) -> bytes | None:
        found = unpack(packed, self._run)
        return found[0] if found is not None and digest_of(found[0]) == digest else None

    def _is_too_full(self) -> bool:
        entries, size = self._connection.execute("SELECT entries, bytes FROM totals").fetchone()
        return bool(entries and (entries > self._bounds.max_entries or size > self._bounds.max_bytes))

    def _failure(self, what: Callable[[], Any]) -> Exception | None:
        result = self._attempt(what)
        return result if isinstance(result, Exception) else None

    def _attempt(self, what: Callable[[], Any]) -> Any:
        try:
            return what()
        except Exception as error:  # one row that another program wrote must not end the thread
            return error

    def _roll_back(self) -> None:
        """End the transaction, which SQLite may have done by itself (https://www.sqlite.org/lang_transaction.html)."""
        if self._connection.in_transaction:
            self._attempt(partial(self._connection.execute, "ROLLBACK"))
