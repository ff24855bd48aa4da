"""The spool: what the gateway has accepted and the server has not yet made durable.

One row is one batch, as the Arrow bytes that travel to the server. A row, the counters of its source and the next
sequence are committed in one SQLite transaction (WAL, synchronous=FULL): what `append` returned from is on disk.
"""

from __future__ import annotations

import builtins
import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from shopfloor.gateway.spool import holes
from shopfloor.gateway.spool.file import connected, locked, sentence
from shopfloor.gateway.spool.holes import Dropped, Hole
from shopfloor.gateway.spool.rows import Entry, Row
from shopfloor.gateway.spool.tail import Tail
from shopfloor.gateway.spool.tally import Counts, Tally
from shopfloor.plant import SinkUnavailable, StoreError
from shopfloor.plant.config import WhenFull

_logger = logging.getLogger(__name__)
_DEAD_LETTERS: Final = 1_000
_SPARE_PAGES: Final = 2_000
_MAY_BE_KNOWN: Final = 16
"""Batches that the last run may have sent without forgetting them: they are not dropped before they are sent again."""
_EASE: Final = 64
"""A full spool makes room of this part of its limit at once, not for each batch anew."""


@dataclass(slots=True)
class Spool:
    """A durable queue of batches in one folder, owned by one gateway. Its methods may be called from any thread.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, Spool.open(Path(folder), "edge-1") as spool:
    ...     spool.append([Entry("machining", 2, b"...")])
    ...     [(row.sequence, row.accepted) for row in spool.peek()]
    [1]
    [(1, 2)]
    """

    folder: Path
    limit: int
    id: str
    next_sequence: int
    tally: Tally
    _db: sqlite3.Connection
    when_full: WhenFull = WhenFull.WAIT
    _handed: int = 0
    _tail: Tail = field(default_factory=Tail)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path, name: str, limit: int = 2_000_000_000, when_full: WhenFull = WhenFull.WAIT
    ) -> Iterator[Spool]:
        """Open or create the spool in `folder`, bounded to `limit` bytes; `StoreError` says why it cannot serve."""
        with locked(folder), connected(folder) as db:
            try:
                yield cls._read(folder, name, limit, when_full, db)
            except sqlite3.Error as problem:
                raise StoreError(sentence(folder, problem)) from problem

    @classmethod
    def _read(cls, folder: Path, name: str, limit: int, when_full: WhenFull, db: sqlite3.Connection) -> Spool:
        row = db.execute("SELECT id, next FROM identity").fetchone()
        if row is None:
            row = (f"{name}-{secrets.token_hex(4)}", 1)
            db.execute("INSERT INTO identity VALUES (?, ?)", row)
        oldest = db.execute("SELECT coalesce(min(sequence), 0) FROM batch").fetchone()[0]
        return cls(folder, limit, row[0], row[1], _tally(db), db, when_full, oldest + _MAY_BE_KNOWN)

    @property
    def bytes(self) -> int:
        """Bytes of the batches that wait."""
        return self.tally.bytes

    def has_room(self, size: int) -> bool:
        """Whether `size` more bytes fit; an empty spool takes any one batch."""
        return self.tally.bytes + size <= self.limit or self.tally.batches == 0

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Commit the entries in one transaction and answer their sequences.

        `SinkUnavailable` means that none of them was taken: the disk is full, read-only or fails.
        """
        with self._lock:
            accepted = {entry.source: self.tally.of(entry.source).accepted for entry in entries}
            rows, lost = list[Row](), list[Dropped]()
            for sequence, entry in enumerate(entries, self.next_sequence):
                accepted[entry.source] += entry.values
                counted = (sequence, entry.source, accepted[entry.source], entry.values)
                if entry.data:
                    rows.append(Row(*counted, entry.data))
                else:
                    lost.append(Dropped(*counted))
            following = self.next_sequence + len(entries)
            with self._transaction():
                self._db.executemany(
                    "INSERT INTO batch (sequence, source, accepted, amount, size, data) VALUES (?, ?, ?, ?, ?, ?)",
                    [(row.sequence, row.source, row.accepted, row.values, len(row.data), row.data) for row in rows],
                )
                self._book(accepted, entries, following)
                if lost:
                    holes.dig(self._db, lost, self._handed)
            if not lost and self._tail.offer(rows):
                self._handed = max(self._handed, rows[-1].sequence)
            self._count(entries, following)
            return list(range(following - len(entries), following))

    def _book(self, accepted: dict[str, int], entries: Sequence[Entry], following: int) -> None:
        self._db.executemany(
            "INSERT INTO source VALUES (?1, ?2, 0, 0) ON CONFLICT (name) DO UPDATE SET accepted = ?2", accepted.items()
        )
        self._db.executemany(
            "INSERT INTO mark VALUES (?1, ?2) ON CONFLICT (source) DO UPDATE SET data = ?2",
            {entry.source: entry.marks for entry in entries if entry.marks is not None}.items(),
        )
        self._db.execute("UPDATE identity SET next = ?", (following,))

    def _count(self, entries: Sequence[Entry], following: int) -> None:
        self.next_sequence = following
        for entry in entries:
            if entry.data:
                self.tally.spooled(entry.source, entry.values, len(entry.data))
            else:
                self.tally.refused(entry.source, entry.values)

    def make_room(self, size: int) -> bool:
        """Drop the oldest batches that nobody has sent until `size` more bytes fit; False when that was not enough."""
        with self._lock:
            wanted = self.tally.bytes + size + self.limit // _EASE - self.limit
            with self._transaction():
                dropped = holes.oldest(self._db, wanted, self._handed)
                self._db.executemany("DELETE FROM batch WHERE sequence = ?", [(one.sequence,) for one in dropped])
                holes.dig(self._db, dropped, self._handed)
            for one in dropped:
                self.tally.dropped(one.source, one.values, one.size)
        return self.has_room(size)

    def settle(self, sequence: int) -> None:
        """Say that of what `peek` and `fresh` have handed out nothing beyond `sequence` has been sent."""
        with self._lock:
            self._tail.clear()
            self._handed = sequence

    def marks(self, source: str) -> builtins.bytes:
        """How far a source had been read when its last batch was committed; empty when nobody noted it."""
        with self._lock:
            row = self._db.execute("SELECT data FROM mark WHERE source = ?", (source,)).fetchone()
        return builtins.bytes(row[0]) if row else b""

    def fresh(self, after: int) -> list[Row]:
        """What was committed right after the sequence `after` since this was last asked; never waits for the disk.

        Empty also when there is more than that: then `peek` knows. What is handed out is not dropped until `settle`.
        """
        return self._tail.take(after)

    def peek(self, after: int = 0, rows: int = 64, size: int = 16_000_000) -> list[Row | Hole]:
        """The oldest batches after the sequence `after`: at most `rows`, stopping once `size` bytes are reached.

        Where batches were dropped a `Hole` stands in their place. What is handed out is not dropped until `settle`.
        """
        with self._lock:
            found = _unbroken([*self._rows(after, rows, size), *holes.after(self._db, after)])
            if found:
                self._handed = max(self._handed, found[-1].sequence)
        return found

    def _rows(self, after: int, rows: int, size: int) -> Iterator[Row]:
        cursor = self._db.execute(
            "SELECT sequence, source, accepted, amount, data, refused FROM batch WHERE sequence > ?"
            " ORDER BY sequence LIMIT ?",
            (after, rows),
        )
        for record in cursor:
            yield Row(*record)
            size -= len(record[4])
            if size <= 0:
                break
        cursor.close()

    def forget(self, rows: Sequence[Row]) -> None:
        """Drop batches that the server made durable; `SinkUnavailable` means that they stay for now."""
        with self._lock:
            with self._transaction():
                self._db.executemany("DELETE FROM batch WHERE sequence = ?", [(row.sequence,) for row in rows])
            for row in rows:
                self.tally.left(row.source, row.values, len(row.data))
            self._shrink()

    def _shrink(self) -> None:
        """Give some free pages back to the disk, but for those that the next batches will need."""
        try:
            (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
            if free > _SPARE_PAGES:
                self._db.executescript(f"PRAGMA incremental_vacuum({min(2000, free - _SPARE_PAGES)})")
        except sqlite3.Error as problem:
            _logger.debug("The spool file stays as large as it is: %s", problem)

    def close_hole(self, hole: Hole) -> None:
        """The server knows of the hole; nothing of it is left to say."""
        with self._lock, self._transaction():
            self._db.execute("DELETE FROM hole WHERE last = ?", (hole.sequence,))

    def refuse(self, row: Row, sentence: str) -> None:
        """Note that the server will never take this batch; it stays in line until the server knows (`reject`)."""
        with self._lock, self._transaction():
            self._db.execute("UPDATE batch SET refused = ? WHERE sequence = ?", (sentence, row.sequence))

    def reject(self, row: Row) -> None:
        """Move a refused batch to the dead letters, the newest 1,000 of which are kept."""
        with self._lock:
            with self._transaction():
                self._db.execute(
                    "INSERT INTO rejected (sequence, time, source, amount, sentence, data)"
                    " SELECT sequence, ?, source, amount, refused, data FROM batch WHERE sequence = ?",
                    (time.time_ns(), row.sequence),
                )
                self._db.execute("DELETE FROM batch WHERE sequence = ?", (row.sequence,))
                self._db.execute("UPDATE source SET rejected = rejected + ? WHERE name = ?", (row.values, row.source))
                self._db.execute(
                    "DELETE FROM rejected WHERE number <= (SELECT max(number) FROM rejected) - ?",
                    (_DEAD_LETTERS,),
                )
            self.tally.rejected(row.source, row.values, len(row.data))

    def rejected(self) -> list[tuple[int, str, str]]:
        """The dead letters: sequence, source and the server's sentence."""
        with self._lock:
            return self._db.execute("SELECT sequence, source, sentence FROM rejected ORDER BY number").fetchall()

    def begin_anew(self) -> str:
        """Take a new identity, with the waiting batches numbered from 1, for a server that has lost the old one."""
        with self._lock:
            self._tail.clear()
            name = f"{self.id.rpartition('-')[0]}-{secrets.token_hex(4)}"
            rows = self._db.execute("SELECT sequence, source, amount FROM batch ORDER BY sequence").fetchall()
            counts: dict[str, int] = {}
            with self._transaction():
                for number, (sequence, source, amount) in enumerate(rows, 1):
                    counts[source] = counts.get(source, 0) + amount
                    self._db.execute(
                        "UPDATE batch SET sequence = ?, accepted = ? WHERE sequence = ?",
                        (number, counts[source], sequence),
                    )
                self._db.execute("DELETE FROM hole")
                self._db.execute("UPDATE source SET accepted = 0, rejected = 0, dropped = 0")
                self._db.executemany(
                    "UPDATE source SET accepted = ? WHERE name = ?", [(n, s) for s, n in counts.items()]
                )
                self._db.execute("UPDATE identity SET id = ?, next = ?", (name, len(rows) + 1))
            self.id, self.next_sequence, self.tally, self._handed = name, len(rows) + 1, _tally(self._db), 0
            return name

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as problem:
            with suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise SinkUnavailable(sentence(self.folder, problem)) from problem


def _unbroken(found: list[Row | Hole]) -> list[Row | Hole]:
    """In order, up to the first sequence that was not fetched."""
    found.sort(key=lambda one: one.sequence)
    for index, (one, following) in enumerate(pairwise(found), 1):
        if following.first != one.sequence + 1:
            return found[:index]
    return found


def _tally(db: sqlite3.Connection) -> Tally:
    known = db.execute("SELECT name, accepted, rejected, dropped FROM source")
    tally = Tally({name: Counts(*counts) for name, *counts in known})
    for source, values, size in db.execute("SELECT source, amount, size FROM batch"):
        tally.waiting(source, values, size)
    return tally
