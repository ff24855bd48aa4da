"""Step-held columns: what a historian answers, one tag at a time, each value holding until the next.

A historian that reports by exception stores only changes, a live source stores ten values a second. Means that weigh
every value by the time it held are the same for both, so features from history and features from the live stream agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant.quality import severity

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """One tag: `time` [n] ascending UTC ns and `value` [n] (float64, NaN where bad; or text as object).

    >>> power = Steps(np.array([0, 10, 40], np.int64), np.array([1.0, 4.0, 2.0]))
    >>> power.at(np.array([-1, 5, 40], np.int64)).tolist()
    [nan, 1.0, 2.0]
    >>> power.mean(np.array([0], np.int64), np.array([40], np.int64)).tolist()
    [3.25]
    """

    time: Ints
    value: NDArray[Any]

    def at(self, when: Ints) -> NDArray[Any]:
        """The value held at each moment; NaN (or an empty text) before the first."""
        if not len(self.time):
            return np.full(len(when), "" if self.value.dtype == object else np.nan, self.value.dtype)
        row = np.searchsorted(self.time, when, "right") - 1
        held = self.value[np.maximum(row, 0)]
        missing: Any = "" if self.value.dtype == object else np.nan
        return np.where(row >= 0, held, missing)

    def mean(self, start: Ints, end: Ints) -> Floats:
        """Time-weighted mean over each interval; NaN where nothing good was held."""
        return self.moments(start, end)[0]

    def moments(self, start: Ints, end: Ints) -> tuple[Floats, Floats]:
        """Time-weighted mean and standard deviation over each interval [start, end).

        Each interval is summed by itself, so that the answer does not depend on what else was read.
        """
        if not len(self.time) or not len(start):
            nothing = np.full(len(start), np.nan)
            return nothing, nothing
        rows, first, counts = self._rows(start, end)
        until = np.minimum(np.append(self.time[1:], np.iinfo(np.int64).max)[rows], np.repeat(end, counts))
        weight = np.maximum(until - np.maximum(self.time[rows], np.repeat(start, counts)), 0) / SECOND
        value = self.value[rows]
        bad = np.isnan(value)
        weight[bad] = 0.0
        value = np.where(bad, 0.0, value)
        total = np.add.reduceat(weight, first)
        total[total <= 0] = np.nan
        mean = np.add.reduceat(value * weight, first) / total
        centred = value - np.repeat(mean, counts)
        spread = np.sqrt(np.add.reduceat(np.where(weight > 0, centred * centred * weight, 0.0), first) / total)
        return mean, spread

    def changes(self) -> Steps:
        """Only the rows whose value differs from the one before."""
        if not len(self.time):
            return self
        keep = np.ones(len(self.time), bool)
        keep[1:] = self.value[1:] != self.value[:-1]
        return Steps(self.time[keep], self.value[keep])

    def since(self, start: int) -> Steps:
        """What is needed from `start` on: the value held there, and all later ones."""
        row = max(int(np.searchsorted(self.time, start, "right")) - 1, 0)
        return Steps(self.time[row:], self.value[row:])

    def before(self, end: int) -> Steps:
        """What came before `end`."""
        row = int(np.searchsorted(self.time, end, "left"))
        return Steps(self.time[:row], self.value[:row])

    def then(self, later: Steps) -> Steps:
        """These rows, and those of `later` that come after the last of them."""
        row = int(np.searchsorted(later.time, self.time[-1], "right")) if len(self.time) else 0
        return Steps(np.concatenate([self.time, later.time[row:]]), np.concatenate([self.value, later.value[row:]]))

    def _rows(self, start: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
        """Rows that hold somewhere in each interval: flat indices, where each interval begins, how many each has."""
        low = np.maximum(np.searchsorted(self.time, start, "right") - 1, 0)
        high = np.maximum(np.searchsorted(self.time, end, "left"), low + 1)
        counts = high - low
        first = np.cumsum(counts) - counts
        return np.arange(counts.sum()) - np.repeat(first - low, counts), first, counts


NO_STEPS: Final = Steps(np.empty(0, np.int64), np.empty(0, np.float64))
NO_TEXT: Final = Steps(np.empty(0, np.int64), np.empty(0, object))
Columns = Mapping[str, Steps]


def columns(table: pa.Table) -> dict[str, dict[str, Steps]]:
    """Asset path -> tag name -> steps, from what `Reader.read` answers (sorted by tag and time)."""
    table = table.combine_chunks().unify_dictionaries()
    if not table.num_rows:
        return {}
    tag = table.column("tag").chunk(0)
    index = tag.indices.to_numpy(zero_copy_only=False)
    edges = np.flatnonzero(np.diff(index)) + 1
    time = table.column("time").chunk(0).cast(pa.int64()).to_numpy(zero_copy_only=False)
    value = table.column("value").chunk(0).to_numpy(zero_copy_only=False).astype(np.float64, copy=True)
    value[severity(table.column("quality").chunk(0).to_numpy(zero_copy_only=False)) >= 2] = np.nan
    text = table.column("text").chunk(0)
    found: dict[str, dict[str, Steps]] = {}
    for low, high in zip([0, *edges.tolist()], [*edges.tolist(), len(index)], strict=True):
        asset, _, name = tag.dictionary[int(index[low])].as_py().rpartition("/")
        words = text.slice(low, high - low)
        is_text = words.null_count < len(words)
        held = np.array(words.fill_null("").to_pylist(), object) if is_text else value[low:high]
        found.setdefault(asset, {})[name] = Steps(time[low:high], held)
    return found


def number(tags: Columns, name: str) -> Steps:
    """A numeric tag of an asset; no rows when it was never seen."""
    steps = tags.get(name, NO_STEPS)
    return steps if steps.value.dtype != object else NO_STEPS


def words(tags: Columns, name: str) -> Steps:
    """A text tag of an asset; no rows when it was never seen."""
    steps = tags.get(name, NO_TEXT)
    return steps if steps.value.dtype == object else NO_TEXT
