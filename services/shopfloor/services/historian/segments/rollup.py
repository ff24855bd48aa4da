"""Rollups: mergeable summaries of the numeric values of a tag in a bucket of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.quality import severity
from shopfloor.services.historian.rows import Rows, order

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rollup:
    """One summary per (tag, bucket), in columns sorted by them.

    `n` counts good and uncertain numbers, which alone enter sum, min, max, first, last and increase (NaN where `n` is
    0); `bad` counts the rest. `increase` adds the rises from number to number within the bucket; after a fall, which is
    a counter's reset, the new number itself. `time` is the start of the bucket; `quality` is the worst StatusCode.
    """

    tag: NDArray[np.int32]
    time: Ints
    n: Ints
    bad: Ints
    sum: Floats
    min: Floats
    max: Floats
    first: Floats
    last: Floats
    increase: Floats
    first_time: Ints
    last_time: Ints
    quality: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """The chosen summaries."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def renumber(self, numbers: NDArray[np.int32]) -> Self:
        """The same summaries with tag t called `numbers[t]`."""
        return type(self)(numbers[self.tag], *(getattr(self, field.name) for field in fields(self)[1:]))


def summarize(rows: Rows, every: int, origin: int = 0) -> Rollup:
    """Summaries of sorted numeric rows in buckets of `every` ns counted from `origin`."""
    if not len(rows):
        return nothing()
    bucket = _buckets(rows.time, every, origin)
    starts = group_starts(rows.tag, bucket)
    count = np.diff(np.append(starts, len(rows)))
    value, time = rows.value.astype(np.float64, copy=False), rows.time
    n, usable = count, (severity(rows.quality) < 2) & ~np.isnan(value)
    if not usable.all():
        n, value, time = np.add.reduceat(usable, starts, dtype=np.int64), value[usable], time[usable]
    some = n > 0
    firsts = (np.cumsum(n) - n)[some]
    lasts = firsts + n[some] - 1

    def number(found: Floats, otherwise: float = np.nan) -> Floats:
        return _spread(found, some, np.full(len(n), otherwise))

    def reduce(how: np.ufunc) -> Floats:
        return how.reduceat(value, firsts) if len(firsts) else value[:0]

    return Rollup(
        rows.tag[starts],
        bucket[starts] * every + origin,
        n,
        count - n,
        number(reduce(np.add), 0.0),
        number(reduce(np.minimum)),
        number(reduce(np.maximum)),
        number(value[firsts]),
        number(value[lasts]),
        number(_rises(value, value, firsts)),
        _spread(time[firsts], some, rows.time[starts]),
        _spread(time[lasts], some, rows.time[starts + count - 1]),
        np.maximum.reduceat(rows.quality, starts),
    )


def merge(parts: Sequence[Rollup], every: int, origin: int = 0) -> Rollup:
    """One summary per (tag, bucket of `every` ns counted from `origin`) out of partial ones.

    Each part's bucket must lie within one of the answer's.
    """
    whole = _join([part for part in parts if len(part)])
    if not len(whole):
        return whole
    index = order(whole.tag, whole.first_time)
    whole = whole if index is None else whole.take(index)
    bucket = (whole.time - origin) // every
    if np.any((whole.tag[1:] == whole.tag[:-1]) & (bucket[1:] < bucket[:-1])):
        again = np.lexsort((whole.first_time, bucket, whole.tag))
        whole, bucket = whole.take(again), bucket[again]
    starts = group_starts(whole.tag, bucket)
    usable = whole.n > 0
    first, _ = _ends(usable, starts)
    last = _latest(whole, usable, starts)
    return Rollup(
        whole.tag[starts],
        bucket[starts] * every + origin,
        np.add.reduceat(whole.n, starts),
        np.add.reduceat(whole.bad, starts),
        np.add.reduceat(whole.sum, starts),
        np.fmin.reduceat(whole.min, starts),
        np.fmax.reduceat(whole.max, starts),
        whole.first[first],
        whole.last[last],
        _joined(whole, usable, starts),
        whole.first_time[first],
        whole.last_time[last],
        np.maximum.reduceat(whole.quality, starts),
    )


def joined(parts: Sequence[Rollup]) -> Rollup:
    """All summaries, part by part."""
    return _join([part for part in parts if len(part)])


def apart(parts: Sequence[Rollup]) -> bool:
    """Whether no summary's usable values lie between those of another one of its bucket."""
    whole = joined(parts)
    whole = whole.take(np.lexsort((whole.first_time, whole.time, whole.tag)))
    return not overlapping(whole, whole.first_time, whole.last_time).any()


@np.errstate(invalid="ignore")
def increases(rollup: Rollup) -> Floats:
    """Of each bucket, the rise from the last number of the tag's bucket before it included: they add up over time."""
    usable = rollup.n > 0
    tag = rollup.tag[usable]
    starts = np.flatnonzero(np.append(True, tag[1:] != tag[:-1]))[: len(tag)]
    answer = rollup.increase.copy()
    answer[usable] += _steps(rollup.first[usable], rollup.last[usable], starts)
    return answer


