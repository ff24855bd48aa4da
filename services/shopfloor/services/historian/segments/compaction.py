"""Compaction: many small segments of a day become one, in little memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence, Set
from pathlib import Path
from typing import Final

import numpy as np
from shopfloor.plant import StoreError
from shopfloor.services.historian.options import Options
from shopfloor.services.historian.rows import Rows, collapse, join, sort
from shopfloor.services.historian.segments.segment import Segment, group_rows
from shopfloor.services.historian.segments.segment_writer import SegmentWriter

WORTH: Final = 8
PACKED: Final = 8
"""The level of a segment that is packed as tightly as can be; others are on their way there."""


def candidates(segments: Sequence[Segment], count: int, free: Set[int] | None = None) -> list[list[Segment]]:
    """Neighbours (in age of data) of one kind, day and level, `count` of them or more.

    Where the store has targets, only the segments that all of them have (`free`) are touched.
    """
    groups: list[list[Segment]] = []
    ordered = sorted(segments, key=lambda s: (s.kind, s.day, s.precedence))
    for _, same in itertools.groupby(ordered, key=lambda s: (s.kind, s.day, s.level, _is_free(s, free))):
        group = list(same)
        if len(group) >= count and _is_free(group[0], free):
            groups.append(group)
    return groups


def closings(segments: Sequence[Segment], before: str, free: Set[int] | None = None) -> list[list[Segment]]:
    """All neighbours of one kind of each day earlier than `before`, where packing them into one is worth its work.

    It is where what is not packed yet has an eighth of the rows that are, or more: a few late values do not write a day
    anew.
    """
    groups: list[list[Segment]] = []
    for group in neighbours(segments, free):
        packed = sum(segment.rows for segment in group if segment.level >= PACKED)
        loose = sum(segment.rows for segment in group) - packed
        if group[0].day < before and loose and loose >= packed / WORTH:
            groups.append(group)
    return groups


def neighbours(segments: Sequence[Segment], free: Set[int] | None = None) -> list[list[Segment]]:
    """All segments of one kind of each day that can become one."""
    ordered = sorted(segments, key=lambda s: (s.kind, s.day, s.precedence))
    groups = itertools.groupby(ordered, key=lambda s: (s.kind, s.day, _is_free(s, free)))
    return [list(same) for (*_, is_free), same in groups if is_free]


def compact(
    parts: Sequence[Segment],
    folder: Path,
    id_: int,
    options: Options,
    *,
    final: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Segment, int]:
    """One segment of many; and how many exact duplicates collapsed.

    What is `final` is packed as tightly as can be. `meanwhile` is called now and then: for what cannot wait so long,
    and to give up by raising.
    """
    first = parts[0]
    sample = [group_rows(part, len(part.groups) * at // len(parts)) for at, part in enumerate(parts)]
    out = SegmentWriter(folder, first.kind, first.day, id_, options, sample, final=final)
    try:
        came = 0
        for rows in _merged(parts):
            meanwhile()
            came += len(rows)
            out.add(collapse(rows))
        collapsed = came - out.rows
        _check(came, sum(part.rows for part in parts), folder)
        level = PACKED if final else max(part.level for part in parts) + 1
        return out.finish(max(part.precedence for part in parts), level), collapsed
    except BaseException:
        out.abandon()
        raise


def _check(came: int, expected: int, folder: Path) -> None:
    if came != expected:
        raise StoreError(f"A compaction in {folder} read {came} values of {expected}: nothing was changed.")


def _is_free(segment: Segment, free: Set[int] | None) -> bool:
    return not segment.damage and not len(segment.gone) and (free is None or segment.id in free)


def _merged(parts: Sequence[Segment]) -> Iterator[Rows]:
    """All rows of all parts, sorted, piece by piece; equal (tag, time) never fall into two pieces."""
    streams = [_Stream(part) for part in parts]
    while any(len(stream.rows) for stream in streams):
        border = min(stream.border() for stream in streams)
        pieces = [stream.take(border) for stream in streams]
        yield sort(join([piece for piece in pieces if len(piece)], parts[0].kind))
        for stream in streams:
            stream.fill()


_END = (np.iinfo(np.int64).max, np.iinfo(np.int64).max)


class _Stream:
    """The rows of one segment, a row group at a time."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._group = 0
        self.rows = group_rows(segment, 0)

    def border(self) -> tuple[int, int]:
        """Up to here (tag, time) the stream has shown everything; the end when nothing more comes."""
        if self._group + 1 >= len(self._segment.groups):
            return _END
        return int(self.rows.tag[-1]), int(self.rows.time[-1])

    def take(self, border: tuple[int, int]) -> Rows:
        """Rows up to and including the border."""
        tag, time = border
        upto = int(np.searchsorted(self.rows.tag, min(tag, np.iinfo(np.int32).max), "left"))
        same = int(np.searchsorted(self.rows.tag, min(tag, np.iinfo(np.int32).max), "right"))
        upto += int(np.searchsorted(self.rows.time[upto:same], time, "right"))
        taken, self.rows = self.rows.take(slice(0, upto)), self.rows.take(slice(upto, None))
        return taken

    def fill(self) -> None:
        """Read on when all was taken."""
        if not len(self.rows) and self._group + 1 < len(self._segment.groups):
            self._group += 1
            self.rows = group_rows(self._segment, self._group)
