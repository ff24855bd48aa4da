"""Batches of the log, read back: whole as they were committed, or named as damaged.

Every reader of the log comes through here: the store after its start, a notebook beside it, an export, a check.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from shopfloor.plant import Batch, BatchError, RejectedError
from shopfloor.services.historian.rows import Rows, numbered

Find = Callable[[str], int | None]
"""The id of a tag by its path."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A log row without its body; `source` and `values` are None where an older version wrote it."""

    id: int
    gateway: str
    sequence: int
    source: str | None
    values: int | None
    crc: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """A whole batch of the log; its rows have the store's own tag numbers."""

    entry: Entry
    batch: Batch
    rows: Rows


@dataclass(frozen=True, slots=True)
class Damaged:
    """A batch of the log that is not what was committed, and the sentence that says so."""

    entry: Entry
    sentence: str


def entries(db: sqlite3.Connection, after: int = 0, most: int = -1) -> list[Entry]:
    """The next log rows after an id, in the order of commits; all of them without `most`."""
    query = "SELECT id, gateway, sequence, source, rows, crc FROM log WHERE id > ? ORDER BY id LIMIT ?"
    return [Entry(*row) for row in db.execute(query, (after, most))]


def body(db: sqlite3.Connection, entry: Entry) -> bytes:
    """The bytes of a log row as they were committed; damaged ones raise `BatchError`."""
    try:
        (found,) = db.execute("SELECT body FROM log WHERE id = ?", (entry.id,)).fetchone()
    except sqlite3.DatabaseError as problem:
        raise BatchError(f"The database cannot read it: {problem}.") from problem
    if entry.crc is not None and zlib.crc32(found) != entry.crc:
        raise BatchError(f"Its {len(found)} bytes have another checksum than when they were committed.")
    return bytes(found)


def decoded(entry: Entry, data: bytes, find: Find, path: Path) -> Logged | Damaged:
    """The batch that the bytes are. `path` is the database, as people know it."""
    try:
        batch = Batch.from_bytes(data)
        return Logged(entry, batch, _rows(entry, batch, find))
    except (BatchError, RejectedError) as problem:
        return damaged(entry, problem, path)


def _rows(entry: Entry, batch: Batch, find: Find) -> Rows:
    if entry.values is not None and len(batch) != entry.values:
        raise BatchError(f"It has {len(batch)} values of {entry.values}.")
    ids = [find(name) for name in batch.names]
    if None in ids:
        raise BatchError(f"It names the tag {batch.names[ids.index(None)]}, which was never stored.")
    return numbered(batch, np.array(ids, np.int32))


def damaged(entry: Entry, problem: Exception, path: Path) -> Damaged:
    """Name a batch that cannot be read."""
    what = f"{entry.values} values of {entry.source}" if entry.source is not None else "its values"
    said = str(problem).rstrip(".")
    said = said[:1].lower() + said[1:]
    return Damaged(
        entry,
        f"{path}: batch {entry.sequence} of gateway {entry.gateway} is damaged ({said}): {what} are lost here"
        " unless a backup holds them; check the disk.",
    )


def logged(db: sqlite3.Connection, find: Find, path: Path) -> Iterator[Logged | Damaged]:
    """Every batch of the log, in the order of commits. `sqlite3.DatabaseError` when even their list cannot be read."""
    for entry in entries(db):
        try:
            data = body(db, entry)
        except BatchError as problem:
            yield damaged(entry, problem, path)
        else:
            yield decoded(entry, data, find, path)
