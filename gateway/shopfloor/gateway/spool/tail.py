"""What was just committed, in memory for a reader that keeps up: it need not be read back from the disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from shopfloor.gateway.spool.rows import Row

_ROWS: Final = 16
_BYTES: Final = 4_000_000


@dataclass(slots=True)
class Tail:
    """The rows right after those that the reader has, at most 16 or 4 MB; a reader that falls behind gets none.

    >>> tail, row = Tail(), Row(8, "machining", 20, 20, b"...")
    >>> tail.offer([row]), tail.take(7), tail.offer([row]), tail.take(7) == [row]
    (False, [], True, True)
    """

    _due: int | None = None
    _rows: list[Row] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, rows: Sequence[Row]) -> bool:
        """Keep rows that were committed; False when the reader has to fetch them from the disk."""
        with self._lock:
            if not rows or rows[0].sequence != self._due or not self._has_room(rows):
                return False
            self._rows.extend(rows)
            self._due = rows[-1].sequence + 1
            return True

    def _has_room(self, rows: Sequence[Row]) -> bool:
        kept = [*self._rows, *rows]
        return len(kept) <= _ROWS and sum(len(row.data) for row in kept) <= _BYTES

    def take(self, after: int) -> list[Row]:
        """The rows after a sequence, all that the reader has; without any, it waits for the next from here."""
        with self._lock:
            rows, self._rows = self._rows, []
            if not rows or rows[0].sequence != after + 1:
                rows, self._due = [], after + 1
            return rows

    def clear(self) -> None:
        """The reader begins again somewhere else."""
        with self._lock:
            self._due, self._rows = None, []
