"""Rational subgroups: from stored values of tags to one statistic for each subgroup, whole or as values arrive."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.config import ChartKind, ChartSection

GRACE_NS: Final = 10_000_000_000
"""How long after the end of a period its values may still come."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Arrays of one length that are joined and cut together."""

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """One after the other; at least one part."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def cut(self, where: slice | NDArray[Any]) -> Self:
        """Some of the rows."""
        return type(self)(*(getattr(self, f.name)[where] for f in fields(self)))

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))


@dataclass(frozen=True, slots=True)
class Measured(Columns):
    """Measured values by time (UTC ns): value, OPC UA quality, and the number of their subgroup where tags say it."""

    time: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint32]
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counted(Columns):
    """What counters counted, by time (UTC ns): what is wrong, what was inspected, and the number of the subgroup."""

    time: NDArray[np.int64]
    wrong: NDArray[np.float64]
    inspected: NDArray[np.float64]
    quality: NDArray[np.uint32]
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Subgroups(Columns):
    """Each subgroup: time of its last value, mean or count, range or deviation, size, worst quality."""

    time: NDArray[np.int64]
    value: NDArray[np.float64]
    spread: NDArray[np.float64]
    n: NDArray[np.float64]
    quality: NDArray[np.uint32]

    def between(self, start: int, end: int) -> Subgroups:
        """Those of [start, end) (UTC ns)."""
        return self.cut(slice(*np.searchsorted(self.time, (start, end)).tolist()))


class Grouper:
    """Cuts values into subgroups; values of a subgroup that is not complete wait for the next.

    >>> from shopfloor.plant.config import SubgroupSection
    >>> chart = ChartSection(chart="xbar-r", tag="d", subgroup=SubgroupSection(size=2))
    >>> value = np.array([1.0, 3.0, 9.0])
    >>> rows = Measured(np.arange(3), value, np.zeros(3, np.uint32), np.zeros(3, np.int64))
    >>> grouper = Grouper(chart)
    >>> grouper.add(rows).value.tolist(), len(grouper.waiting)
    ([2.0], 1)
    """

    def __init__(self, chart: ChartSection) -> None:
        self._chart = chart
        group = chart.subgroup
        self._size = 1 if group is None else group.size
        self._period = round(group.every * 1e9) if group and group.every else None
        self.waiting: Measured | Counted | None = None

    def add(self, rows: Measured | Counted) -> Subgroups:
        """The subgroups that these rows complete; rows are sorted by time and newer than all before."""
        if self.waiting is not None and len(self.waiting):
            rows = type(rows).joined([self.waiting, rows])  # type: ignore[list-item]
        starts, done = self._starts(rows)
        self.waiting = rows.cut(slice(done, None))
        return self._summed(rows.cut(slice(0, done)), starts)

    def flush(self, now: int) -> Subgroups | None:
        """The subgroup of a period that is over; None when nothing waits or the period lasts."""
        rows, period = self.waiting, self._period
        if rows is None or not len(rows) or not period or now < (rows.time[0] // period + 1) * period + GRACE_NS:
            return None
        self.waiting = rows.cut(slice(0, 0))
        return self._summed(rows, np.zeros(1, np.int64))

    def _starts(self, rows: Measured | Counted) -> tuple[NDArray[np.int64], int]:
        """Where complete subgroups begin, and where the first that is not complete does."""
        if self._size is not None:
            done = len(rows) // self._size * self._size
            return np.arange(0, done, self._size), done
        group = rows.time // self._period if self._period else rows.group
        starts = np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
        return starts[:-1], int(starts[-1]) if len(starts) else 0

    def _summed(self, rows: Measured | Counted, starts: NDArray[np.int64]) -> Subgroups:
        if not len(starts):
            none = np.zeros(0)
            return Subgroups(np.zeros(0, np.int64), none, none, none, np.zeros(0, np.uint32))
        last = np.append(starts[1:], len(rows)) - 1
        quality = np.maximum.reduceat(rows.quality, starts)
        if isinstance(rows, Counted):
            wrong, inspected = np.add.reduceat(rows.wrong, starts), np.add.reduceat(rows.inspected, starts)
            n = inspected if self._chart.inspected else np.ones(len(starts))
            return Subgroups(rows.time[last], wrong, np.full(len(starts), np.nan), n, quality)
        n = last - starts + 1
        mean = np.add.reduceat(rows.value, starts) / n
        spread = self._spread(rows.value, mean, starts, n)
        return Subgroups(rows.time[last], mean, spread, n.astype(np.float64), quality)

    def _spread(
        self, value: NDArray[np.float64], mean: NDArray[np.float64], starts: NDArray[np.int64], n: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Range or sample standard deviation; NaN of a single value."""
        if self._chart.chart is ChartKind.XBAR_R:
            spread = np.maximum.reduceat(value, starts) - np.minimum.reduceat(value, starts)
        else:
            off = value - np.repeat(mean, n)
            spread = np.sqrt(np.add.reduceat(off * off, starts) / np.maximum(n - 1, 1))
        answer: NDArray[np.float64] = np.where(n > 1, spread, np.nan)
        return answer
