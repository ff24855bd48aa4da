"""The values of a snapshot, exactly as they were stored, in portions that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from shopfloor.plant import Kind
from shopfloor.services.historian.care.snapshot import Snapshot
from shopfloor.services.historian.log.logged import Logged, logged
from shopfloor.services.historian.options import DAY
from shopfloor.services.historian.read.scan import Scan
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.shelf import Shelf, View

PORTION: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Everything that can be read of a snapshot: `names` by tag id; `damaged` names the batches that cannot be."""

    view: View
    names: list[str]
    damaged: list[str]

    def faults(self) -> list[str]:
        """What could not be read up to now."""
        return [segment.damage for segment in self.view.segments if segment.damage] + self.damaged

    def portions(self, ids: Sequence[int], start: int, end: int) -> Iterator[tuple[Kind, Rows]]:
        """Every value of the tags in [start, end) UTC ns, day by day, by kind, tag and time, about `PORTION` at a time.

        Tag t of the rows is the one with id `ids[t]`.
        """
        first, last = self._span(start, end)
        for day in range(first // DAY, -(-last // DAY)):
            for kind in Kind:
                yield from self._split(kind, ids, 0, len(ids), max(first, day * DAY), min(last, (day + 1) * DAY))

    def estimate(self, ids: Sequence[int], start: int, end: int) -> int:
        """About how many values that are."""
        return Scan(self.view, ids, len(self.names)).estimate(tuple(Kind), start, end)

    def _span(self, start: int, end: int) -> tuple[int, int]:
        runs = [run for kind in Kind for run in self.view.runs[kind]]
        low = min([*(run.start for run in runs), *(segment.start for segment in self.view.segments)], default=0)
        high = max([*(run.end for run in runs), *(segment.end for segment in self.view.segments)], default=-1)
        return max(start, low), min(end, high + 1)

    def _split(
        self, kind: Kind, ids: Sequence[int], low: int, high: int, start: int, end: int
    ) -> Iterator[tuple[Kind, Rows]]:
        """Fewer tags first, then shorter times, as long as that means fewer values."""
        scan = Scan(self.view, ids[low:high], len(self.names))
        count = self._in_files(scan, kind, start, end)
        middle, noon = (low + high) // 2, (start + end) // 2
        if count > PORTION and high - low > 1:
            yield from self._split(kind, ids, low, middle, start, end)
            yield from self._split(kind, ids, middle, high, start, end)
        elif count > PORTION and self._in_files(scan, kind, start, noon) < 0.9 * count:
            yield from self._split(kind, ids, low, high, start, noon)
            yield from self._split(kind, ids, low, high, noon, end)
        else:
            rows = scan.rows(kind, start, end)
            if len(rows):
                yield kind, Rows(rows.tag + np.int32(low), rows.time, rows.value, rows.quality)

    def _in_files(self, scan: Scan, kind: Kind, start: int, end: int) -> int:
        return scan.estimate((kind,), start, end) - sum(run.count for run in self.view.runs[kind])


def recorded(snapshot: Snapshot) -> Recorded:
    """Open a snapshot for reading; its log is read into memory."""
    names = [path for (path,) in snapshot.db.execute("SELECT path FROM tags ORDER BY id")]
    ids = {name: id_ for id_, name in enumerate(names)}
    shelf, damaged = Shelf(snapshot.segments), []
    for found in logged(snapshot.db, ids.get, snapshot.log):
        if isinstance(found, Logged):
            shelf.append(found.rows, found.batch.kind, found.entry.id)
        else:
            damaged.append(found.sentence)
    return Recorded(shelf.view(), names, damaged)
