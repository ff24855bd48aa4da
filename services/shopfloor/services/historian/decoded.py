"""Row groups on their way from files to questions: decoded once, kept while they are asked for, bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Final, TypeVar

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.rollup import Rollup
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segment import Segment, choose, opened, reading, to_rollup, to_rows

LIMIT: Final = 96_000_000
"""Bytes that decoded row groups may take."""

FEW: Final = 48
"""A question that reads more row groups of a file leaves none behind: it would push out what is asked often."""

_TEXT_BYTES: Final = 16
_Part = TypeVar("_Part", Rows, Rollup)
_Key = tuple[int, str, int]


class Cache:
    """Parts by key, the least recently used forgotten first. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._parts: OrderedDict[_Key, tuple[Rows | Rollup, int]] = OrderedDict()
        self._limit = limit
        self.size = 0

    def get(self, key: _Key) -> Rows | Rollup | None:
        """What is kept under the key."""
        with self._lock:
            if key not in self._parts:
                return None
            self._parts.move_to_end(key)
            return self._parts[key][0]

    def put(self, key: _Key, part: Rows | Rollup) -> None:
        """Keep a part, and let go of others."""
        size = _size(part)
        with self._lock:
            self.size += size - self._parts.pop(key, (part, 0))[1]
            self._parts[key] = part, size
            while self.size > self._limit:
                _, (_, gone) = self._parts.popitem(last=False)
                self.size -= gone


CACHE: Final = Cache(LIMIT)


def rows_of(segment: Segment, wanted: NDArray[np.bool_], start: int, end: int) -> Iterator[Rows]:
    """Rows of the wanted tags (a mask over tag ids) in [start, end), sorted, a row group at a time."""
    for group, rows in _groups(segment, "", choose(segment.groups, wanted, start, end), Rows):
        low, high, oldest, newest = segment.groups[group].tolist()
        found = _within(rows, wanted, (low, high), None if start <= oldest and newest < end else (start, end))
        if len(found):
            yield found


def rollups_of(segment: Segment, level: str, wanted: NDArray[np.bool_], start: int, end: int) -> Iterator[Rollup]:
    """Summaries of the wanted tags whose bucket starts in [start, end), a row group at a time."""
    index = getattr(segment, level)
    for group, rollup in _groups(segment, level, choose(index, wanted, start, end), Rollup):
        low, high, oldest, newest = index[group].tolist()
        found = _within(rollup, wanted, (low, high), None if start <= oldest and newest < end else (start, end))
        if len(found):
            yield found


def _within(part: _Part, wanted: NDArray[np.bool_], tags: tuple[int, int], times: tuple[int, int] | None) -> _Part:
    """The wanted tags and times of a sorted part; without a copy where they lie side by side."""
    ids = np.flatnonzero(wanted[tags[0] : tags[1] + 1]) + tags[0]
    if len(ids) == ids[-1] - ids[0] + 1 < tags[1] - tags[0] + 1:
        part = _slice(part, *np.searchsorted(part.tag, [ids[0], ids[-1] + 1]).tolist())
    elif len(ids) < tags[1] - tags[0] + 1:
        part = part.take(wanted[part.tag])
    if times is None:
        return part
    if len(ids) == 1:
        return _slice(part, *np.searchsorted(part.time, times).tolist())
    keep = (part.time >= times[0]) & (part.time < times[1])
    return part if keep.all() else part.take(keep)


def _slice(part: _Part, first: int, last: int) -> _Part:
    return part if first == 0 and last == len(part) else part.take(slice(first, last))


def _groups(segment: Segment, level: str, chosen: Sequence[int], kind: type[_Part]) -> Iterator[tuple[int, _Part]]:
    """The decoded row groups, from memory or from the file, which is opened when the first one is missing."""
    file: pq.ParquetFile | None = None
    try:
        for group in chosen:
            part = CACHE.get((segment.token, level, group))
            if not isinstance(part, kind):
                with reading(segment):
                    file = file or opened(segment.rollup_path(level) if level else segment.path, segment.kind)
                    part = _decode(file, segment.kind, group, kind)
                if len(chosen) <= FEW:
                    CACHE.put((segment.token, level, group), part)
            yield group, part
    finally:
        if file is not None:
            file.close()


def _decode(file: pq.ParquetFile, values: Kind, group: int, kind: type[_Part]) -> _Part:
    names = [entry.name for entry in fields(kind)]
    table = file.read_row_groups([group], columns=names, use_threads=False)
    if kind is Rows:
        return to_rows(table, values)  # type: ignore[return-value]
    return to_rollup(table)  # type: ignore[return-value]


def _size(part: Rows | Rollup) -> int:
    columns = [getattr(part, entry.name) for entry in fields(part)]
    return sum(column.nbytes + (_TEXT_BYTES * len(column) if column.dtype == object else 0) for column in columns)
