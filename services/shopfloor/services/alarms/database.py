"""The one small SQLite file of the alarms: durable when a statement returns, safe from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import StoreError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, asset TEXT, state TEXT NOT NULL,
    since INTEGER NOT NULL, returned INTEGER, by TEXT, seen INTEGER, note TEXT, condition TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_open_alarm ON alarms (key) WHERE state != 'closed';
CREATE INDEX IF NOT EXISTS alarms_since ON alarms (since);
CREATE INDEX IF NOT EXISTS alarms_key ON alarms (key, id);
CREATE TABLE IF NOT EXISTS asides (
    key TEXT NOT NULL, kind TEXT NOT NULL, by TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
    reason TEXT NOT NULL, alarm INTEGER NOT NULL, PRIMARY KEY (key, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    sentence TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_time ON events (time);
CREATE INDEX IF NOT EXISTS events_alarm ON events (json_extract(detail, '$.alarm'), id);
"""
_ADDED: Final = {"first_out": "INTEGER NOT NULL DEFAULT 0"}
"""Columns of `alarms` that older files do not have."""


class Database:
    """A context on `<folder>/alarms.db`."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "alarms.db"
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
            self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
            self._add_columns(self._db)
        except (OSError, sqlite3.Error) as problem:
            raise StoreError(f"The alarms in {self._file} cannot be opened ({problem}).") from problem
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def do(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement; what the disk refuses raises `StoreError`."""
        with self._lock:
            if self._db is None:
                raise StoreError("The alarms are closed: the server stops.")
            try:
                return self._db.execute(sql, values)
            except sqlite3.OperationalError as problem:
                raise StoreError(f"The alarms in {self._file} cannot be used ({problem}).") from problem

    @contextmanager
    def together(self) -> Iterator[None]:
        """All statements of the block, or none; a block within a block belongs to the outer one."""
        with self._lock:
            if self._db is not None and self._db.in_transaction:
                yield
                return
            self.do("BEGIN IMMEDIATE")
            try:
                yield
                self.do("COMMIT")
            finally:
                if self._db is not None and self._db.in_transaction:
                    self.do("ROLLBACK")

    @staticmethod
    def _add_columns(db: sqlite3.Connection) -> None:
        there = {row[1] for row in db.execute("PRAGMA table_info(alarms)")}
        for name, kind in _ADDED.items():
            if name not in there:
                db.execute(f"ALTER TABLE alarms ADD COLUMN {name} {kind}")
