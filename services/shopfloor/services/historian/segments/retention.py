"""Retention: what of a day is past its time, and a segment without it. Rollups outlive the rows they stand for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.options import DAY, NS, Options, Retention
from shopfloor.services.historian.segments.segment import Segment, choose, group_rows, sync
from shopfloor.services.historian.segments.segment_writer import LEVELS, STATES, SegmentWriter
from shopfloor.services.historian.selector import Selector


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What of a day is past its time: the rows of tags (a mask over tag ids), and rollups by level."""

    rows: NDArray[np.bool_]
    levels: Set[str]

    def touches(self, segment: Segment) -> bool:
        """Whether the segment still has something of it."""
        if any(getattr(segment, level) is not None for level in self.levels):
            return True
        due = self.rows.copy()
        due[segment.gone] = False
        return bool(choose(segment.groups, due, segment.start, segment.end + 1))


class Ages:
    """How old the rows of each tag may become, by tag id; the first selector that chooses a tag says it."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._selectors = [(Selector(text), age) for text, age in retention.tags]
        self._ages = np.empty(0)

    def past(self, day: str, now: int, paths: Sequence[str]) -> Past:
        """What of a UTC day is past its time at `now` (UTC ns): what its end has been for longer than it may."""
        fresh = [self._age(path) for path in paths[len(self._ages) :]]
        self._ages = np.concatenate([self._ages, np.array(fresh)])
        since = (now - (int(np.datetime64(day, "D").astype(np.int64)) + 1) * DAY) / NS
        levels = {"minutes": self._retention.minutes_s, "hours": self._retention.hours_s}
        levels[STATES] = self._retention.hours_s
        return Past(self._ages <= since, {level for level, age in levels.items() if _or_never(age) <= since})

    def _age(self, path: str) -> float:
        ages = (age for selector, age in self._selectors if selector.matches(path))
        return next(ages, _or_never(self._retention.raw_s))


def _or_never(age: float | None) -> float:
    return float("inf") if age is None else age


def without(
    segment: Segment, past: Past, folder: Path, id_: int, options: Options, meanwhile: Callable[[], None]
) -> Segment | None:
    """A new segment without what is past its time; None when nothing is left. `meanwhile` as for `compact`.

    Rollups that the rows were too few to be worth are made now, before the rows go.
    """
    levels = [STATES] if segment.kind is Kind.TEXT else [*LEVELS, STATES]
    levels = [level for level in levels if level not in past.levels]
    kept = [level for level in levels if getattr(segment, level) is not None]
    made = [level for level in levels if level not in kept and len(segment.groups)]
    out = SegmentWriter(folder, segment.kind, segment.day, id_, options, final=True, levels=made)
    try:
        for group in range(len(segment.groups)):
            meanwhile()
            rows = group_rows(segment, group)
            out.add(rows, keep=~past.rows[rows.tag])
        if not (out.rows or kept or made):
            out.abandon()
            return None
        fresh = out.finish(segment.precedence, segment.level, (segment.start, segment.end))
        for level in kept:
            _copy(segment.rollup_path(level), fresh.rollup_path(level))
            setattr(fresh, level, getattr(segment, level))
    except BaseException:
        out.abandon()
        raise
    fresh.gone = np.union1d(segment.gone, _within(past.rows, segment)).astype(np.int64)
    return fresh


def _within(rows: NDArray[np.bool_], segment: Segment) -> NDArray[np.int64]:
    ids: NDArray[np.int64] = np.flatnonzero(rows)
    low, high = (int(segment.groups[:, 0].min()), int(segment.groups[:, 1].max())) if len(segment.groups) else (0, -1)
    return ids[(ids >= low) & (ids <= high)]


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    sync(target)
    sync(target.parent)
