"""The audit: every write and sign-in, who, in which role, what, before and after, from where; hash-chained.

A row is on disk when `append` returns. The head (number and hash of the newest row) is answered by `head`: noted
elsewhere, it shows an audit that was written anew.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import StoreError, chain
from shopfloor.plant.chain import Head
from shopfloor.services.records import connected

FILE: Final = "audit.sqlite"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entry (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, hash TEXT NOT NULL,
    time INTEGER GENERATED ALWAYS AS (json_extract(body, '$.time')) VIRTUAL,
    who TEXT GENERATED ALWAYS AS (json_extract(body, '$.who')) VIRTUAL,
    what TEXT GENERATED ALWAYS AS (json_extract(body, '$.right')) VIRTUAL);
CREATE INDEX IF NOT EXISTS entry_time ON entry (time);
CREATE INDEX IF NOT EXISTS entry_who ON entry (who);
"""
_SELECT: Final = """
SELECT sequence, body FROM entry WHERE time >= :start AND time < :end AND sequence < :below
AND (:who = '' OR who = :who) AND (:what = '' OR what = :what)
AND (:path = '' OR instr(json_extract(body, '$.path'), :path))
ORDER BY sequence DESC LIMIT :limit
"""
Entry = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: times are UTC nanoseconds, an empty text is any, numbers are below `below`."""

    start: int = 0
    end: int = 1 << 62
    who: str = ""
    what: str = ""
    path: str = ""
    below: int = 1 << 62
    limit: int = 200


class Trail:
    """The audit of one server. Any thread may call, and the command line beside it; `append` blocks for a commit."""

    def __init__(self, folder: Path, db: sqlite3.Connection) -> None:
        self._folder, self._db = folder, db
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """Open for writing; a file that cannot be used raises `StoreError`."""
        with _explained(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            db = connected(folder / FILE, _SCHEMA)
        try:
            yield cls(folder, db)
        finally:
            db.close()

    def append(self, body: Mapping[str, Any]) -> int:
        """Add an entry and answer its number. When this returns, it is on disk."""
        with _explained(self._folder), self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            before = self._newest()
            sequence, text = before[0] + 1, chain.text(dict(body))
            row = (sequence, text, chain.link(before[1], sequence, text))
            self._db.execute("INSERT INTO entry (sequence, body, hash) VALUES (?, ?, ?)", row)
        return sequence

    def entries(self, wanted: Wanted) -> list[Entry]:
        """The newest entries that are wanted, newest first."""
        values = {name: getattr(wanted, name) for name in Wanted.__slots__}
        with _explained(self._folder), self._lock:
            rows = self._db.execute(_SELECT, values).fetchall()
        return [(number, json.loads(body)) for number, body in rows]

    def head(self) -> Head:
        """Number and hash of the newest entry."""
        with _explained(self._folder), self._lock:
            return self._newest()

    def fault(self, head: Head | None = None) -> str:
        """Empty when every entry is as it was written, or what is wrong; `head` was noted elsewhere."""
        with _explained(self._folder), self._lock:
            rows = self._db.execute("SELECT sequence, body, hash FROM entry ORDER BY sequence").fetchall()
            last = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entry'").fetchone()
        return chain.fault([((number, body), noted) for number, body, noted in rows], last[0] if last else 0, head)

    def _newest(self) -> Head:
        row = self._db.execute("SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, chain.FIRST)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise StoreError(
            f"The audit in {folder} cannot be used ({problem}): see to the disk and the permissions."
        ) from problem
