"""The log: one SQLite database whose commit is the acknowledgement.

A log row is a batch as Arrow IPC. The catalogue of tags and segments lives in the same database, so that publishing
a segment and deleting the log rows it holds is one transaction.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.plant import BatchError, RejectedError, SinkUnavailable, StoreError
from shopfloor.plant.counted import counted
from shopfloor.services.historian.sequence import SequenceGap, SourceLedger

VERSION: Final = 4

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
    precedence INTEGER, level INTEGER, start INTEGER, stop INTEGER, groups BLOB, minutes BLOB, hours BLOB, gone BLOB);
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
}
"""From a schema to the next one."""

_INCREMENTAL: Final = 2
_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


@dataclass(frozen=True, slots=True)
class Account:
    """What a gateway says about a batch: its own name, the sequence, the source, the source's accepted values."""

    gateway: str
    sequence: int
    source: str
    accepted: int
    values: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A log row without its body; `source` and `values` are None where an older version wrote it."""

    id: int
    gateway: str
    sequence: int
    source: str | None
    values: int | None
    crc: int | None


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
        query = "SELECT id, gateway, sequence, source, rows, crc FROM log WHERE id > ? ORDER BY id LIMIT ?"
        return [Entry(*row) for row in self._connection.execute(query, (after, most))]

    def body(self, entry: Entry) -> bytes:
        """The bytes of a log row as they were committed; damaged ones raise `BatchError`."""
        try:
            (body,) = self._connection.execute("SELECT body FROM log WHERE id = ?", (entry.id,)).fetchone()
        except sqlite3.DatabaseError as problem:
            raise BatchError(f"The database cannot read it: {problem}.") from problem
        if entry.crc is not None and zlib.crc32(body) != entry.crc:
            raise BatchError(f"Its {len(body)} bytes have another checksum than when they were committed.")
        return bytes(body)

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


def is_repeated(db: sqlite3.Connection, account: Account) -> bool:
    """Whether the batch was stored (or refused) before. A gap raises `SequenceGap`."""
    known = db.execute("SELECT first, last FROM gateways WHERE gateway = ?", (account.gateway,)).fetchone()
    if known is None:
        return False
    first, last = known
    if account.sequence > last + 1:
        raise SequenceGap(account.gateway, account.sequence, last + 1)
    if account.sequence < first:
        raise RejectedError(
            f"Batch {account.sequence} of gateway {account.gateway} is older than {first}, the first this store knows:"
            " import it as a recording if its values are missing."
        )
    return bool(account.sequence <= last)


def repeat(db: sqlite3.Connection, account: Account) -> None:
    """Count a batch that came again."""
    db.execute(
        "UPDATE sources SET repeated = repeated + ? WHERE gateway = ? AND source = ?",
        (account.values, account.gateway, account.source),
    )


def append(db: sqlite3.Connection, account: Account, body: bytes) -> int:
    """Keep a batch and count it; answers the id of its log row."""
    row = db.execute(
        "INSERT INTO log(gateway, sequence, source, rows, crc, body) VALUES (?, ?, ?, ?, ?, ?)",
        (account.gateway, account.sequence, account.source, account.values, zlib.crc32(body), body),
    )
    book(db, account, stored=account.values)
    return int(row.lastrowid or 0)


def forget(db: sqlite3.Connection, spans: Sequence[tuple[int, int]]) -> None:
    """Delete log rows whose values lie in a segment: those with an id in one of the spans, both ends included."""
    db.executemany("DELETE FROM log WHERE id BETWEEN ? AND ?", spans)


def note_gap(db: sqlite3.Connection, account: Account) -> None:
    """Count what a gateway that is ahead delivered elsewhere; it counts until the gateway goes on where expected."""
    _open_account(db, account, 1)
    db.execute(
        "UPDATE sources SET missing = max(0, ? - (baseline + drift + stored + rejected + dropped + damaged))"
        " WHERE gateway = ? AND source = ?",
        (account.accepted - account.values, account.gateway, account.source),
    )


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


def reject(db: sqlite3.Connection, account: Account, sentence: str) -> None:
    """Keep why a batch was refused, and count it."""
    db.execute(
        "INSERT OR REPLACE INTO rejections VALUES (?, ?, ?, ?, ?)",
        (account.gateway, account.sequence, account.source, account.values, sentence),
    )
    book(db, account, rejected=account.values)


def drop(db: sqlite3.Connection, account: Account) -> None:
    """Count what a full spool gave up; its sequence is the last one of the hole."""
    book(db, account, dropped=account.values)


def book(db: sqlite3.Connection, account: Account, stored: int = 0, rejected: int = 0, dropped: int = 0) -> None:
    """Move the gateway's sequence on and check its counter against ours."""
    new = db.execute("SELECT first FROM gateways WHERE gateway = ?", (account.gateway,)).fetchone()
    first = account.sequence if new is None else int(new[0])
    db.execute("INSERT OR REPLACE INTO gateways VALUES (?, ?, ?)", (account.gateway, first, account.sequence))
    _open_account(db, account, first)
    db.execute("UPDATE sources SET missing = 0 WHERE gateway = ? AND missing <> 0", (account.gateway,))
    db.execute(
        "UPDATE sources SET accepted = ?, stored = stored + ?, rejected = rejected + ?, dropped = dropped + ?"
        " WHERE gateway = ? AND source = ?",
        (account.accepted, stored, rejected, dropped, account.gateway, account.source),
    )
    _check(db, account)


def _open_account(db: sqlite3.Connection, account: Account, first: int) -> None:
    """A source seen for the first time. Only a gateway that is older than the store may have counted before."""
    earlier = account.accepted - account.values
    baseline = earlier if first > 1 and earlier > 0 else 0
    sentence = ""
    if baseline:
        sentence = (
            f"This store knows gateway {account.gateway} from batch {first} on:"
            f" {baseline} earlier values of {account.source} were stored elsewhere."
        )
    db.execute(
        "INSERT OR IGNORE INTO sources VALUES (?, ?, 0, 0, 0, 0, ?, 0, 0, ?, 0, 0, 0)",
        (account.gateway, account.source, baseline, sentence),
    )


def _check(db: sqlite3.Connection, account: Account) -> None:
    key = (account.gateway, account.source)
    ours = int(
        db.execute(
            "SELECT baseline + drift + stored + rejected + dropped + damaged FROM sources"
            " WHERE gateway = ? AND source = ?",
            key,
        ).fetchone()[0]
    )
    if ours == account.accepted:
        return
    off = counted(abs(account.accepted - ours), "value is", "values are")
    sentence = (
        f"At batch {account.sequence} gateway {account.gateway} had accepted {counted(account.accepted, 'value')} of"
        f" {account.source}, this store counts {ours:,}: {off}"
        f" {'missing' if account.accepted > ours else 'too many'}; look at the gateway's log around that batch."
    )
    db.execute(
        "UPDATE sources SET drift = drift + ?, mismatches = mismatches + 1, sentence = ?"
        " WHERE gateway = ? AND source = ?",
        (account.accepted - ours, sentence, *key),
    )


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
        return StoreError(f"{path} is damaged ({problem}): restore it from a backup.")
    return SinkUnavailable(f"{path} did not take the batch ({problem}): it will be tried again.")