@np.errstate(invalid="ignore")  # infinities have no difference
def _rises(first: Floats, last: Floats, starts: Ints) -> Floats:
    """Sum of the steps of each group."""
    return np.add.reduceat(_steps(first, last, starts), starts) if len(starts) else first[:0]


def _steps(first: Floats, last: Floats, starts: Ints) -> Floats:
    """How far each entry's first number lies above the last one of the entry before it in its group.

    Where it lies below, that is a reset: the number itself. 0 at the start of a group.
    """
    steps = np.zeros(len(first))
    with np.errstate(invalid="ignore"):
        rise = first[1:] - last[:-1]
    steps[1:] = np.where(rise < 0, first[1:], rise)
    steps[starts] = 0.0
    return steps


@np.errstate(invalid="ignore")
def _joined(whole: Rollup, usable: NDArray[np.bool_], starts: Ints) -> Floats:
    """The increase of each group of partials; NaN where none is usable."""
    n = np.add.reduceat(usable, starts, dtype=np.int64)
    some = n > 0
    firsts = (np.cumsum(n) - n)[some]
    which: slice | NDArray[np.bool_] = slice(None) if usable.all() else usable
    increase = whole.increase[which]
    within = np.add.reduceat(increase, firsts) if len(firsts) else increase
    return _spread(within + _rises(whole.first[which], whole.last[which], firsts), some, np.full(len(n), np.nan))


def overlapping(whole: Rollup, first: Ints, last: Ints) -> NDArray[np.bool_]:
    """Which partial summaries, sorted by (tag, bucket), share their bucket with another that may hold the same times.

    Every row that a partial stands for lies between its `first` and its `last`.
    """
    same = (whole.tag[1:] == whole.tag[:-1]) & (whole.time[1:] == whole.time[:-1])
    if not same.any():
        return np.zeros(len(whole), bool)
    starts = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(~same) + 1])
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(whole))))
    index = np.lexsort((first, group))
    hit = same & (first[index][1:] <= _highest(last[index], group)[:-1])
    mixed = np.zeros(len(starts), bool)
    mixed[group[1:][hit]] = True
    return np.asarray(mixed[group], bool)


def _highest(last: Ints, group: Ints) -> Ints:
    """Running maximum of `last` within each group; groups are numbered upwards."""
    low = int(last.min())
    bits = (int(last.max()) - low).bit_length()
    if bits + int(group[-1]).bit_length() > 63:
        return np.asarray(np.maximum.accumulate(last), np.int64)
    high = np.maximum.accumulate((group << bits) | (last - low))
    return np.asarray((high & ((1 << bits) - 1)) + low, np.int64)


def nothing() -> Rollup:
    """No summaries."""
    i, f = np.empty(0, np.int64), np.empty(0, np.float64)
    return Rollup(np.empty(0, np.int32), i, i, i, f, f, f, f, f, f, i, i, np.empty(0, np.uint32))


def _join(parts: Sequence[Rollup]) -> Rollup:
    if not parts:
        return nothing()
    if len(parts) == 1:
        return parts[0]
    return Rollup(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rollup)))


def group_starts(tag: NDArray[Any], bucket: Ints) -> Ints:
    """Index of the first row of each (tag, bucket) of rows that have them together; there is one row or more."""
    changed = (tag[1:] != tag[:-1]) | (bucket[1:] != bucket[:-1])
    return np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changed) + 1])


def _buckets(time: Ints, every: int, origin: int) -> Ints:
    """Number of the bucket of each time; dividing is what takes long, and often all lie in one."""
    low, high = (int(time.min()) - origin) // every, (int(time.max()) - origin) // every
    return np.full(len(time), low) if low == high else (time - origin) // every


def _spread(found: NDArray[Any], some: NDArray[np.bool_], otherwise: NDArray[Any]) -> NDArray[Any]:
    """What was found, at its places."""
    if len(found) == len(some):
        return found
    otherwise[some] = found
    return otherwise


def _ends(usable: NDArray[np.bool_], starts: Ints) -> tuple[Ints, Ints]:
    """Index of the first and last usable row of each group; the group's own ends where none is usable."""
    stops = np.append(starts[1:], len(usable)) - 1
    if usable.all():
        return starts, stops
    at = np.arange(len(usable))
    first = np.minimum.reduceat(np.where(usable, at, len(usable)), starts)
    last = np.maximum.reduceat(np.where(usable, at, -1), starts)
    return np.where(first < len(usable), first, starts), np.where(last >= 0, last, stops)


def _latest(whole: Rollup, usable: NDArray[np.bool_], starts: Ints) -> Ints:
    """Index of the usable partial whose last value is newest, per group."""
    stops = np.append(starts[1:], len(whole)) - 1
    newer = whole.last_time[1:] >= whole.last_time[:-1]
    newer[stops[:-1]] = True
    if newer.all() and usable.all():
        return stops
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(whole))))
    by_end = np.lexsort((whole.last_time, usable, group))
    return np.asarray(by_end[stops], np.int64)
