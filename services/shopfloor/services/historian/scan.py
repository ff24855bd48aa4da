"""Scanning a view: files and memory merged, sorted, without repeated (tag, time)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.options import HOUR, MINUTE
from shopfloor.services.historian.rollup import Rollup, merge, summarize
from shopfloor.services.historian.rows import Rows, collapse, empty, join, sort
from shopfloor.services.historian.segment import Segment, choose
from shopfloor.services.historian.shelf import View

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class Scan:
    """One question to one view: `ids` are tag ids in the order asked; answers number tags by that order."""

    def __init__(self, view: View, ids: Sequence[int], tags: int) -> None:
        self._view = view
        self._wanted = np.zeros(tags, bool)
        self._wanted[list(ids)] = True
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
        """Summaries in buckets of `every` ns counted from `start`, from the longest rollups that fit."""
        level = _level(start, every)
        if level is None or end <= start:
            return summarize(self.rows(kind, start, end), every, start)
        name, width = level
        border = start + (end - start) // width * width
        parts = []
        for segment in self._segments(kind, start, border):
            if getattr(segment, name) is None:
                parts.append(
                    summarize(self._ask(segment, lambda s: s.find(self._wanted, start, border), empty(kind)), width)
                )
            else:
                parts.append(self._ask(segment, lambda s: s.find_rollup(name, self._wanted, start, border), _NO_ROLLUP))
        parts += [summarize(run.find(self._sorted, start, border), width) for run in self._view.runs[kind]]
        parts = [part.renumber(self._rank) for part in parts if len(part)]
        parts.append(summarize(self.rows(kind, border, end), width))
        return merge(parts, every, start)

    def _parts(self, kind: Kind, start: int, end: int) -> list[Rows]:
        parts = [
            self._ask(segment, lambda s: s.find(self._wanted, start, end), empty(kind))
            for segment in self._segments(kind, start, end)
        ]
        return parts + [run.find(self._sorted, start, end) for run in self._view.runs[kind]]

    def _segments(self, kind: Kind, start: int, end: int) -> list[Segment]:
        return [s for s in self._view.segments if s.kind is kind and s.start < end and s.end >= start and not s.damage]

    def _ask(self, segment: Segment, question: Callable[[Segment], _Answer], nothing: _Answer) -> _Answer:
        """The segment's answer; a damaged one is named once and passed over from then on."""
        try:
            return question(segment)
        except (OSError, pa.ArrowException) as problem:
            segment.damage = (
                f"{segment.path} is damaged ({problem}): restore it from a backup;"
                f" its {segment.rows} values cannot be read until then."
            )
            _log.error("%s", segment.damage)
            return nothing


_NO_ROLLUP = merge([], MINUTE)


def _level(start: int, every: int) -> tuple[str, int] | None:
    for name, width in (("hours", HOUR), ("minutes", MINUTE)):
        if every % width == 0 and start % width == 0:
            return name, width
    return None


def last_of_each(rows: Rows) -> Rows:
    """The last row of each tag of sorted rows."""
    final: NDArray[np.bool_] = np.append(rows.tag[1:] != rows.tag[:-1], np.ones(min(len(rows), 1), bool))
    return rows.take(final)
