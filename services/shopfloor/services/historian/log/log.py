"""The log: one SQLite database whose commit is the acknowledgement.

A log row is a batch as Arrow IPC. The catalogue of tags and segments lives in the same database, so that publishing
a segment and deleting the log rows it holds is one transaction.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.services.historian.log.accounts import Account, book
from shopfloor.services.historian.log.logged import Entry, body, entries
from shopfloor.services.historian.log.sequence import SourceLedger
from shopfloor.services.historian.trouble import RESTORE

VERSION: Final = 5

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tags(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, kinds INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS gateways(gateway TEXT PRIMARY KEY, first INTEGER, last INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources(
    gateway TEXT, source TEXT, accepted INTEGER, stored INTEGER, rejected INTEGER, repeated INTEGER,
    baseline INTEGER, drift INTEGER, mismatches INTEGER, sentence TEXT, damaged INTEGER NOT NULL DEFAULT 0,
    missing INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(gateway, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log(
    id INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT, sequence INTEGER, source TEXT, rows INTEGER, crc INTEGER,
    body BLOB, UNIQUE(gateway, sequence));
CREATE TABLE IF NOT EXISTS damaged(
    id INTEGER PRIMARY KEY, gateway TEXT, sequence INTEGER, source TEXT, rows INTEGER, sentence TEXT);
CREATE TABLE IF NOT EXISTS segments(
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, day TEXT, name TEXT UNIQUE, rows INTEGER, size INTEGER,
    precedence INTEGER, level INTEGER, start INTEGER, stop INTEGER, groups BLOB, minutes BLOB, hours BLOB, gone BLOB,
    states BLOB);
CREATE TABLE IF NOT EXISTS mirrored(segment INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS rejections(
    gateway TEXT, sequence INTEGER, source TEXT, rows INTEGER, sentence TEXT, PRIMARY KEY(gateway, sequence));
"""

_UPGRADES: Final = {
    1: """
ALTER TABLE sources ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log ADD COLUMN source TEXT;
ALTER TABLE log ADD COLUMN rows INTEGER;
ALTER TABLE log ADD COLUMN crc INTEGER;
""",
    2: "ALTER TABLE sources ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;",
    3: """
CREATE TABLE IF NOT EXISTS segments(
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, day TEXT, name TEXT UNIQUE, rows INTEGER, size INTEGER,
    precedence INTEGER, level INTEGER, start INTEGER, stop INTEGER, groups BLOB, minutes BLOB, hours BLOB);
ALTER TABLE segments ADD COLUMN gone BLOB;
""",
    4: "ALTER TABLE segments ADD COLUMN states BLOB;",
}
"""From a schema to the next one."""

_INCREMENTAL: Final = 2
_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


class Log:
    """The database. One thread at a time may use it: the historian's writing lock guards it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _connect(path)

    def close(self) -> None:
        """Checkpoint and close."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; a disk that does not take it raises `SinkUnavailable`."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as problem:
            self._undo()
            raise _sentence(self.path, problem) from problem
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def entries(self, after: int, most: int) -> list[Entry]:
        """The next log rows after an id, in the order of commits."""
        return entries(self._connection, after, most)

    def body(self, entry: Entry) -> bytes:
        """The bytes of a log row as they were committed; damaged ones raise `BatchError`."""
        return body(self._connection, entry)

    def shrink(self, most: int, keep: int) -> bool:
        """Give up to `most` free pages back to the disk, all but `keep`; answers whether more are left."""
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (kind,) = self._connection.execute("PRAGMA auto_vacuum").fetchone()
        if free <= keep or kind != _INCREMENTAL:
            return False
        try:
            self._connection.executescript(f"PRAGMA incremental_vacuum({min(most, free - keep)})")
        except sqlite3.Error as problem:
            raise _sentence(self.path, problem) from problem
        return bool(free - most > keep)

    def tags(self) -> list[tuple[int, str, int]]:
        """(id, path, kinds) of every tag."""
        return list(self._connection.execute("SELECT id, path, kinds FROM tags ORDER BY id"))

    def meta(self, key: str) -> bytes | None:
        """A value kept beside the log."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def ledger(self) -> list[SourceLedger]:
        """The account of every source."""
        query = (
            "SELECT gateway, source, accepted, stored, rejected, repeated, baseline, mismatches, damaged, missing,"
            " dropped, sentence FROM sources ORDER BY gateway, source"
        )
        return [SourceLedger(*row) for row in self._connection.execute(query)]


def append(db: sqlite3.Connection, account: Account, data: bytes) -> int:
    """Keep a batch and count it; answers the id of its log row."""
    row = db.execute(
        "INSERT INTO log(gateway, sequence, source, rows, crc, body) VALUES (?, ?, ?, ?, ?, ?)",
        (account.gateway, account.sequence, account.source, account.values, zlib.crc32(data), data),
    )
    book(db, account, stored=account.values)
    return int(row.lastrowid or 0)


def forget(db: sqlite3.Connection, spans: Sequence[tuple[int, int]]) -> None:
    """Delete log rows whose values lie in a segment: those with an id in one of the spans, both ends included."""
    db.executemany("DELETE FROM log WHERE id BETWEEN ? AND ?", spans)


def set_aside(db: sqlite3.Connection, entry: Entry, sentence: str) -> None:
    """Write down that a log row is damaged, and count its values as such."""
    rows = entry.values or 0
    known = db.execute(
        "INSERT OR IGNORE INTO damaged VALUES (?, ?, ?, ?, ?, ?)",
        (entry.id, entry.gateway, entry.sequence, entry.source, rows, sentence),
    )
    if known.rowcount:
        db.execute(
            "UPDATE sources SET stored = stored - ?, damaged = damaged + ?, sentence = ?"
            " WHERE gateway = ? AND source = ?",
            (rows, rows, sentence, entry.gateway, entry.source),
        )
    db.execute("DELETE FROM log WHERE id = ?", (entry.id,))


def _connect(path: Path) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("PRAGMA wal_autocheckpoint = 500")
        connection.execute("PRAGMA journal_size_limit = 64000000")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version < VERSION:
            upgrade = "".join(_UPGRADES[step] for step in range(version, VERSION)) if version else ""
            connection.executescript(f"BEGIN;{upgrade}{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
    except sqlite3.Error as problem:
        if connection is not None:
            connection.close()
        raise StoreError(f"{path} cannot be opened ({problem}): expected the store's own database.") from problem
    if version > VERSION:
        connection.close()
        raise StoreError(
            f"{path} was written by a newer Shopfloor (schema {version}, this one knows {VERSION}): update Shopfloor."
        )
    return connection


def _sentence(path: Path, problem: sqlite3.Error) -> StoreError | SinkUnavailable:
    primary = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return SinkUnavailable(f"The disk of {path.parent} is full: free space, then it goes on by itself.")
    if primary in _FULL:
        return SinkUnavailable(f"{path.parent} cannot be written ({problem}): make it writable, then it goes on.")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(f"{path} is damaged ({problem}): {RESTORE}.")
    return SinkUnavailable(f"{path} did not take the batch ({problem}): it will be tried again.")
