"""Summaries of fields by group and bucket: count, sum, extremes, first and last, joined over many tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.options import HOUR
from shopfloor.services.influx.ql.index import Place
from shopfloor.services.influx.ql.rows import read
from shopfloor.services.influx.ql.series import Store

_NUMBERS: Final = ("n", "sum", "min", "max", "first", "last", "first_time", "last_time")


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Columns sorted by (group, bucket); every row has a value. `first` and `last` of texts are objects."""

    group: NDArray[np.int64]
    bucket: NDArray[np.int64]
    n: NDArray[np.int64]
    sum: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    first: NDArray[Any]
    last: NDArray[Any]
    first_time: NDArray[np.int64]
    last_time: NDArray[np.int64]

    def take(self, rows: NDArray[Any] | slice) -> Summary:
        """The chosen rows."""
        return Summary(*(getattr(self, name)[rows] for name in ("group", "bucket", *_NUMBERS)))

    def of(self, group: int) -> Summary:
        """The rows of one group."""
        low, high = np.searchsorted(self.group, [group, group + 1]).tolist()
        return self.take(slice(low, high))

    def column(self, function: str) -> NDArray[Any]:
        """What an aggregate makes of each row."""
        if function == "mean":
            return np.asarray(self.sum / self.n)
        if function == "spread":
            return np.asarray(self.max - self.min)
        column: NDArray[Any] = getattr(self, "n" if function == "count" else function)
        return column


def summarize(store: Store, places: dict[Place, int], start: int, end: int, every: int, shift: int) -> Summary:
    """Summaries of [start, end) in buckets of `every` ns shifted by `shift`; one bucket at `start` when it is 0.

    `places` says where the field is read, and the group of each place.
    """
    numbers = {place.path: group for place, group in places.items() if place.kind is not Kind.TEXT}
    numbers = {path: group for path, group in numbers.items() if Place(path, Kind.INT, is_quality=True) not in places}
    others = {place: group for place, group in places.items() if place.path not in numbers}
    parts = list(_numbers(store, numbers, start, end, every, shift)) if numbers else []
    if others:
        parts.append(_from_rows(store, others, start, end, every, shift))
    return _joined(parts)


def moment(store: Store, function: str, part: Summary, places: list[Place], start: int, end: int) -> int:
    """When the value that a selector chose was measured; of several equal ones, the first time."""
    if function in {"first", "last"}:
        return int(getattr(part, f"{function}_time")[0])
    numbers = {place.path: number for number, place in enumerate(places) if not place.is_quality}
    sought = float(getattr(part, function)[0])
    hours = _joined(list(_numbers(store, numbers, start, end, HOUR, 0)))
    hit = np.flatnonzero(getattr(hours, function) == sought)
    if not len(hit):
        return start
    bucket = int(hours.bucket[hit].min())
    found = read(store, list(numbers), max(bucket, start), min(bucket + HOUR, end))
    return min(
        (int(one.time[one.value == sought][0]) for one in found.values() if (one.value == sought).any()), default=start
    )


def _numbers(store: Store, groups: dict[str, int], start: int, end: int, every: int, shift: int) -> Iterator[Summary]:
    """Summaries from the reader, which takes rollups where a piece begins and ends with them."""
    number = np.array(list(groups.values()), np.int64)
    for low, high, step in _pieces(start, end, every, shift):
        table = store.reader.aggregate(list(groups), low, high, step).combine_chunks()
        if not table.num_rows:
            continue
        record = table.to_batches()[0]
        tag = record.column("tag")
        group = np.array([groups[name] for name in tag.dictionary.to_pylist()], np.int64) if len(tag) else number
        time = _ints(record.column("time"))
        bucket = (time - shift) // every * every + shift if every else np.full(len(time), start)
        columns = [_plain(record.column(name)) for name in _NUMBERS]
        summary = Summary(group[tag.indices.to_numpy()], bucket, *columns)
        yield summary.take(summary.n > 0)


def _pieces(start: int, end: int, every: int, shift: int) -> Iterator[tuple[int, int, int]]:
    """The span in pieces: what stands out of whole buckets (or hours) at its ends, and what lies between."""
    width, offset = (every, shift) if every else (HOUR, 0)
    first = -(-(start - offset) // width) * width + offset
    last = end if every else end // width * width
    if first >= last:
        first, last = (end, end) if first >= end else (first, first)
    for low, high in ((start, first), (first, last), (last, end)):
        if low < high:
            yield low, high, every or high - low


def _from_rows(store: Store, places: dict[Place, int], start: int, end: int, every: int, shift: int) -> Summary:
    """Summaries of texts and qualities, which have no rollups: one row each, to be joined."""
    found = read(store, list(dict.fromkeys(place.path for place in places)), start, end)
    parts = []
    for place, group in places.items():
        if place.path in found:
            one = found[place.path]
            values = np.array([None, *one.of(place)], object)[1:]
            keep = np.array([value is not None for value in values.tolist()], bool)
            time, values = one.time[keep], values[keep]
            bucket = (time - shift) // every * every + shift if every else np.full(len(time), start)
            number = values.astype(np.float64) if place.is_quality else np.zeros(len(time))
            ones = np.ones(len(time), np.int64)
            parts.append(Summary(ones * group, bucket, ones, number, number, number, values, values, time, time))
    return _joined(parts)


def _joined(parts: list[Summary]) -> Summary:
    """One summary for each (group, bucket)."""
    whole = _concatenated(parts)
    if not len(whole.n):
        return whole
    whole = whole.take(np.lexsort((whole.first_time, whole.bucket, whole.group)))
    fresh = (np.diff(whole.group) != 0) | (np.diff(whole.bucket) != 0)
    starts = np.append(0, np.flatnonzero(fresh) + 1)
    if len(starts) == len(whole.n):
        return whole
    latest = np.lexsort((whole.last_time, whole.bucket, whole.group))[np.append(starts[1:], len(whole.n)) - 1]
    return Summary(
        whole.group[starts],
        whole.bucket[starts],
        np.add.reduceat(whole.n, starts),
        np.add.reduceat(whole.sum, starts),
        np.minimum.reduceat(whole.min, starts),
        np.maximum.reduceat(whole.max, starts),
        whole.first[starts],
        whole.last[latest],
        whole.first_time[starts],
        whole.last_time[latest],
    )


def _concatenated(parts: list[Summary]) -> Summary:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        ints, floats = np.empty(0, np.int64), np.empty(0)
        return Summary(ints, ints, ints, floats, floats, floats, floats, floats, ints, ints)
    return Summary(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("group", "bucket", *_NUMBERS))
    )


def _ints(column: pa.Array) -> NDArray[np.int64]:
    array: NDArray[np.int64] = column.view(pa.int64()).to_numpy(zero_copy_only=False)
    return array


def _plain(column: pa.Array) -> NDArray[Any]:
    if pa.types.is_timestamp(column.type):
        return _ints(column)
    array: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return array
