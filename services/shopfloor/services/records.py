"""A service's own small SQLite file: durable when a statement returns, safe from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, Self

from shopfloor.plant import StoreError

PATIENCE_S: Final = 10.0
"""How long another process that writes the same file is waited for."""


def connected(
    file: Path, schema: str, synchronous: str = "FULL", isolation_level: Literal["DEFERRED"] | None = None
) -> sqlite3.Connection:
    """Open or make a small SQLite file (WAL) for all threads; with no isolation level a statement is a transaction."""
    db = sqlite3.connect(file, PATIENCE_S, check_same_thread=False, isolation_level=isolation_level)
    try:
        db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; {schema}")
    except BaseException:
        db.close()
        raise
    return db


class Records:
    """A context on one file; `what` is what it holds, in the plural, for sentences.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as at, Records(Path(at) / "r.db", "CREATE TABLE r (n)", "notes") as notes:
    ...     with notes.together():
    ...         _ = notes.do("INSERT INTO r VALUES (?)", (7,))
    ...     notes.do("SELECT n FROM r").fetchone()
    (7,)
    """

    def __init__(self, file: Path, schema: str, what: str) -> None:
        self._file, self._schema, self._what = file, schema, what
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._db = connected(self._file, self._schema)
            self._bring_up_to_date(self._db)
        except (OSError, sqlite3.Error) as problem:
            raise StoreError(f"The {self._what} in {self._file} cannot be opened ({problem}).") from problem
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def do(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement; what the disk refuses raises `StoreError`."""
        with self._lock:
            if self._db is None:
                raise StoreError(f"The {self._what} are closed: the server stops.")
            try:
                return self._db.execute(sql, values)
            except sqlite3.OperationalError as problem:
                raise StoreError(f"The {self._what} in {self._file} cannot be used ({problem}).") from problem

    @property
    def changes(self) -> int:
        """Grows with every row that is written."""
        with self._lock:
            return -1 if self._db is None else self._db.total_changes

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

    def _bring_up_to_date(self, db: sqlite3.Connection) -> None:
        """What a file of an earlier version needs."""
