"""Scanning a view: files and memory merged, sorted, without repeated (tag, time)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.memtable import Run
from shopfloor.services.historian.read.plan import note
from shopfloor.services.historian.read.planner import Choice, Need, Piece, cheapest
from shopfloor.services.historian.rows import Rows, collapse, empty, join, packed, sort
from shopfloor.services.historian.segments.decoded import rollups_of, rows_of
from shopfloor.services.historian.segments.rollup import Rollup, joined, merge, overlapping, summarize
from shopfloor.services.historian.segments.segment import DamagedError, Segment, choose
from shopfloor.services.historian.shelf import View

_log = logging.getLogger(__name__)
_Partial = tuple[Rollup, NDArray[np.int64], NDArray[np.int64]]
"""Summaries, and the oldest and newest time that the rows of each of them may have."""

_Part = TypeVar("_Part")


class Scan:
    """One question to one view: `ids` are tag ids in the order asked; answers number tags by that order."""

    def __init__(self, view: View, ids: Sequence[int], tags: int) -> None:
        self._view = view
        self.wanted = np.zeros(tags, bool)
        self.wanted[list(ids)] = True
        self._ids = np.array(ids, np.int64)
        self._sorted = np.array(sorted(ids), np.int32)
        self.rank = np.zeros(tags, np.int32)
        self.rank[list(ids)] = np.arange(len(ids), dtype=np.int32)

    def estimate(self, kinds: Sequence[Kind], start: int, end: int, *, memory: bool = True) -> int:
        """About how many rows a question reads."""
        count = 0
        for kind in kinds:
            for segment in self.segments(kind, start, end):
                share = len(choose(segment.groups, self.wanted, start, end)) / max(len(segment.groups), 1)
                count += int(segment.rows * share)
            count += sum(run.count for run in self._view.runs[kind]) if memory else 0
        return count

    def rows(self, kind: Kind, start: int, end: int) -> Rows:
        """Every row of a kind in [start, end), sorted by (rank, time); the row that was stored last wins."""
        parts = [part for part in self._parts(kind, start, end) if len(part)]
        return collapse(sort(join(parts, kind).renumber(self.rank))) if parts else empty(kind)

    def rollup(self, kind: Kind, start: int, every: int, pieces: Sequence[Piece]) -> Rollup:
        """Summaries of pieces in buckets of `every` ns counted from `start`.

        Exact, as from `rows`: where the summaries of several files or runs overlap in time, so that a (tag, time) may
        lie in more than one, that bucket is summarised from the rows again. `sum` is exact to the rounding of float64.
        """
        parts = [self.exact(kind, (p.start, p.end), p.width, p.level or None) for p in pieces if p.start < p.end]
        return merge([part for found in parts for part in found], every, start)

    def choice(self, kind: Kind, need: Need, ways: Collection[str]) -> Choice:
        """The cheapest way to what is needed."""
        return cheapest(need, self.segments(kind, need.start, need.end), self.wanted, ways)

    def forgets(self, kind: Kind, start: int, end: int) -> bool:
        """Whether rows of a wanted tag were forgotten, and only rollups still know of them."""
        gone = [segment.gone for segment in self.segments(kind, start, end) if len(segment.gone)]
        return any(bool(self.wanted[one[one < len(self.wanted)]].any()) for one in gone)

    def exact(self, kind: Kind, span: tuple[int, int], width: int, name: str | None) -> list[Rollup]:
        """Partial summaries in buckets of `width` counted from the start of the span; every row in exactly one."""
        return [*self._whole(kind, span, width, name), *self._remains(kind, span, width, name)]

    def _remains(self, kind: Kind, span: tuple[int, int], width: int, name: str | None) -> Iterator[Rollup]:
        """What rollups still know of rows that were forgotten: in the bucket in which each of them begins."""
        for segment in self.segments(kind, *span):
            if not len(segment.gone):
                continue
            lost = np.zeros(len(self.wanted), bool)
            lost[segment.gone[segment.gone < len(lost)]] = True
            lost &= self.wanted
            stored = next(
                (way for way in (name, "minutes", "hours") if way and getattr(segment, way) is not None), None
            )
            if not lost.any() or stored is None:
                continue
            parts = rollups_of(segment, stored, lost, *span)
            for part, _, _ in self.told(
                segment, stored, (self._bounded(part, width, segment) for part in parts), _length
            ):
                yield replace(part, time=(part.time - span[0]) // width * width + span[0])

    def _kept(self, segment: Segment) -> NDArray[np.bool_]:
        """The wanted tags whose rows the segment still has."""
        if not len(segment.gone):
            return self.wanted
        kept = self.wanted.copy()
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
        for segment in self.segments(kind, *span):
            if name is None or getattr(segment, name) is None:
                rows = rows_of(segment, self.wanted, *span)
                yield from self.told(segment, "raw", (self._summary(part, width, span[0]) for part in rows), _weight)
            else:
                stored = rollups_of(segment, name, self._kept(segment), *span)
                yield from self.told(segment, name, (self._bounded(part, width, segment) for part in stored), _length)
        yield from (self._summary(collapse(rows), width, span[0]) for rows in self.memory(kind, *span) if len(rows))

    def _summary(self, rows: Rows, width: int, origin: int) -> _Partial:
        rows = rows.renumber(self.rank)
        part = summarize(rows, width, origin)
        stops = np.cumsum(part.n + part.bad)
        return part, rows.time[stops - part.n - part.bad], rows.time[stops - 1]

    def _bounded(self, part: Rollup, width: int, segment: Segment) -> _Partial:
        """A stored summary keeps the times of usable values only; others lie in its bucket and in its segment."""
        first, last = part.first_time, part.last_time
        if part.bad.any():
            first = np.where(part.bad > 0, np.maximum(part.time, segment.start), first)
            last = np.where(part.bad > 0, np.minimum(part.time + width - 1, segment.end), last)
        return part.renumber(self.rank), first, last

    def _again(self, kind: Kind, twice: Rollup, whole: tuple[int, int], width: int) -> list[Rollup]:
        """Summaries of the buckets in `twice` from the rows themselves, where a repeated (tag, time) counts once."""
        answers = []
        for start, end in _spans(twice.time, width):
            part = twice.take((twice.time >= start) & (twice.time < end))
            ranks = np.unique(part.tag)
            ids = self._ids[ranks].tolist()
            rows = Scan(self._view, ids, len(self.rank)).rows(kind, start, min(end, whole[1]))
            again = summarize(rows, width, start).renumber(ranks.astype(np.int32))
            answers.append(again.take(np.isin(_cell(again, start, width), _cell(part, start, width))))
        return answers

    def _parts(self, kind: Kind, start: int, end: int) -> list[Rows]:
        parts: list[Rows] = []
        for segment in self.segments(kind, start, end):
            parts += self.told(segment, "raw", rows_of(segment, self.wanted, start, end), len)
        return parts + self.memory(kind, start, end)

    def memory(self, kind: Kind, start: int, end: int) -> list[Rows]:
        """What each run has; a run may repeat itself."""
        parts = [run.find(self._sorted, start, end) for run in self._view.runs[kind]]
        if rows := sum(map(len, parts)):
            note("memory", files=0, groups=0, rows=rows)
        return parts

    def extents(self, kind: Kind, start: int, end: int) -> list[tuple[int, int]]:
        """From when to when segments and runs have values of wanted tags in [start, end), as far as is easily told.

        Where that leaves no doubt that they lie apart, any tags will do.
        """
        sources: list[Segment | Run] = [*self.segments(kind, start, end), *self._runs(kind, start, end)]
        spans = sorted((source.start, source.end) for source in sources)
        if all(left[1] < right[0] for left, right in pairwise(spans)):
            return spans
        return [extent for source in sources if (extent := self._extent(source, start, end))]

    def _extent(self, source: Segment | Run, start: int, end: int) -> tuple[int, int] | None:
        if isinstance(source, Segment):
            groups = source.groups[choose(source.groups, self.wanted, start, end)]
            return (int(groups[:, 2].min()), int(groups[:, 3].max())) if len(groups) else None
        rows = source.find(self._sorted, start, end)
        return (int(rows.time.min()), int(rows.time.max())) if len(rows) else None

    def _runs(self, kind: Kind, start: int, end: int) -> list[Run]:
        return [run for run in self._view.runs[kind] if run.start < end and run.end >= start]

    def segments(self, kind: Kind, start: int, end: int) -> list[Segment]:
        """Those that may have values of the kind in [start, end)."""
        return [s for s in self._view.segments if s.kind is kind and s.start < end and s.end >= start and not s.damage]

    def told(self, segment: Segment, way: str, parts: Iterator[_Part], weigh: Callable[[_Part], int]) -> list[_Part]:
        """The segment's answer, part by row group; a damaged one is named once, and from then on it has none."""
        try:
            found = list(parts)
        except DamagedError as problem:
            _log.error("%s", problem)
            return []
        if found:
            note(way, groups=len(found), rows=sum(map(weigh, found)))
        return found


def _length(part: _Partial) -> int:
    return len(part[0])


def _weight(part: _Partial) -> int:
    """How many rows it stands for."""
    return int((part[0].n + part[0].bad).sum())


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
PORTION: Final = 1_000_000


def portions(view: View, known: dict[str, int], tags: int, start: int, end: int) -> list[dict[str, int]]:
    """The known ones of `tags` in portions of about `PORTION` rows: a long answer needs little memory beside itself."""
    count = -(-Scan(view, list(known.values()), tags).estimate(tuple(Kind), start, end) // PORTION)
    size = -(-len(known) // max(count, 1))
    if size >= len(known):
        return [known]
    entries = list(known.items())
    return [dict(entries[at : at + size]) for at in range(0, len(entries), size)]


def last_of_each(rows: Rows) -> Rows:
    """The last row of each tag of sorted rows."""
    final: NDArray[np.bool_] = np.append(rows.tag[1:] != rows.tag[:-1], np.ones(min(len(rows), 1), bool))
    return rows.take(final)
