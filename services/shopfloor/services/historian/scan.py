"""Scanning a view: files and memory merged, sorted, without repeated (tag, time)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.decoded import rollups_of, rows_of
from shopfloor.services.historian.options import HOUR, MINUTE
from shopfloor.services.historian.plan import note
from shopfloor.services.historian.rollup import Rollup, joined, merge, overlapping, summarize
from shopfloor.services.historian.rows import Rows, collapse, empty, join, packed, sort
from shopfloor.services.historian.segment import DamagedError, Segment, choose
from shopfloor.services.historian.shelf import View

_log = logging.getLogger(__name__)
_Partial = tuple[Rollup, NDArray[np.int64], NDArray[np.int64]]
"""Summaries, and the oldest and newest time that the rows of each of them may have."""

_Part = TypeVar("_Part", Rows, _Partial)


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

    def estimate(self, kinds: Sequence[Kind], start: int, end: int, *, memory: bool = True) -> int:
        """About how many rows a question reads."""
        count = 0
        for kind in kinds:
            for segment in self._segments(kind, start, end):
                share = len(choose(segment.groups, self._wanted, start, end)) / max(len(segment.groups), 1)
                count += int(segment.rows * share)
            count += sum(run.count for run in self._view.runs[kind]) if memory else 0
        return count

    def rows(self, kind: Kind, start: int, end: int) -> Rows:
        """Every row of a kind in [start, end), sorted by (rank, time); the row that was stored last wins."""
        parts = [part for part in self._parts(kind, start, end) if len(part)]
        return collapse(sort(join(parts, kind).renumber(self._rank))) if parts else empty(kind)

    def rollup(self, kind: Kind, start: int, end: int, every: int) -> Rollup:
        """Summaries in buckets of `every` ns counted from `start`, from the longest rollups that fit, else from rows.

        Exact, as from `rows`: where the summaries of several files or runs overlap in time, so that a (tag, time) may
        lie in more than one, that bucket is summarised from the rows again. `sum` is exact to the rounding of float64.
        """
        stored = level(start, end, every)
        if stored is None or end <= start:
            return merge(self._exact(kind, (start, end), every, None), every, start)
        name, width = stored
        first, last = -(-start // width) * width, end // width * width
        parts = self._exact(kind, (first, last), width, name)
        for rim in ((start, first), (last, end)):
            parts += self._exact(kind, rim, width, None) if rim[0] < rim[1] else []
        return merge(parts, every, start)

    def _exact(self, kind: Kind, span: tuple[int, int], width: int, name: str | None) -> list[Rollup]:
        """Partial summaries in buckets of `width` counted from the start of the span; every row in exactly one."""
        return [*self._whole(kind, span, width, name), *self._remains(kind, span, width, name)]

    def _remains(self, kind: Kind, span: tuple[int, int], width: int, name: str | None) -> Iterator[Rollup]:
        """What rollups still know of rows that were forgotten: in the bucket in which each of them begins."""
        for segment in self._segments(kind, *span):
            lost = np.zeros(len(self._wanted), bool)
            lost[segment.gone[segment.gone < len(lost)]] = True
            lost &= self._wanted
            stored = next(
                (way for way in (name, "minutes", "hours") if way and getattr(segment, way) is not None), None
            )
            if not lost.any() or stored is None:
                continue
            parts = rollups_of(segment, stored, lost, *span)
            for part, _, _ in self._told(segment, stored, (self._bounded(part, width, segment) for part in parts)):
                yield replace(part, time=(part.time - span[0]) // width * width + span[0])

    def _kept(self, segment: Segment) -> NDArray[np.bool_]:
        """The wanted tags whose rows the segment still has."""
        if not len(segment.gone):
            return self._wanted
        kept = self._wanted.copy()
        kept[segment.gone[segment.gone < len(kept)]] = False
        return kept

    def _whole(self, kind: Kind, span: tuple[int, int], width: int, name: str | None) -> list[Rollup]:
        found = list(self._partials(kind, span, width, name))
        if len(found) < 2:
            return [whole for whole, _, _ in found]
        whole = joined([part for part, _, _ in found])
        cells = packed(whole.tag, whole.time)
        if cells is not None and bool(np.all(cells[1:] > cells[:-1])):
            return [whole]
        first, last = (np.concatenate([part[side] for part in found]) for side in (1, 2))
        index = np.lexsort((whole.first_time, whole.time, whole.tag))
        whole = whole.take(index)
        twice = overlapping(whole, first[index], last[index])
        return [whole.take(~twice), *self._again(kind, whole.take(twice), span, width)] if twice.any() else [whole]

    def _partials(self, kind: Kind, span: tuple[int, int], width: int, name: str | None) -> Iterator[_Partial]:
        """Every file's and run's own summaries."""
        for segment in self._segments(kind, *span):
            if name is None or getattr(segment, name) is None:
                rows = rows_of(segment, self._wanted, *span)
                yield from self._told(segment, "raw", (self._summary(part, width, span[0]) for part in rows))
            else:
                stored = rollups_of(segment, name, self._kept(segment), *span)
                yield from self._told(segment, name, (self._bounded(part, width, segment) for part in stored))
        yield from (self._summary(collapse(rows), width, span[0]) for rows in self._memory(kind, *span) if len(rows))

    def _summary(self, rows: Rows, width: int, origin: int) -> _Partial:
        rows = rows.renumber(self._rank)
        part = summarize(rows, width, origin)
        stops = np.cumsum(part.n + part.bad)
        return part, rows.time[stops - part.n - part.bad], rows.time[stops - 1]

    def _bounded(self, part: Rollup, width: int, segment: Segment) -> _Partial:
        """A stored summary keeps the times of usable values only; others lie in its bucket and in its segment."""
        first, last = part.first_time, part.last_time
        if part.bad.any():
            first = np.where(part.bad > 0, np.maximum(part.time, segment.start), first)
            last = np.where(part.bad > 0, np.minimum(part.time + width - 1, segment.end), last)
        return part.renumber(self._rank), first, last

    def _again(self, kind: Kind, twice: Rollup, whole: tuple[int, int], width: int) -> list[Rollup]:
        """Summaries of the buckets in `twice` from the rows themselves, where a repeated (tag, time) counts once."""
        answers = []
        for start, end in _spans(twice.time, width):
            part = twice.take((twice.time >= start) & (twice.time < end))
            ranks = np.unique(part.tag)
            ids = self._ids[ranks].tolist()
            rows = Scan(self._view, ids, len(self._rank)).rows(kind, start, min(end, whole[1]))
            again = summarize(rows, width, start).renumber(ranks.astype(np.int32))
            answers.append(again.take(np.isin(_cell(again, start, width), _cell(part, start, width))))
        return answers

    def _parts(self, kind: Kind, start: int, end: int) -> list[Rows]:
        parts: list[Rows] = []
        for segment in self._segments(kind, start, end):
            parts += self._told(segment, "raw", rows_of(segment, self._wanted, start, end))
        return parts + self._memory(kind, start, end)

    def _memory(self, kind: Kind, start: int, end: int) -> list[Rows]:
        parts = [run.find(self._sorted, start, end) for run in self._view.runs[kind]]
        if rows := sum(map(len, parts)):
            note("memory", files=0, groups=0, rows=rows)
        return parts

    def _segments(self, kind: Kind, start: int, end: int) -> list[Segment]:
        return [s for s in self._view.segments if s.kind is kind and s.start < end and s.end >= start and not s.damage]

    def _told(self, segment: Segment, way: str, parts: Iterator[_Part]) -> list[_Part]:
        """The segment's answer, part by row group; a damaged one is named once, and from then on it has none."""
        try:
            found = list(parts)
        except DamagedError as problem:
            _log.error("%s", problem)
            return []
        note(way, groups=len(found), rows=sum(map(_weight, found) if way == "raw" else map(_length, found)))
        return found


