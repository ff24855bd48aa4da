"""The shelf: everything that can be read, seen by every reader in one piece."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shopfloor.plant import Kind
from shopfloor.services.historian.memtable import Memtable, Run
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.segment import Segment


@dataclass(frozen=True, slots=True)
class View:
    """One moment of the store. Runs are younger than segments; both are ordered oldest first."""

    segments: tuple[Segment, ...]
    runs: dict[Kind, tuple[Run, ...]]


class Readable(Protocol):
    """What a reader needs of a shelf."""

    def view(self, kinds: Sequence[Kind] = ...) -> View:
        """All that is readable now."""
        ...


class PendingShelf:
    """What a server store does not have for good: memory, and the segments that are not among its `durable` ids."""

    def __init__(self, shelf: Readable, durable: Callable[[], frozenset[int]]) -> None:
        self._shelf, self._durable = shelf, durable

    def view(self, kinds: Sequence[Kind] = tuple(Kind)) -> View:
        """All of that now. What the server got since the ids were asked is there twice, and not missing."""
        durable = self._durable()
        view = self._shelf.view(kinds)
        return View(tuple(s for s in view.segments if s.id not in durable), view.runs)


class Shelf:
    """Published segments, sealed memtables on their way to the disk, and the active memtable.

    Files and memory change under one lock, so a reader never misses what is moving from one to the other.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._segments = tuple(sorted(segments, key=lambda segment: segment.precedence))
        self._sealed: list[Memtable] = []
        self._active = Memtable()
        self.settled: Callable[[], None] = lambda: None
        """Waits until everything that was committed is here."""

    def view(self, kinds: Sequence[Kind] = tuple(Kind)) -> View:
        """All that is readable now."""
        self.settled()
        with self._lock:
            tables = [*self._sealed, self._active]
            return View(
                self._segments, {kind: tuple(run for table in tables for run in table.freeze(kind)) for kind in kinds}
            )

    def segments(self) -> tuple[Segment, ...]:
        """The published segments, oldest data first."""
        with self._lock:
            return self._segments

    def append(self, rows: Rows, kind: Kind, log_id: int) -> int:
        """Add committed rows; answers how many the active memtable holds."""
        with self._lock:
            self._active.append(rows, kind, log_id)
            return self._active.rows

    def seal(self) -> None:
        """Close the active memtable, to be flushed, and open the next one."""
        with self._changed:
            if self._active.log_spans:
                self._sealed.append(self._active)
                self._active = Memtable()

    def oldest_sealed(self) -> Memtable | None:
        """The memtable to flush next."""
        with self._lock:
            return self._sealed[0] if self._sealed else None

    def active_age(self, now: float) -> float:
        """Seconds since the active memtable was opened; 0 when it is empty."""
        with self._lock:
            return now - self._active.born if self._active.log_spans else 0.0

    def publish(self, memtable: Memtable, segments: Sequence[Segment]) -> None:
        """Put segments where their memtable was."""
        with self._changed:
            self._sealed.remove(memtable)
            self._insert(segments)
            self._changed.notify_all()

    def replace(self, old: Sequence[Segment], new: Sequence[Segment]) -> None:
        """Put compacted segments where their parts were."""
        with self._lock:
            gone = {segment.id for segment in old}
            self._segments = tuple(segment for segment in self._segments if segment.id not in gone)
            self._insert(new)

    def wait_for_room(self, backlog: int, patience_s: float) -> bool:
        """Wait until fewer than `backlog` memtables wait for the disk."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._sealed) < backlog, patience_s)

    def memory(self) -> tuple[int, int, int]:
        """Rows, oldest and newest time of the memtables."""
        with self._lock:
            tables = [*self._sealed, self._active]
            return sum(t.rows for t in tables), min(t.start for t in tables), max(t.end for t in tables)

    def _insert(self, segments: Sequence[Segment]) -> None:
        self._segments = tuple(sorted((*self._segments, *segments), key=lambda segment: segment.precedence))
