"""What a store holds, counted in its catalogue and its log: the same numbers for a snapshot, a backup and a restore."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from shopfloor.plant.counted import counted
from shopfloor.services.historian.care.snapshot import Snapshot
from shopfloor.services.historian.segments.segment import DamagedError
from shopfloor.services.historian.trouble import RESTORE


@dataclass(frozen=True, slots=True)
class Contents:
    """Counts of a store. `oldest` and `newest` are those of the segments (UTC ns, 0 without any)."""

    segments: int
    segment_rows: int
    batches: int
    batch_rows: int
    tags: int
    sources: int
    stored: int
    oldest: int
    newest: int

    @property
    def rows(self) -> int:
        """Values in segments and in the log."""
        return self.segment_rows + self.batch_rows

    def text(self) -> str:
        """For people.

        >>> Contents(2, 100, 1, 5, 3, 1, 105, 0, 86_400_000_000_000).text()
        '105 values of 3 tags in 2 segments and 1 batch of the log'
        """
        where = f"{counted(self.segments, 'segment')} and {counted(self.batches, 'batch', 'batches')} of the log"
        return f"{counted(self.rows, 'value')} of {counted(self.tags, 'tag')} in {where}"


def contents(snapshot: Snapshot) -> Contents:
    """Count a snapshot."""

    def one(query: str) -> int:
        try:
            return int(snapshot.db.execute(query).fetchone()[0] or 0)
        except (sqlite3.DatabaseError, ValueError) as problem:
            raise DamagedError(f"{snapshot.store}/log.db is damaged ({problem}): {RESTORE}.") from problem

    segments = snapshot.segments
    return Contents(
        len(segments), sum(segment.rows for segment in segments),
        one("SELECT count(*) FROM log"), one("SELECT sum(rows) FROM log"), one("SELECT count(*) FROM tags"),
        one("SELECT count(*) FROM sources"), one("SELECT sum(stored) FROM sources"),
        min((segment.start for segment in segments), default=0), max((segment.end for segment in segments), default=0),
    )  # fmt: skip
