"""What each target has taken, in the store's own database: a segment is free when every target has it durably."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Final

from shopfloor.services.historian.dictionary import Dictionary
from shopfloor.services.historian.log import Log
from shopfloor.services.historian.remote import aside
from shopfloor.services.historian.remote.aside import SetAside
from shopfloor.services.historian.remote.offer import Refusal
from shopfloor.services.historian.segment import Segment

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS delivered(
    target TEXT, segment INTEGER, sent REAL, server TEXT, PRIMARY KEY(target, segment)) WITHOUT ROWID""",
    aside.TABLE,
)
"""`sent` is 0 when the target has it durably, else UTC seconds; `server` tells one run of the target from another."""


class Deliveries:
    """The book of all targets. `writing` is the lock of the database."""

    def __init__(self, log: Log, writing: threading.Lock, targets: Sequence[str]) -> None:
        self._log, self._writing, self._targets = log, writing, tuple(targets)
        self._durable: dict[str, frozenset[int]] = {}
        self._taken: dict[str, frozenset[int]] = {}
        self._refused: dict[str, tuple[int, str]] = {}
        with log.transaction() as db:
            for statement in _SCHEMA:
                db.execute(statement)
            self._adopt(db)
            db.execute("DELETE FROM delivered WHERE segment NOT IN (SELECT id FROM segments)")
            self._reload(db)

    def durable_of(self, target: str) -> frozenset[int]:
        """Ids of the segments that a target has for good."""
        return self._durable[target]

    def durable(self) -> frozenset[int] | None:
        """Ids of the segments that all targets have for good; None where there is no target."""
        kept = [self._durable[name] for name in self._targets]
        return frozenset.intersection(*kept) if kept else None

    def waiting(self, target: str, segments: Sequence[Segment]) -> list[Segment]:
        """What the target has not taken yet, oldest first."""
        taken = self._taken[target]
        return sorted((s for s in segments if s.id not in taken and not s.damage), key=lambda segment: segment.id)

    def unsettled(self, target: str) -> list[tuple[int, float, str]]:
        """(segment, sent, server) of what the target acknowledged but may lose."""
        query = "SELECT segment, sent, server FROM delivered WHERE target = ? AND sent > 0"
        with self._writing, self._log.transaction() as db:
            return list(db.execute(query, (target,)))

    def take(
        self, target: str, segment: Segment, tags: Dictionary, refusals: Sequence[Refusal], sent: float, server: str
    ) -> None:
        """The target has the segment, but for the refusals, which are set aside in the same transaction."""
        with self._writing, self._log.transaction() as db:
            for refusal in refusals:
                aside.keep(db, target, refusal, tags)
            db.execute("INSERT OR REPLACE INTO delivered VALUES (?, ?, ?, ?)", (target, segment.id, sent, server))
            self._reload(db)

    def settle(self, target: str, safe: Sequence[int], again: Sequence[int]) -> None:
        """The target has `safe` for good; `again` must be sent once more."""
        with self._writing, self._log.transaction() as db:
            rows = [(target, id_) for id_ in safe]
            db.executemany("UPDATE delivered SET sent = 0 WHERE target = ? AND segment = ?", rows)
            rows = [(target, id_) for id_ in again]
            db.executemany("DELETE FROM delivered WHERE target = ? AND segment = ?", rows)
            self._reload(db)

    def replaced(self, db: sqlite3.Connection, old: Sequence[Segment], new: Sequence[Segment]) -> None:
        """Segments that every target has became others, or were forgotten. In the keeper's own transaction."""
        db.executemany("DELETE FROM delivered WHERE segment = ?", [(segment.id,) for segment in old])
        rows = [(target, segment.id) for target in self._targets for segment in new]
        db.executemany("INSERT OR REPLACE INTO delivered VALUES (?, ?, 0, '')", rows)

    def reload(self) -> None:
        """Read the book again, after the keeper's commit; the caller holds the lock."""
        if self._targets:
            with self._log.transaction() as db:
                self._reload(db)

    def refused(self, target: str) -> tuple[int, str]:
        """How many values of a target were set aside, and the newest sentence."""
        return self._refused[target]

    def set_aside(self) -> list[SetAside]:
        """Everything that targets refused, the values included."""
        with self._writing, self._log.transaction() as db:
            return aside.listed(db)

    def _adopt(self, db: sqlite3.Connection) -> None:
        """The first target takes over what the only mirror of an older version had."""
        for target in self._targets[:1]:
            db.execute("INSERT OR IGNORE INTO delivered SELECT ?, segment, 0, '' FROM mirrored", (target,))
            db.execute("DELETE FROM mirrored")

    def _reload(self, db: sqlite3.Connection) -> None:
        for target in self._targets:
            rows = db.execute("SELECT segment, sent FROM delivered WHERE target = ?", (target,)).fetchall()
            self._taken[target] = frozenset(id_ for id_, _ in rows)
            self._durable[target] = frozenset(id_ for id_, sent in rows if not sent)
            self._refused[target] = aside.summary(db, target)
