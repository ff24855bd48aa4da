"""What each target has taken, in the store's own database: a segment is free when every target has it durably."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from typing import Final

from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.log.log import Log
from shopfloor.services.historian.remote import aside
from shopfloor.services.historian.remote.aside import SetAside
from shopfloor.services.historian.remote.offer import Refusal
from shopfloor.services.historian.segments.segment import Segment

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS delivered(
    target TEXT, segment INTEGER, sent REAL, server TEXT, PRIMARY KEY(target, segment)) WITHOUT ROWID""",
    aside.TABLE,
)
"""`sent` is 0 when the target has it durably, else UTC seconds; `server` tells one run of the target from another."""


class _Copy:
    """What one target has, as the database says after its last commit. Thread-safe.

    A change costs as much as it changes; what is asked for is made anew only after a change.
    """

    def __init__(self, settled: Iterable[int], unsettled: Iterable[int], refused: int, said: str) -> None:
        self._lock = threading.Lock()
        self._durable, self._unsettled = set(settled), set(unsettled)
        self._frozen: frozenset[int] | None = None
        self.refused = refused, said

    def durable(self) -> frozenset[int]:
        with self._lock:
            if self._frozen is None:
                self._frozen = frozenset(self._durable)
            return self._frozen

    def has(self, segment: int) -> bool:
        with self._lock:
            return segment in self._durable or segment in self._unsettled

    def change(self, *, durable: Iterable[int] = (), unsettled: Iterable[int] = (), gone: Iterable[int] = ()) -> None:
        durable, unsettled, gone = set(durable), set(unsettled), set(gone)
        with self._lock:
            self._unsettled -= durable | gone
            self._durable -= gone
            self._durable |= durable
            self._unsettled |= unsettled
            self._frozen = None if durable or gone else self._frozen

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        if refusals:
            self.refused = self.refused[0] + sum(len(refusal.rows) for refusal in refusals), refusals[-1].sentence


class Deliveries:
    """The book of all targets. `writing` is the lock of the database."""

    def __init__(self, log: Log, writing: threading.Lock, targets: Sequence[str]) -> None:
        self._log, self._writing, self._targets = log, writing, tuple(targets)
        with log.transaction() as db:
            for statement in _SCHEMA:
                db.execute(statement)
            self._adopt(db)
            db.execute("DELETE FROM delivered WHERE segment NOT IN (SELECT id FROM segments)")
            self._copies = {target: _read(db, target) for target in self._targets}

    def durable_of(self, target: str) -> frozenset[int]:
        """Ids of the segments that a target has for good."""
        return self._copies[target].durable()

    def durable(self) -> frozenset[int] | None:
        """Ids of the segments that all targets have for good; None where there is no target."""
        kept = [copy.durable() for copy in self._copies.values()]
        return frozenset.intersection(*kept) if kept else None

    def waiting(self, target: str, segments: Sequence[Segment]) -> list[Segment]:
        """What the target has not taken yet, oldest first."""
        has = self._copies[target].has
        return sorted((s for s in segments if not has(s.id) and not s.damage), key=lambda segment: segment.id)

    def unsettled(self, target: str) -> list[tuple[int, float, str]]:
        """(segment, sent, server) of what the target acknowledged but may lose."""
        query = "SELECT segment, sent, server FROM delivered WHERE target = ? AND sent > 0"
        with self._writing, self._log.transaction() as db:
            return list(db.execute(query, (target,)))

    def take(
        self, target: str, segment: Segment, tags: Dictionary, refusals: Sequence[Refusal], sent: float, server: str
    ) -> None:
        """The target has the segment, but for the refusals, which are set aside in the same transaction."""
        with self._writing:
            with self._log.transaction() as db:
                for refusal in refusals:
                    aside.keep(db, target, refusal, tags)
                db.execute("INSERT OR REPLACE INTO delivered VALUES (?, ?, ?, ?)", (target, segment.id, sent, server))
            self._copies[target].refuse(refusals)
            self._copies[target].change(**{"unsettled" if sent else "durable": [segment.id]})

    def settle(self, target: str, safe: Sequence[int], again: Sequence[int]) -> None:
        """The target has `safe` for good; `again` must be sent once more."""
        with self._writing:
            with self._log.transaction() as db:
                rows = [(target, id_) for id_ in safe]
                db.executemany("UPDATE delivered SET sent = 0 WHERE target = ? AND segment = ?", rows)
                rows = [(target, id_) for id_ in again]
                db.executemany("DELETE FROM delivered WHERE target = ? AND segment = ?", rows)
            self._copies[target].change(durable=safe, gone=again)

    def replaced(self, db: sqlite3.Connection, old: Sequence[Segment], new: Sequence[Segment]) -> None:
        """Segments that every target has became others, or were forgotten. In the keeper's own transaction."""
        db.executemany("DELETE FROM delivered WHERE segment = ?", [(segment.id,) for segment in old])
        rows = [(target, segment.id) for target in self._targets for segment in new]
        db.executemany("INSERT OR REPLACE INTO delivered VALUES (?, ?, 0, '')", rows)

    def committed(self, old: Sequence[Segment], new: Sequence[Segment]) -> None:
        """What was `replaced` is so, after the keeper's commit."""
        for copy in self._copies.values():
            copy.change(durable=[segment.id for segment in new], gone=[segment.id for segment in old])

    def refused(self, target: str) -> tuple[int, str]:
        """How many values of a target were set aside, and the newest sentence."""
        return self._copies[target].refused

    def set_aside(self) -> list[SetAside]:
        """Everything that targets refused, the values included."""
        with self._writing, self._log.transaction() as db:
            return aside.listed(db)

    def _adopt(self, db: sqlite3.Connection) -> None:
        """The first target takes over what the only mirror of an older version had."""
        for target in self._targets[:1]:
            db.execute("INSERT OR IGNORE INTO delivered SELECT ?, segment, 0, '' FROM mirrored", (target,))
            db.execute("DELETE FROM mirrored")


def _read(db: sqlite3.Connection, target: str) -> _Copy:
    rows = db.execute("SELECT segment, sent FROM delivered WHERE target = ?", (target,)).fetchall()
    settled, unsettled = ([id_ for id_, sent in rows if bool(sent) is waits] for waits in (False, True))
    return _Copy(settled, unsettled, *aside.summary(db, target))
