"""Row groups on their way from files to questions: decoded once, kept while they are asked for, bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, Final, Self

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.rollup import Rollup
from shopfloor.services.historian.segments.segment import Segment, choose, opened, reading, rollup_columns, row_columns

LIMIT: Final = 96_000_000
"""Bytes that decoded row groups may take."""

FEW: Final = 72
"""So many row groups of one tag are a million values, in a quarter of the bytes above. A question that reads more of a
file leaves none behind: it would push out what is asked often."""

Line = tuple[int, int, int, int]
"""Of a row group: smallest tag, largest tag, oldest time, newest time."""

_TEXT_BYTES: Final = 16
_QUALITY: Final = 3
"""The place of the quality in a file of rows."""

_ROWS: Final = tuple(entry.name for entry in fields(Rows))
_ROLLUP: Final = tuple(entry.name for entry in fields(Rollup))
_Column = NDArray[Any]
_Key = tuple[int, str, int, str]
"""A segment's token, a level of rollups (none: the rows), a row group and a column of it."""


class Cache:
    """Columns by key, the least recently used forgotten first. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._columns: OrderedDict[_Key, tuple[_Column, int]] = OrderedDict()
        self._limit = limit
        self.size = 0

    def get(self, keys: Iterable[_Key]) -> list[_Column | None]:
        """What is kept under each key."""
        with self._lock:
            return [self._get(key) for key in keys]

    def put(self, key: _Key, column: _Column) -> None:
        """Keep a column, and let go of others."""
        size = column.nbytes + (_TEXT_BYTES * len(column) if column.dtype == object else 0)
        with self._lock:
            self.size += size - self._columns.pop(key, (column, 0))[1]
            self._columns[key] = column, size
            while self.size > self._limit:
                _, (_, gone) = self._columns.popitem(last=False)
                self.size -= gone

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._columns.clear()
            self.size = 0

    def _get(self, key: _Key) -> _Column | None:
        if key not in self._columns:
            return None
        self._columns.move_to_end(key)
        return self._columns[key][0]


CACHE: Final = Cache(LIMIT)


class _File:
    """The rows of a segment or one of its levels of rollups, decoded column by column.

    What is `kept` stays in memory for the next question. The file is opened when the first column is missing.
    """

    def __init__(self, segment: Segment, level: str, *, kept: bool, sparing: bool) -> None:
        self._segment, self._level, self._kept, self._sparing = segment, level, kept, sparing
        self._file: pq.ParquetFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def columns(self, group: int, names: Sequence[str]) -> dict[str, _Column]:
        """The columns of one row group. `DamagedError` when the file does not give back what was written."""
        keys = [(self._segment.token, self._level, group, name) for name in names]
        found = dict(zip(names, CACHE.get(keys), strict=True))
        if missing := [name for name, column in found.items() if column is None]:
            with reading(self._segment):
                fresh = self._decode(group, missing)
            found |= fresh
            if self._kept:
                for name, column in fresh.items():
                    CACHE.put((self._segment.token, self._level, group, name), column)
        return found  # type: ignore[return-value]

    def _decode(self, group: int, names: list[str]) -> dict[str, _Column]:
        segment = self._segment
        if self._file is None:
            self._file = opened(segment.rollup_path(self._level) if self._level else segment.path, segment.kind)
        same = _one_quality(self._file, group) if self._sparing and "quality" in names else {}
        rest = [name for name in names if name not in same]
        table = self._file.read_row_groups([group], columns=rest, use_threads=False)
        is_rows = self._level in {"", "states"}
        return (row_columns(table, segment.kind) if is_rows else rollup_columns(table, rest)) | same


def _one_quality(file: pq.ParquetFile, group: int) -> dict[str, _Column]:
    """The quality, where the smallest and largest one of the row group are the same: nothing needs to be read."""
    row_group = file.metadata.row_group(group)
    told = row_group.column(_QUALITY).statistics
    if told is None or not told.has_min_max or told.min != told.max:
        return {}
    return {"quality": np.full(row_group.num_rows, told.min, np.uint32)}


def rows_of(segment: Segment, wanted: NDArray[np.bool_], start: int, end: int, *, level: str = "") -> Iterator[Rows]:
    """Rows of the wanted tags (a mask over tag ids) in [start, end), sorted, a row group at a time.

    Those of the level "states" are `condensed`.
    """
    for _, columns in parts_of(segment, level, wanted, (start, end), lambda _: _ROWS):
        yield Rows(**columns)


def rollups_of(segment: Segment, level: str, wanted: NDArray[np.bool_], start: int, end: int) -> Iterator[Rollup]:
    """Summaries of the wanted tags whose bucket starts in [start, end), a row group at a time."""
    for _, columns in parts_of(segment, level, wanted, (start, end), lambda _: _ROLLUP):
        yield Rollup(**columns)


def parts_of(
    segment: Segment,
    level: str,
    wanted: NDArray[np.bool_],
    span: tuple[int, int],
    names: Callable[[Line], Sequence[str]],
    *,
    sparing: bool = False,
) -> Iterator[tuple[Line, dict[str, _Column]]]:
    """The named columns of wanted tags and times, a row group at a time, each with its line of the index.

    `names` must have tag where there are several in a row group, and time where not all of it is asked for. With
    `sparing`, the quality is not read (nor its pages checked) where the file's own index tells it.
    """
    index = getattr(segment, level) if level else segment.groups
    chosen = choose(index, wanted, *span)
    with _File(segment, level, kept=len(chosen) <= FEW, sparing=sparing) as file:
        for group in chosen:
            line: Line = tuple(index[group].tolist())
            columns = file.columns(group, names(line))
            within = _within(columns, line, wanted, span)
            if within is not None:
                columns = {name: column[within] for name, column in columns.items()}
            if len(next(iter(columns.values()))):
                yield line, columns


def _within(
    columns: dict[str, _Column], line: Line, wanted: NDArray[np.bool_], span: tuple[int, int]
) -> slice | NDArray[np.bool_] | None:
    """Where the wanted tags and times of sorted columns are: a slice where they lie side by side; None: everywhere."""
    low, high, oldest, newest = line
    timely = span[0] <= oldest and newest < span[1]
    if low == high and timely:
        return None
    ids = np.flatnonzero(wanted[low : high + 1]) + low
    some, side_by_side = len(ids) < high - low + 1, len(ids) == ids[-1] - ids[0] + 1
    if some and not side_by_side:
        keep = wanted[columns["tag"]]
        return keep if timely else keep & _between(columns["time"], span)
    first, last = np.searchsorted(columns["tag"], [ids[0], ids[-1] + 1]).tolist() if some else (0, None)
    if timely:
        return slice(first, last) if some else None
    if len(ids) == 1:
        return slice(*(np.searchsorted(columns["time"][first:last], span) + first).tolist())
    keep = _between(columns["time"], span)
    if some:
        keep[:first] = keep[last:] = False
    return keep


def _between(time: NDArray[np.int64], span: tuple[int, int]) -> NDArray[np.bool_]:
    return (time >= span[0]) & (time < span[1])
