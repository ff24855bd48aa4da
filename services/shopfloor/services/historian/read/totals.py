"""Totals: those columns of summaries that simply add up, of which a question may want a few only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from shopfloor.plant.quality import BAD
from shopfloor.services.historian.rows import Rows, order
from shopfloor.services.historian.segments.rollup import Rollup, group_starts, nothing

MERGE: Final[dict[str, np.ufunc]] = {
    "n": np.add,
    "bad": np.add,
    "sum": np.add,
    "min": np.fmin,
    "max": np.fmax,
    "quality": np.maximum,
}
"""How two of a kind become one. The others of `Rollup` depend on the order of the values."""

_COUNTED: Final = ("n", "bad")
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """One line per (tag, time), the start of a bucket; `of` has columns as `Rollup` has them."""

    tag: NDArray[np.int32]
    time: Ints
    of: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[Any] | slice) -> Totals:
        """The chosen lines."""
        return Totals(self.tag[rows], self.time[rows], {name: column[rows] for name, column in self.of.items()})

    def renumber(self, numbers: NDArray[np.int32]) -> Totals:
        """The same with tag t called `numbers[t]`."""
        return Totals(numbers[self.tag], self.time, self.of)


def of_rollup(rollup: Rollup, names: Collection[str]) -> Totals:
    """Some columns of a rollup."""
    return Totals(rollup.tag, rollup.time, {name: getattr(rollup, name) for name in names})


def of_rows(rows: Rows, every: int, origin: int, names: Collection[str]) -> Totals:
    """Totals of sorted numeric rows in buckets of `every` ns counted from `origin`; there is one row or more."""
    return total(rows.tag, (rows.time - origin) // every * every + origin, rows.value, rows.quality, names)


def total(
    tag: NDArray[np.int32] | int,
    bucket: Ints | int,
    value: NDArray[Any],
    quality: NDArray[np.uint32],
    names: Collection[str],
) -> Totals:
    """Totals of sorted numeric rows; tag and bucket are one number where all rows share it. There is one row or more.

    >>> part = total(7, 0, np.array([1.0, 5.0]), np.zeros(2, np.uint32), ["n", "sum", "max"])
    >>> part.tag.tolist(), {name: column.tolist() for name, column in part.of.items()}
    ([7], {'n': [2], 'sum': [6.0], 'max': [5.0]})
    """
    value = value.astype(np.float64, copy=False)
    starts = _starts(tag, bucket)
    count = np.diff(np.append(starts, len(value)))
    usable, n = None, count
    if quality.max() >= BAD or np.isnan(value.min()):
        usable = (quality < BAD) & ~np.isnan(value)
        n = np.add.reduceat(usable, starts, dtype=np.int64)

    def reduce(name: str) -> NDArray[Any]:
        if name in _COUNTED:
            return n if name == "n" else count - n
        if name == "quality":
            return np.asarray(np.maximum.reduceat(quality, starts))
        some = value if usable is None else np.where(usable, value, 0.0 if name == "sum" else np.nan)
        return np.asarray(MERGE[name].reduceat(some, starts))

    return Totals(_at(tag, starts, np.int32), _at(bucket, starts, np.int64), {name: reduce(name) for name in names})


def needed(columns: Collection[str]) -> tuple[str, ...]:
    """The columns, if totals have all of them; else none.

    >>> needed(["n", "sum", "max"]), needed(["n", "last"])
    (('n', 'sum', 'max'), ())
    """
    return tuple(columns) if all(name in MERGE for name in columns) else ()


def merge(parts: Sequence[Totals], every: int, origin: int, names: Collection[str]) -> Totals:
    """One line per (tag, bucket of `every` ns counted from `origin`), sorted; each part's lies within one of these."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return of_rollup(nothing(), names)
    tag = np.concatenate([part.tag for part in parts])
    bucket = (np.concatenate([part.time for part in parts]) - origin) // every
    index = order(tag, bucket)
    if index is not None:
        tag, bucket = tag[index], bucket[index]
    starts = group_starts(tag, bucket)
    columns = {name: np.concatenate([part.of[name] for part in parts]) for name in names}
    return Totals(
        tag[starts],
        bucket[starts] * every + origin,
        {
            name: MERGE[name].reduceat(column if index is None else column[index], starts)
            for name, column in columns.items()
        },
    )


def _starts(tag: NDArray[np.int32] | int, bucket: Ints | int) -> Ints:
    """Index of the first row of each group."""
    if isinstance(tag, np.ndarray) and isinstance(bucket, np.ndarray):
        return group_starts(tag, bucket)
    changing = tag if isinstance(tag, np.ndarray) else bucket
    if not isinstance(changing, np.ndarray):
        return np.zeros(1, np.int64)
    return np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changing[1:] != changing[:-1]) + 1])


def _at(numbers: NDArray[Any] | int, starts: Ints, dtype: type[Any]) -> NDArray[Any]:
    return numbers[starts] if isinstance(numbers, np.ndarray) else np.full(len(starts), numbers, dtype)