def _length(part: Rows | _Partial) -> int:
    return len(part[0] if isinstance(part, tuple) else part)


def _weight(part: Rows | _Partial) -> int:
    """How many rows it stands for."""
    return int((part[0].n + part[0].bad).sum()) if isinstance(part, tuple) else len(part)


def _spans(times: NDArray[np.int64], width: int) -> list[tuple[int, int]]:
    """Spans of time that hold all buckets; buckets close to each other share one, so that they are few."""
    starts = np.unique(times)
    if not len(starts):
        return []
    gaps = np.diff(starts)
    apart = int(np.partition(gaps, -SPANS)[-SPANS]) if len(gaps) >= SPANS else width
    cuts = np.flatnonzero((gaps > width) & (gaps >= apart))
    first, last = np.append(starts[:1], starts[cuts + 1]), np.append(starts[cuts], starts[-1:])
    return list(zip(first.tolist(), (last + width).tolist(), strict=True))


def _cell(rollup: Rollup, origin: int, width: int) -> NDArray[np.int64]:
    """One number per (rank, bucket)."""
    return (rollup.tag.astype(np.int64) << 32) | ((rollup.time - origin) // width)


SPANS: Final = 256


def level(start: int, end: int, every: int) -> tuple[str, int] | None:
    """The longest rollup whose buckets fit into those asked for; where one is asked for, its rims come from rows."""
    for name, width in (("hours", HOUR), ("minutes", MINUTE)):
        if (every % width == 0 and start % width == 0) or (end - start <= every and end - start >= 3 * width):
            return name, width
    return None


def last_of_each(rows: Rows) -> Rows:
    """The last row of each tag of sorted rows."""
    final: NDArray[np.bool_] = np.append(rows.tag[1:] != rows.tag[:-1], np.ones(min(len(rows), 1), bool))
    return rows.take(final)
