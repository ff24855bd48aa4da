"""Values that a target refused for good: set aside with what it said, in a table of the store's own database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from shopfloor.plant import Batch
from shopfloor.services.historian.folder import FolderLock
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.log.log import Log
from shopfloor.services.historian.remote.offer import Refusal

TABLE: Final = """CREATE TABLE IF NOT EXISTS refused(
    id INTEGER PRIMARY KEY, target TEXT, rows INTEGER, start INTEGER, stop INTEGER, sentence TEXT, batch BLOB)"""


@dataclass(frozen=True, slots=True)
class SetAside:
    """Values that a target refused: how many, from when to when (UTC ns), what it said, and the values themselves."""

    target: str
    rows: int
    start: int
    end: int
    sentence: str
    batch: Batch


def keep(db: sqlite3.Connection, target: str, refusal: Refusal, tags: Dictionary) -> None:
    """Set values aside."""
    rows = refusal.rows
    used, tag = np.unique(rows.tag, return_inverse=True)
    names = tuple(tags.paths[id_] for id_ in used.tolist())
    batch = Batch(names, tag.astype(np.int32), rows.time, rows.value, rows.quality)
    row = (target, len(rows), int(rows.time.min()), int(rows.time.max()), refusal.sentence, batch.to_bytes())
    db.execute("INSERT INTO refused VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)


def summary(db: sqlite3.Connection, target: str) -> tuple[int, str]:
    """How many values of a target are set aside, and the newest sentence."""
    count, last = db.execute("SELECT sum(rows), max(id) FROM refused WHERE target = ?", (target,)).fetchone()
    said = db.execute("SELECT sentence FROM refused WHERE id = ?", (last,)).fetchone()
    return int(count or 0), said[0] if said else ""


def listed(db: sqlite3.Connection) -> list[SetAside]:
    """Everything that is set aside, oldest first, the values included."""
    db.execute(TABLE)
    rows = db.execute("SELECT target, rows, start, stop, sentence, batch FROM refused ORDER BY id").fetchall()
    return [
        SetAside(target, count, start, end, sentence, Batch.from_bytes(body))
        for target, count, start, end, sentence, body in rows
    ]


def drop(store: Path) -> None:
    """Forget what is set aside in a store that no server has open; `StoreError` says when one has."""
    lock = FolderLock(store)
    try:
        with closing(Log(store / "log.db")) as log, log.transaction() as db:
            db.execute(TABLE)
            db.execute("DELETE FROM refused")
    finally:
        lock.release()
