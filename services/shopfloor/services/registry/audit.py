"""The audit: every event of the registry, hash-chained, in a file that is only ever appended to.

SQLite, WAL, synchronous=FULL: an event is on disk when `append` returns. What holds is what the events say, there is no
second truth to change. The head (number and hash of the newest event) is anchored in a file beside the database, so
that events taken off the end show; whoever can write both files is found by a head that was noted elsewhere.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from shopfloor.plant import StoreError, chain
from shopfloor.plant.chain import Head
from shopfloor.services.records import PATIENCE_S, connected

_logger: Final = logging.getLogger(__name__)
FILE: Final = "registry.sqlite"
ANCHOR: Final = "registry.head"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, hash TEXT NOT NULL);
"""
Entry = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class Audit:
    """The events of one registry. Any thread may call; `append` blocks for a commit."""

    folder: Path
    _db: sqlite3.Connection
    _head: Head = (0, chain.FIRST)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """Open for writing; a file that cannot be used raises `StoreError`."""
        with _explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            db = connected(folder / FILE, _SCHEMA)
        try:
            audit = cls(folder, db)
            if audit.is_new():
                audit.note()
            yield audit
        finally:
            db.close()

    def entries(self) -> list[Entry]:
        """Every event in order, number and body, up to the first that is not as it was written."""
        with _explained(self.folder), self._lock:
            rows = self._db.execute("SELECT sequence, body, hash FROM event ORDER BY sequence").fetchall()
        found: list[Entry] = []
        before: Head = (0, chain.FIRST)
        for sequence, body, noted in rows:
            if sequence != before[0] + 1 or chain.link(before[1], sequence, body) != noted:
                break
            found.append((sequence, json.loads(body)))
            before = (sequence, noted)
        self._head = before
        return found

    def head(self) -> Head:
        """Number and hash of the newest event."""
        return self._head

    def append(self, body: Mapping[str, Any]) -> int:
        """Add an event and answer its number. When this returns, it is on disk."""
        with _explained(self.folder), self._lock:
            before = self._head
            sequence, text = before[0] + 1, chain.text(dict(body))
            entry = (sequence, text, chain.link(before[1], sequence, text))
            self._db.execute("INSERT INTO event VALUES (?, ?, ?)", entry)
            self._head = (sequence, entry[2])
            self.note()
        return sequence

    def is_new(self) -> bool:
        """Whether there was never an event, nor an anchor."""
        with _explained(self.folder), self._lock:
            used = self._db.execute("SELECT 1 FROM event UNION SELECT 1 FROM sqlite_sequence LIMIT 1").fetchone()
        return used is None and anchored_head(self.folder) is None

    def note(self) -> None:
        """Anchor the head. An anchor that cannot be written stays older than the events, which is no fault of them."""
        try:
            anchor(self.folder, self._head)
        except OSError as problem:
            _logger.warning("The head of the audit could not be noted in %s (%s).", self.folder / ANCHOR, problem)


def verify(folder: Path, head: Head | None = None) -> tuple[str, Head]:
    """Check the audit in a folder, also that of a running server: what is wrong ("" when nothing is), and its head."""
    with _explained(folder):
        if not (folder / FILE).is_file():
            raise StoreError(f"There is no registry in {folder}: name the data folder of a server with --data.")
        # The anchor is read first: it may be older than the rows, never newer.
        anchored = anchored_head(folder)
        db = sqlite3.connect(f"file:{(folder / FILE).absolute()}?mode=ro", PATIENCE_S, uri=True)
        try:
            rows = db.execute("SELECT sequence, body, hash FROM event ORDER BY sequence").fetchall()
            last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
        finally:
            db.close()
    found: Head = (rows[-1][0], rows[-1][2]) if rows else (0, chain.FIRST)
    return _fault(rows, int(last[0]) if last else 0, [anchored, head]), found


def _fault(rows: Sequence[tuple[int, str, str]], last: int, heads: Sequence[Head | None]) -> str:
    linked = [((sequence, body), noted) for sequence, body, noted in rows]
    if not rows and not last and heads[0] is None:
        return ""
    if heads[0] is None:
        return f"The anchor {ANCHOR} beside the audit is gone: nobody can tell whether events were taken off its end."
    last = max([last, *(head[0] for head in heads if head)])
    return next((said for head in heads if (said := chain.fault(linked, last, head))), "")


def anchored_head(folder: Path) -> Head | None:
    """The head that was noted beside the audit, None when there is no such file or it says nothing."""
    try:
        number, _, noted = (folder / ANCHOR).read_text("ascii").strip().partition(":")
        return int(number), noted
    except (OSError, ValueError):
        return None


def anchor(folder: Path, head: Head) -> None:
    """Note a head beside the audit; it is on disk when this returns."""
    fresh = folder / f"{ANCHOR}.new"
    with fresh.open("w", encoding="ascii") as out:
        out.write(f"{head[0]}:{head[1]}\n")
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(folder / ANCHOR)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise StoreError(
            f"The registry in {folder} cannot be used ({problem}): see to the disk and the permissions;"
            " until then no model changes its stage."
        ) from problem
