"""Hours that are kept: what a machine did and made long ago is summed once, and again only when late values change it.

Nothing here outlives the server: whatever was stored while it was away is in the first sum that is made.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from shopfloor.plant import Batch, Reader
from shopfloor.services.historian.options import DAY, HOUR
from shopfloor.services.production.hours import WIDTH, Rows, hourly, together
from shopfloor.services.production.machine import Machine
from shopfloor.services.production.performance import Did, did
from shopfloor.services.production.planned import PlannedTime
from shopfloor.services.production.visits import Visits

MOST: Final = 40_000
"""Days of machines that are kept, at 2.5 KB each."""
LEAST: Final = 2 * DAY
"""A shorter time is read at once: its two ends alone would cost as much."""
_PER_DAY: Final = DAY // HOUR


@dataclass(slots=True)
class _Days:
    """What is kept of a machine: by day (UTC) a row for each hour, NaN where it is not known; how often it changed."""

    rows: dict[int, Rows] = field(default_factory=dict)
    changes: int = 0


class KeptHours:
    """Tells what machines did and made in a time; a month costs its first and last hour once its hours are kept.

    An hour is kept when it is over and no value in time could change it. A late value of a tag that counts drops the
    hours of its machine from it on; so does a batch that the store did not tell of (`missed` counts them), for all.
    """

    def __init__(
        self, reader: Reader, machines: Mapping[str, Machine], planned: PlannedTime, missed: Callable[[], int]
    ) -> None:
        self._reader, self._machines, self._planned, self._missed = reader, machines, planned, missed
        self._of = {machine.tag(name): path for path, machine in machines.items() for name in machine.counting}
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Days] = OrderedDict((path, _Days()) for path in machines)
        self._until = 0
        self._seen = missed()

    def did(self, path: str, start: int, end: int, now: int, found: Visits | None = None) -> Did:
        """What a machine did and made in [start, end) (UTC ns); its visits are read where they are not `found`."""
        machine = self._machines[path]
        first, last = -(-start // HOUR) * HOUR, (min(end - 1, now - machine.margin)) // HOUR * HOUR
        if last - first < LEAST:
            return did(self._reader, machine, self._planned, start, end, now, found)
        parts = [did(self._reader, machine, self._planned, start, first, now)] if start < first else []
        parts += [
            together(self._hours(machine, first, last)),
            did(self._reader, machine, self._planned, last, end, now),
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole += part
        return whole

    def watch(self, batch: Batch) -> None:
        """Drop the hours that a stored batch changes; cheap for values of now, from any thread."""
        if not len(batch) or int(batch.time.min()) >= self._until or self._of.keys().isdisjoint(batch.names):
            return
        for number, name in enumerate(batch.names):
            times = batch.time[batch.tag == number] if name in self._of else ()
            if len(times):
                self._drop(self._machines[self._of[name]], int(min(times)))

    def _hours(self, machine: Machine, start: int, end: int) -> Rows:
        """A row for each hour of [start, end): those that are kept, and the others made and kept."""
        with self._lock:
            self._forget_what_was_missed()
            mark = (self._seen, self._kept[machine.path].changes)
            self._until = max(self._until, end + machine.margin)
            rows = self._recall(machine.path, start, end)
        for first, last in _gaps(rows):
            rows[first:last] = hourly(self._reader, machine, self._planned, start + first * HOUR, start + last * HOUR)
            with self._lock:
                if mark == (self._missed(), self._kept[machine.path].changes):
                    self._keep(machine.path, start + first * HOUR, rows[first:last])
        return rows

    def _recall(self, path: str, start: int, end: int) -> Rows:
        self._kept.move_to_end(path)
        kept, unknown = self._kept[path].rows, np.full((_PER_DAY, WIDTH), np.nan)
        days = range(start // DAY, -(-end // DAY))
        first = (start - days[0] * DAY) // HOUR
        return np.concatenate([kept.get(day, unknown) for day in days])[first : first + (end - start) // HOUR]

    def _keep(self, path: str, start: int, rows: Rows) -> None:
        kept = self._kept[path].rows
        for at, row in enumerate(rows, start // HOUR):
            day = kept.get(at // _PER_DAY)
            if day is None:
                day = kept[at // _PER_DAY] = np.full((_PER_DAY, WIDTH), np.nan)
            day[at % _PER_DAY] = row
        total = sum(len(days.rows) for days in self._kept.values())
        for days in self._kept.values():  # those first that were not asked for the longest
            if total <= MOST:
                break
            total -= len(days.rows)
            days.rows.clear()

    def _drop(self, machine: Machine, moment: int) -> None:
        """Hours after a moment begin with what was so before them, and one that ended just before it looks into it."""
        first = (moment - machine.margin) // HOUR
        with self._lock:
            days = self._kept[machine.path]
            days.changes += 1
            for day in [day for day in days.rows if day >= first // _PER_DAY]:
                if day > first // _PER_DAY:
                    del days.rows[day]
                else:
                    days.rows[day][first % _PER_DAY :] = np.nan

    def _forget_what_was_missed(self) -> None:
        missed = self._missed()
        if missed != self._seen:
            self._seen = missed
            for days in self._kept.values():
                days.rows.clear()


def _gaps(rows: Rows) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) of each run of rows that are not known.

    >>> list(_gaps(np.array([[np.nan], [1.0], [np.nan], [np.nan]])))
    [(0, 1), (2, 4)]
    """
    unknown = np.concatenate([[0], np.isnan(rows[:, 0]), [0]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(unknown))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
