"""Summaries of fields by group and bucket: count, sum, extremes, first and last, joined over many tags."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.plant.quality import BAD
from shopfloor.services.historian.options import HOUR
from shopfloor.services.influx.ql.conditions import Sieve
from shopfloor.services.influx.ql.index import Place
from shopfloor.services.influx.ql.reads import Read, read
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


@dataclass(frozen=True, slots=True)
class Held:
    """Where a field of one series is read, its group, and which of its rows are meant."""

    place: Place
    group: int
    sieve: Sieve | None = None


def summarize(
    store: Store, parts: list[Held], functions: Collection[str], start: int, end: int, every: int, shift: int
) -> Summary:
    """Summaries of a field over [start, end) in buckets of `every` ns shifted by `shift`; one at `start` when it is 0.

    `functions` are the aggregates that will be asked for.
    """
    quick: list[Held] = []
    slow: list[Held] = []
    for part in parts:
        (quick if _is_quick(store, part, functions) else slow).append(part)
    found = [
        summary
        for is_quality in (False, True)
        if (groups := {p.place.path: p.group for p in quick if p.place.is_quality == is_quality})
        for summary in _numbers(store, groups, start, end, every, shift, is_quality=is_quality)
    ]
    if slow:
        found.append(_from_rows(store, slow, start, end, every, shift))
    return _joined(found)


def _is_quick(store: Store, part: Held, functions: Collection[str]) -> bool:
    """Whether the reader's own summaries hold what is asked: of numbers, and how many qualities and the worst."""
    if part.sieve is not None:
        return False
    if part.place.is_quality:
        return set(functions) <= {"count", "max"} and Kind.TEXT not in store.reader.kinds(part.place.path)
    return part.place.kind is not Kind.TEXT


def moment(store: Store, function: str, part: Summary, parts: list[Held], start: int, end: int) -> int:
    """When the value that a selector chose was measured; of several equal ones, the first time."""
    if function in {"first", "last"}:
        return int(getattr(part, f"{function}_time")[0])
    sought = float(getattr(part, function)[0])
    if all(one.sieve is None and not one.place.is_quality for one in parts):
        hours = _joined(list(_numbers(store, {one.place.path: 0 for one in parts}, start, end, HOUR, 0)))
        hit = np.flatnonzero(getattr(hours, function) == sought)
        if len(hit):
            bucket = int(hours.bucket[hit].min())
            start, end = max(bucket, start), min(bucket + HOUR, end)
    found = read(store, _paths(parts), start, end)
    return min(
        (
            int(time[value == sought][0])
            for time, value, _ in (_column(found, one) for one in parts)
            if (value == sought).any()
        ),
        default=start,
    )


def _numbers(
    store: Store, groups: dict[str, int], start: int, end: int, every: int, shift: int, *, is_quality: bool = False
) -> Iterator[Summary]:
    """Summaries from the reader, which takes rollups where a piece begins and ends with them.

    Those of qualities know only how many there are and the worst.
    """
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
        if is_quality:
            columns[0], columns[3] = columns[0] + _plain(record.column("bad")), _plain(record.column("quality"))
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


def _from_rows(store: Store, parts: list[Held], start: int, end: int, every: int, shift: int) -> Summary:
    """Summaries of texts, qualities and chosen rows, which have no rollups: one for each row, to be joined."""
    found = read(store, _paths(parts), start, end)
    summaries = []
    for part in parts:
        time, value, text = _column(found, part)
        bucket = (time - shift) // every * every + shift if every else np.full(len(time), start)
        ones = np.ones(len(time), np.int64)
        ends = value if text is None else text
        summaries.append(Summary(ones * part.group, bucket, ones, value, value, value, ends, ends, time, time))
    return _joined(summaries)


def _paths(parts: list[Held]) -> list[str]:
    """The tags that must be read."""
    paths = (path for part in parts for path in (part.place.path, *(part.sieve.paths if part.sieve else ())))
    return list(dict.fromkeys(paths))


def _column(
    found: Mapping[str, Read], part: Held
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[Any] | None]:
    """Time and value of the rows that are meant and hold the field; a text has the value 0.

    Numbers of bad quality stay out, as they do of rollups, unless the query says itself which qualities it means.
    """
    place, sieve = part.place, part.sieve
    one = found.get(place.path)
    if one is None:
        return np.empty(0, np.int64), np.empty(0), None
    if place.kind is Kind.TEXT:
        value = np.zeros(len(one.time))
        text = np.full(len(one.time), None, object) if one.text is None else one.text
        keep = np.array([word is not None for word in text.tolist()], bool)
    else:
        value, text = (one.quality if place.is_quality else one.value).astype(np.float64), None
        keep = ~np.isnan(value)
        if not place.is_quality and not (sieve and sieve.asks_quality):
            keep &= one.quality < BAD
    if sieve:
        keep &= sieve.fits(found, one.time)
    return one.time[keep], value[keep], None if text is None else text[keep]


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
