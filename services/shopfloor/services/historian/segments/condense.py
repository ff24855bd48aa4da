"""Condensing states: the rows of an hour of a tag as few rows that hold each of its states as long."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant.quality import BAD_NOT_SUPPORTED, severity
from shopfloor.services.historian.options import HOUR
from shopfloor.services.historian.rows import Rows, sort
from shopfloor.services.historian.segments.rollup import group_starts

MOST: Final = 32
"""A tag that takes more different values than these in an hour has no states in it."""

UNKNOWN: Final = -1
NO_STATE: Final = -2
"""The codes of a value that cannot be used, and of one that is no state."""

NO_STATES: Final = BAD_NOT_SUPPORTED
"""Quality of the row that an hour without states is condensed to."""

_LARGEST: Final = 2.0**53
_NEAR: Final = 2**31
_Codes = NDArray[np.int64]


def number_codes(value: NDArray[Any], quality: NDArray[np.uint32]) -> tuple[_Codes, NDArray[Any]]:
    """A code for each number, and the whole numbers that codes of 0 and more count into; fractions are no states.

    >>> codes, numbers = number_codes(np.array([3.0, 0.5, 1.0, np.nan, 3.0]), np.zeros(5, np.uint32))
    >>> codes.tolist(), numbers.tolist()
    ([1, -2, 0, -1, 1], [1.0, 3.0])
    """
    codes, whole = _judged(value, quality)
    numbers, codes[whole] = np.unique(value[whole], return_inverse=True)
    return codes, numbers


def _judged(value: NDArray[Any], quality: NDArray[np.uint32]) -> tuple[_Codes, NDArray[np.bool_]]:
    """Codes of the numbers that are no states, and which numbers are."""
    whole = severity(quality) < 2
    codes = np.where(whole, NO_STATE, UNKNOWN)
    if value.dtype == np.float64:
        codes[np.isnan(value)] = UNKNOWN
        whole &= value == np.floor(value)
    whole &= (value <= _LARGEST) & (value >= -_LARGEST)
    codes[quality == NO_STATES] = NO_STATE
    return codes, whole


def _codes(rows: Rows) -> _Codes:
    """Codes of rows: in what order does not matter, and sorting is what takes long."""
    if rows.value.dtype == object:
        return text_codes(pa.array(rows.value, pa.string()), rows.quality)[0]
    codes, whole = _judged(rows.value, rows.quality)
    numbers = rows.value[whole].astype(np.int64, copy=False)
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    codes[whole] = numbers - low if high - low < _NEAR else np.unique(numbers, return_inverse=True)[1]
    return codes


def text_codes(value: pa.Array, quality: NDArray[np.uint32]) -> tuple[_Codes, list[str]]:
    """A code for each text, and the texts that codes of 0 and more count into."""
    coded = value.dictionary_encode()
    codes = np.where(severity(quality) < 2, coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), UNKNOWN)
    codes[quality == NO_STATES] = NO_STATE
    return codes, coded.dictionary.to_pylist()


def hours(tag: NDArray[np.int32], time: NDArray[np.int64]) -> tuple[_Codes, _Codes]:
    """Where each hour of each tag of sorted rows begins, and the number of that hour for each row."""
    starts = group_starts(tag, time // HOUR)
    return starts, np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(tag))))


def last_of_hours(starts: _Codes, count: int) -> NDArray[np.bool_]:
    """Which of `count` rows are the last of their hour of their tag."""
    last = np.zeros(count, bool)
    last[starts[1:] - 1] = True
    last[-1] = True
    return last


def without_states(group: _Codes, code: _Codes) -> NDArray[np.bool_]:
    """Which hours hold a value that is no state, or more than `MOST` different states."""
    hour = np.zeros(int(group[-1]) + 1, bool)
    hour[group[code == NO_STATE]] = True
    starts, runs = _runs(group, code)
    many = (np.diff(np.append(starts, len(runs))) > MOST) & ~hour
    for most in (2 * MOST, len(runs)):  # a counter shows itself at once
        if many.any():
            near = np.arange(len(runs)) - starts[group[runs]] < most
            chosen = runs[near & many[group[runs]] & (code[runs] >= 0)]
            width = int(code.max()) + 1
            different = np.unique(group[chosen] * width + code[chosen]) // width
            hour |= np.bincount(different, minlength=len(hour)) > MOST
            many &= ~hour
    return hour


def _runs(group: _Codes, code: _Codes) -> tuple[_Codes, _Codes]:
    """The rows at which a code begins to hold in an hour, and which of these are the first of each hour."""
    new = np.append(True, group[1:] != group[:-1])
    runs = np.flatnonzero(new | np.append(True, code[1:] != code[:-1]))
    return np.flatnonzero(new[runs]), runs


def condensed(rows: Rows) -> Rows:
    """Sorted rows of whole hours, each (tag, time) once, as few that stand for them where states are summed by hours.

    Of each hour of a tag: its states in order of first appearance, one after the other from its first row on, each for
    as long as all of its rows but the last one held it; then its last row. Of an hour without states: one row that says
    so, at the time of its first one, and its last row where that has a state.

    >>> visits = Rows(np.zeros(5, np.int32), np.array([1, 3, 4, 7, 9]), np.array([5, 6, 5, 6, 5]), np.zeros(5, "u4"))
    >>> condensed(visits).time.tolist(), condensed(visits).value.tolist()
    ([1, 6, 9], [5, 6, 5])
    """
    if not len(rows):
        return rows
    code = _codes(rows)
    starts, group = hours(rows.tag, rows.time)
    none = without_states(group, code)
    first, last = starts[none], (np.append(starts[1:], len(rows)) - 1)[none]
    last = last[(code[last] != NO_STATE) & (last > first)]
    nothing = np.full(len(first), "" if rows.value.dtype == object else 0, rows.value.dtype)
    marks = Rows(rows.tag[first], rows.time[first], nothing, np.full(len(first), NO_STATES, np.uint32))
    kept = ~none[group]
    return _both(_visits(rows.take(kept), group[kept], code[kept]), _both(marks, rows.take(last)))


class StateHours:
    """Condenses rows that come sorted in pieces; the last hour of a tag waits until it is whole."""

    def __init__(self) -> None:
        self._open: list[Rows] = []

    def add(self, rows: Rows) -> list[Rows]:
        """The next rows, after all before; answers what became whole, condensed."""
        if not len(rows):
            return []
        self._open.append(rows)
        if _hour(rows, -1) == _hour(self._open[0], 0):
            return []
        whole = _joined(self._open)
        last = int(np.searchsorted(whole.tag, whole.tag[-1], "left"))
        last += int(np.searchsorted(whole.time[last:], whole.time[-1] // HOUR * HOUR, "left"))
        self._open = [whole.take(slice(last, None))]
        return [condensed(whole.take(slice(0, last)))]

    def rest(self) -> list[Rows]:
        """No more rows come: the last hour is whole."""
        rest, self._open = self._open, []
        return [condensed(_joined(rest))] if rest else []


def _hour(rows: Rows, at: int) -> tuple[int, int]:
    return int(rows.tag[at]), int(rows.time[at]) // HOUR


def _joined(parts: list[Rows]) -> Rows:
    return Rows(*map(np.concatenate, zip(*map(_columns, parts), strict=True)))


def _both(one: Rows, other: Rows) -> Rows:
    return sort(_joined([one, other]))


def _columns(rows: Rows) -> tuple[NDArray[Any], ...]:
    return rows.tag, rows.time, rows.value, rows.quality


def _visits(rows: Rows, group: _Codes, code: _Codes) -> Rows:
    if not len(rows):
        return rows
    last = np.append(group[1:] != group[:-1], True)
    told = last.copy()
    told[_runs(group, code)[1]] = True
    rows, group, code, last = rows.take(told), group[told], code[told], last[told]
    held, before = np.diff(rows.time)[~last[:-1]], np.flatnonzero(~last)
    if not len(before):
        return rows
    width = int(code.max()) + 2
    _, first, place = np.unique(group[before] * width + code[before] + 1, return_index=True, return_inverse=True)
    sums = np.zeros(len(first), np.int64)
    np.add.at(sums, place, held)
    index = np.argsort(first)
    chosen, sums = before[first[index]], sums[index]
    begins = np.append(True, group[chosen][1:] != group[chosen][:-1])
    base = np.maximum.accumulate(np.where(begins, np.cumsum(sums) - sums, 0))
    heads = np.maximum.accumulate(np.where(begins, np.arange(len(chosen)), 0))
    time = rows.time[chosen][heads] + np.cumsum(sums) - sums - base
    each = Rows(rows.tag[chosen], time, rows.value[chosen], rows.quality[chosen])
    return _both(each, rows.take(last))
