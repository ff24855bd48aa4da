"""Scanning for states: condensed rows of the hours that nothing divides and no other file knows of, else the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.options import HOUR
from shopfloor.services.historian.read.scan import Scan
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.decoded import rows_of
from shopfloor.services.historian.segments.segment import Groups, Segment, choose
from shopfloor.services.historian.shelf import View

_Hours = NDArray[np.bool_]


class StateScan(Scan):
    """Answers rows of whole hours that hold every state as long as those of `Scan` between any two `edges` (UTC ns).

    Without `edges`, they are the rows themselves. What was forgotten is as fine as it is still known.
    """

    def __init__(self, view: View, ids: Sequence[int], tags: int, edges: NDArray[np.int64] | None) -> None:
        super().__init__(view, ids, tags)
        self._cut = None if edges is None else np.unique(edges[edges % HOUR != 0] // HOUR)

    def _parts(self, kind: Kind, start: int, end: int) -> list[Rows]:
        parts: list[Rows] = []
        for segment in self.segments(kind, start, end):
            kept = self._kept(segment)
            lost = self.wanted & ~kept
            if segment.states is not None and lost.any():
                parts += self.told(segment, "states", rows_of(segment, lost, start, end, level="states"), len)
            if segment.states is None or self._cut is None:
                parts += self.told(segment, "raw", rows_of(segment, kept, start, end), len)
            else:
                parts += self._mixed(segment, kept, max(start, segment.start), min(end, segment.end + 1))
        return parts + self.memory(kind, start, end)

    def _mixed(self, segment: Segment, kept: _Hours, start: int, end: int) -> Iterator[Rows]:
        """Rows of the hours that must be known to the nanosecond, condensed rows of the others."""
        first = start // HOUR
        exact = self._exact_hours(segment, first, -(-end // HOUR))
        changes = np.flatnonzero(exact[1:] != exact[:-1]) + 1
        borders = [0, *changes.tolist(), len(exact)]
        for at, stop in pairwise(borders):
            span = max(start, (first + at) * HOUR), min(end, (first + stop) * HOUR)
            if exact[at]:
                yield from self.told(segment, "raw", rows_of(segment, kept, *span), len)
            else:
                yield from self.told(segment, "states", rows_of(segment, kept, *span, level="states"), len)

    def _exact_hours(self, segment: Segment, first: int, stop: int) -> _Hours:
        """The hours from `first` to `stop` that an edge divides, or in which others have rows of the tags too."""
        exact = np.zeros(stop - first, bool)
        if self._cut is not None:
            exact[self._cut[(self._cut >= first) & (self._cut < stop)] - first] = True
        start, end = first * HOUR, stop * HOUR
        for other in self.segments(segment.kind, start, end):
            if other is not segment:
                for groups in (other.groups, other.states):
                    _mark(exact, first, _touched(groups, self.wanted, start, end))
        for run in self._view.runs[segment.kind]:
            if run.start < end and run.end >= start:
                exact[np.unique(run.find(self._sorted, start, end).time // HOUR) - first] = True
        return exact


def _touched(groups: Groups | None, wanted: NDArray[np.bool_], start: int, end: int) -> Groups:
    return np.empty((0, 4), np.int64) if groups is None else groups[choose(groups, wanted, start, end)]


def _mark(exact: _Hours, first: int, groups: Groups) -> None:
    for oldest, newest in (groups[:, 2:] // HOUR - first).tolist():
        exact[max(oldest, 0) : newest + 1] = True
