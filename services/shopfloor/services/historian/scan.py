"""Scanning a view: files and memory merged, sorted, without repeated (tag, time)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.options import HOUR, MINUTE
from shopfloor.services.historian.plan import note
from shopfloor.services.historian.rollup import Rollup, in_order, merge, overlapping, summarize
from shopfloor.services.historian.rows import Rows, collapse, empty, join, sort
from shopfloor.services.historian.segment import DamagedError, Segment, choose, reading
from shopfloor.services.historian.shelf import View

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class Scan:
    """One question to one view: `ids` are tag ids in the order asked; answers number tags by that order."""

    def __init__(self, view: View, ids: Sequence[int], tags: int) -> None:
        self._view = view
        self._wanted = np.zeros(tags, bool)
        self._wanted[list(ids)] = True
        self._ids = np.array(ids, np.int64)
        self._sorted = np.array(sorted(ids), np.int32)
        self._rank = np.zeros(tags, np.int32)
        self._rank[list(ids)] = np.arange(len(ids), dtype=np.int32)

    def estimate(self, kinds: Sequence[Kind], start: int, end: int) -> int:
        """About how many rows a question reads."""
        count = 0
        for kind in kinds:
            for segment in self._segments(kind, start, end):
                share = len(choose(segment.groups, self._wanted, start, end)) / len(segment.groups)
                count += int(segment.rows * share)
            count += sum(run.count for run in self._view.runs[kind])
        return count

    def rows(self, kind: Kind, start: int, end: int) -> Rows:
        """Every row of a kind in [start, end), sorted by (rank, time); the row that was stored last wins."""
        parts = [part for part in self._parts(kind, start, end) if len(part)]
        return collapse(sort(join(parts, kind).renumber(self._rank))) if parts else empty(kind)

    def rollup(self, kind: Kind, start: int, end: int, every: int) -> Rollup:
        """Summaries in buckets of `every` ns counted from `start`, from the longest rollups that fit.

        Exact, as from `rows`: where the summaries of several files or runs overlap in time, so that a (tag, time) may
        lie in more than one, that bucket is summarised from the rows again. `sum` is exact to the rounding of float64.
        """
        level = _level(start, end, every)
        if level is None or end <= start:
            return summarize(self.rows(kind, start, end), every, start)
        width = level[1]
        first, last = -(-start // width) * width, end // width * width
        whole = self._partials(kind, first, last, level)
        twice = overlapping(whole, width)
        parts = [whole.take(~twice), *self._again(kind, whole.take(twice), width)]
        rims = [
            summarize(self.rows(kind, *rim), width, rim[0]) for rim in ((start, first), (last, end)) if rim[0] < rim[1]
        ]
        return merge([*parts, *rims], every, start)

    def _partials(self, kind: Kind, start: int, end: int, level: tuple[str, int]) -> Rollup:
        """Every file's and run's own summaries, sorted by (rank, bucket, first time)."""
        name, width = level
        parts = []
        for segment in self._segments(kind, start, end):
            if getattr(segment, name) is None:
                parts.append(summarize(self._raw(segment, start, end), width))
            else:
                parts.append(self._summaries(segment, name, start, end))
        parts += [summarize(collapse(rows), width) for rows in self._memory(kind, start, end)]
        return in_order([part.renumber(self._rank) for part in parts if len(part)])

    def _again(self, kind: Kind, twice: Rollup, width: int) -> list[Rollup]:
        """Summaries of the buckets in `twice` from the rows themselves, where a repeated (tag, time) counts once."""
        answers = []
        for start, end in _spans(twice.time, width):
            part = twice.take((twice.time >= start) & (twice.time < end))
            ranks = np.unique(part.tag)
            ids = self._ids[ranks].tolist()
            again = summarize(Scan(self._view, ids, len(self._rank)).rows(kind, start, end), width)
            again = again.renumber(ranks.astype(np.int32))
            answers.append(again.take(np.isin(_cell(again, width), _cell(part, width))))
        return answers

    def _parts(self, kind: Kind, start: int, end: int) -> list[Rows]:
        parts = [self._raw(segment, start, end) for segment in self._segments(kind, start, end)]
        return parts + self._memory(kind, start, end)

    def _raw(self, segment: Segment, start: int, end: int) -> Rows:
        rows = self._ask(segment, lambda s: s.find(self._wanted, start, end), empty(segment.kind))
        note("raw", groups=len(choose(segment.groups, self._wanted, start, end)), rows=len(rows))
        return rows

    def _summaries(self, segment: Segment, level: str, start: int, end: int) -> Rollup:
        found = self._ask(segment, lambda s: s.find_rollup(level, self._wanted, start, end), _NO_ROLLUP)
        note(level, groups=len(choose(getattr(segment, level), self._wanted, start, end)), rows=len(found))
        return found

    def _memory(self, kind: Kind, start: int, end: int) -> list[Rows]:
        parts = [run.find(self._sorted, start, end) for run in self._view.runs[kind]]
        if rows := sum(map(len, parts)):
            note("memory", files=0, groups=0, rows=rows)
        return parts

    def _segments(self, kind: Kind, start: int, end: int) -> list[Segment]:
        return [s for s in self._view.segments if s.kind is kind and s.start < end and s.end >= start and not s.damage]

    def _ask(self, segment: Segment, question: Callable[[Segment], _Answer], nothing: _Answer) -> _Answer:
        """The segment's answer; a damaged one is named once and passed over from then on."""
        try:
            with reading(segment):
                return question(segment)
        except DamagedError as problem:
            _log.error("%s", problem)
            return nothing


def _spans(times: NDArray[np.int64], width: int) -> list[tuple[int, int]]:
    """Spans of time that hold all buckets; buckets close to each other share one, so that they are few."""
    starts = np.unique(times)
    if not len(starts):
        return []
    gaps = np.diff(starts)
    apart = max(int(np.partition(gaps, -SPANS)[-SPANS]), width) if len(gaps) >= SPANS else width
    cuts = np.flatnonzero(gaps > apart)
    first, last = np.append(starts[:1], starts[cuts + 1]), np.append(starts[cuts], starts[-1:])
    return list(zip(first.tolist(), (last + width).tolist(), strict=True))


def _cell(rollup: Rollup, width: int) -> NDArray[np.int64]:
    """One number per (rank, bucket)."""
    return (rollup.tag.astype(np.int64) << 32) | (rollup.time // width)


SPANS: Final = 32
_NO_ROLLUP = merge([], MINUTE)


def _level(start: int, end: int, every: int) -> tuple[str, int] | None:
    """The longest rollup whose buckets fit into those asked for; where one is asked for, its rims come from rows."""
    for name, width in (("hours", HOUR), ("minutes", MINUTE)):
        if (every % width == 0 and start % width == 0) or (end - start <= every and end - start >= 3 * width):
            return name, width
    return None


def last_of_each(rows: Rows) -> Rows:
    """The last row of each tag of sorted rows."""
    final: NDArray[np.bool_] = np.append(rows.tag[1:] != rows.tag[:-1], np.ones(min(len(rows), 1), bool))
    return rows.take(final)
