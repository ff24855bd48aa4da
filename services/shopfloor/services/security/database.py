"""The small database of accounts and sessions: `<data>/secrets/accounts.sqlite`, readable by its owner only.

The command line may change it while the server runs: every question asks the file anew.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from shopfloor.plant import StoreError
from shopfloor.services.records import connected

FILE: Final = "accounts.sqlite"
_LATER: Final = {"way": "'account'", "subject": "''"}
"""Columns that a file of an earlier version lacks, and what they hold for an account of a password."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, created REAL NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0, seen REAL, way TEXT NOT NULL DEFAULT 'account',
    subject TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, way TEXT NOT NULL, role TEXT NOT NULL, began REAL NOT NULL,
    used REAL NOT NULL, until REAL NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS session_owner ON session (owner);
"""


class Database:
    """One connection, shared by all threads; the file is made with the first change."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "secrets" / FILE
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a question; none while there is no file. One that cannot be used raises `StoreError`."""
        with self._explained(), self._lock:
            if self._db is None and not self._file.exists():
                return []
            return self._opened().execute(statement, values).fetchall()

    def change(self, statement: str, *values: Any) -> int:
        """How many rows a statement changed; they are on disk when this returns."""
        with self._explained(), self._lock:
            return self._opened().execute(statement, values).rowcount

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
            self._db = None

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.parent.chmod(0o700)
            self._file.touch(mode=0o600)
            db = connected(self._file, _SCHEMA)
            _bring_up_to_date(db)
            self._db = db
        return self._db

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as problem:
            raise StoreError(
                f"The accounts in {self._file} cannot be used ({problem}): see to the disk and the permissions;"
                " until then nobody signs in."
            ) from problem


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    known = {row[1] for row in db.execute("PRAGMA table_info(account)")}
    for column, value in _LATER.items():
        if column not in known:
            db.execute(f"ALTER TABLE account ADD COLUMN {column} TEXT NOT NULL DEFAULT {value}")
