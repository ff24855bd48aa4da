"""What an edge node could not send yet: a file of its own, oldest first, bounded by bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shopfloor.plant import Batch, StoreError

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS batch (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass(slots=True)
class Backlog:
    """Batches in order; when `limit` bytes are exceeded the oldest go, counted in `dropped` (values).

    >>> from tempfile import TemporaryDirectory
    >>> from shopfloor.plant import Sample
    >>> with TemporaryDirectory() as folder, Backlog.open(Path(folder) / "b.sqlite", 1_000_000) as backlog:
    ...     backlog.put([Batch.of([Sample("a/b/c/d/e/t", 1, 2.0)])])
    ...     [(len(batch), backlog.forget(number)) for number, batch in backlog.oldest(10)], len(backlog)
    ([(1, None)], 0)
    """

    limit: int
    _db: sqlite3.Connection
    dropped: int = 0
    bytes: int = 0

    @classmethod
    @contextmanager
    def open(cls, file: Path, limit: int) -> Iterator[Backlog]:
        """Open or create the file; `StoreError` says why it cannot serve."""
        try:
            with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as db:
                db.executescript(_SCHEMA)
                (size,) = db.execute("SELECT coalesce(sum(length(data)), 0) FROM batch").fetchone()
                yield cls(limit, db, bytes=size)
        except sqlite3.Error as problem:
            raise StoreError(f"The file {file} of the Sparkplug node cannot be used ({problem}).") from problem

    def put(self, batches: Sequence[Batch]) -> None:
        """Keep these batches after those that are there."""
        rows = [(len(batch), batch.to_bytes()) for batch in batches]
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO batch (amount, data) VALUES (?, ?)", rows)
        self.bytes += sum(len(data) for _, data in rows)
        while self.bytes > self.limit:
            number, amount, size = self._db.execute(
                "SELECT number, amount, length(data) FROM batch ORDER BY number LIMIT 1"
            ).fetchone()
            self._db.execute("DELETE FROM batch WHERE number = ?", (number,))
            self.bytes -= size
            self.dropped += amount
        self._db.execute("COMMIT")

    def oldest(self, most: int) -> list[tuple[int, Batch]]:
        """The oldest batches and their numbers."""
        rows = self._db.execute("SELECT number, data FROM batch ORDER BY number LIMIT ?", (most,)).fetchall()
        return [(number, Batch.from_bytes(data)) for number, data in rows]

    def forget(self, number: int) -> None:
        """Drop a batch that was sent."""
        (size,) = self._db.execute("DELETE FROM batch WHERE number = ? RETURNING length(data)", (number,)).fetchone()
        self.bytes -= size

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM batch").fetchone()[0])

    def next_bdseq(self) -> int:
        """The number of the next session: 0 to 255, one more for every connection, also over a restart."""
        self._db.execute("INSERT INTO meta VALUES ('bdseq', 0) ON CONFLICT DO UPDATE SET value = (value + 1) % 256")
        return int(self._db.execute("SELECT value FROM meta WHERE name = 'bdseq'").fetchone()[0])
