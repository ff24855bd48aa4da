"""Segments: immutable Parquet files of one kind and one UTC day, sorted by (tag, time)."""

from __future__ import annotations

import errno
import itertools
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.plant import Kind, StoreError
from shopfloor.services.historian.rows import Rows
from shopfloor.services.historian.segments.rollup import Rollup, nothing

Groups = NDArray[np.int64]
"""One line per row group: smallest tag, largest tag, oldest time, newest time."""

_PASSING: Final = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR}
"""What fails for want of something else, and says nothing about a file."""

_TIME: Final = pa.timestamp("ns", "UTC")
_VALUE: Final = {Kind.FLOAT: pa.float64(), Kind.INT: pa.int64(), Kind.TEXT: pa.string()}


class DamagedError(StoreError):
    """A published file does not give back what was written; its segment is marked, and passed over from then on."""


@dataclass(slots=True, weakref_slot=True, eq=False)
class Segment:
    """A published file and what is known of it without touching it.

    `minutes`, `hours` and `states` index its rollup files, which exist where they are much shorter than the rows.
    `gone` are the tags whose rows were forgotten, while its rollups still know them: it has both, then.
    `precedence` orders segments by age of their data: at equal (tag, time) the greater wins.
    """

    id: int
    path: Path
    kind: Kind
    day: str
    rows: int
    size: int
    precedence: int
    level: int
    start: int
    end: int
    groups: Groups
    minutes: Groups | None = None
    hours: Groups | None = None
    damage: str = ""
    gone: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    states: Groups | None = None
    token: int = field(default_factory=itertools.count().__next__, repr=False)
    """Tells its decoded row groups from those of every other segment of this process."""
    _retired: Any = field(default=None, repr=False)

    def rollup_path(self, level: str) -> Path:
        """Where its rollup of a level ("minutes", "hours" or "states") lies."""
        return self.path.with_suffix(f".{level}.parquet")

    def files(self) -> list[Path]:
        """Every file of the segment."""
        levels = [level for level in ("minutes", "hours", "states") if getattr(self, level) is not None]
        return [self.path, *(self.rollup_path(level) for level in levels)]

    def retire(self) -> None:
        """Delete the files as soon as no reader holds the segment."""
        self._retired = weakref.finalize(self, _unlink, tuple(self.files()))

    def find_rollup(self, level: str, wanted: NDArray[np.bool_], start: int, end: int) -> Rollup:
        """Summaries of the wanted tags whose bucket starts in [start, end)."""
        groups: Groups = getattr(self, level)
        table = _read(self.rollup_path(level), choose(groups, wanted, start, end), [*_ROLLUP_COLUMNS])
        rollup = to_rollup(table)
        keep = wanted[rollup.tag] & (rollup.time >= start) & (rollup.time < end)
        return rollup if keep.all() else rollup.take(keep)


_COLUMNS: Final = ("tag", "time", "value", "quality")
_ROLLUP_COLUMNS: Final = tuple(entry.name for entry in fields(Rollup))
_ROLLUP_TIMES: Final = ("time", "first_time", "last_time")


def choose(groups: Groups, wanted: NDArray[np.bool_], start: int, end: int) -> list[int]:
    """Which row groups may hold a wanted tag in [start, end)."""
    ids = wanted.nonzero()[0]
    held = ids.searchsorted(groups[:, 1], "right") > ids.searchsorted(groups[:, 0])
    held &= (groups[:, 2] < end) & (groups[:, 3] >= start)
    return held.nonzero()[0].tolist()


def schema(kind: Kind) -> pa.Schema:
    """Columns of a segment's file."""
    return pa.schema([("tag", pa.int32()), ("time", _TIME), ("value", _VALUE[kind]), ("quality", pa.uint32())])


def to_table(rows: Rows, kind: Kind) -> pa.Table:
    """Rows as an Arrow table of `schema(kind)`, numbers without a copy."""
    columns = [
        pa.array(rows.tag, pa.int32()),
        pa.array(rows.time, pa.int64()).view(_TIME),
        pa.array(rows.value, _VALUE[kind], from_pandas=False),
        pa.array(rows.quality, pa.uint32()),
    ]
    return pa.Table.from_arrays(columns, schema=schema(kind))


def to_rows(table: pa.Table, kind: Kind) -> Rows:
    """What `to_table` made, back as rows."""
    return Rows(**row_columns(table, kind))


def row_columns(table: pa.Table, kind: Kind) -> dict[str, NDArray[Any]]:
    """Columns of a table of rows, as `Rows` has them."""
    texts = {"value"} if kind is Kind.TEXT else set()
    return {name: (_texts if name in texts else numbers)(table[name]) for name in table.column_names}


def to_rollup(table: pa.Table) -> Rollup:
    """A rollup as it was written; of one that an older version wrote, what it did not know is NaN."""
    return Rollup(*rollup_columns(table, _ROLLUP_COLUMNS).values())


def rollup_columns(table: pa.Table, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Columns of a rollup, as `to_rollup` has them."""
    unknown = np.full(len(table), np.nan)
    return {name: numbers(table[name]) if name in table.column_names else unknown for name in names}


def index(tag: NDArray[np.int32], time: NDArray[np.int64], group_rows: int) -> Groups:
    """The line of `Groups` of each row group of sorted columns."""
    starts = np.arange(0, len(tag), group_rows)
    stops = np.minimum(starts + group_rows, len(tag)) - 1
    low, high = np.minimum.reduceat(time, starts), np.maximum.reduceat(time, starts)
    return np.column_stack([tag[starts], tag[stops], low, high]).astype(np.int64)


def to_rollup_table(rollup: Rollup) -> pa.Table:
    """A rollup as its file has it."""
    columns = {name: pa.array(getattr(rollup, name)) for name in _ROLLUP_COLUMNS}
    return pa.table(columns | {name: columns[name].view(_TIME) for name in _ROLLUP_TIMES})


def open_rollup(where: Path, *, final: bool) -> pq.ParquetWriter:
    """A Parquet writer for a rollup; `final` as for `encoding.writer`."""
    split = dict.fromkeys(("sum", "min", "max", "first", "last", "increase"), "BYTE_STREAM_SPLIT")
    return pq.ParquetWriter(
        where,
        to_rollup_table(nothing()).schema,
        compression={name: "brotli" if final and name in split else "zstd" for name in _ROLLUP_COLUMNS},
        compression_level={name: (4 if name in split else 9) if final else 1 for name in _ROLLUP_COLUMNS},
        use_dictionary=["tag", "n", "bad", "quality"],
        column_encoding=split | dict.fromkeys(_ROLLUP_TIMES, "DELTA_BINARY_PACKED"),
        write_statistics=["tag", "time"],
        write_page_checksum=True,
    )


def sync(path: Path) -> None:
    """Make a file, or the entries of a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def group_rows(segment: Segment, group: int) -> Rows:
    """All rows of one row group."""
    with reading(segment):
        return _group_rows(segment, group)


@contextmanager
def reading(segment: Segment) -> Iterator[None]:
    """Whatever a file turns out to be instead of what was written marks the segment and raises `DamagedError`."""
    try:
        yield
    except MemoryError:
        raise
    except (OSError, ValueError, LookupError, pa.ArrowException) as problem:
        if getattr(problem, "errno", None) in _PASSING:
            raise
        segment.damage = (
            f"{segment.path} is damaged ({problem}): restore it from a backup;"
            f" its {segment.rows} values cannot be read until then."
        )
        raise DamagedError(segment.damage) from problem


def _group_rows(segment: Segment, group: int) -> Rows:
    return to_rows(_read(segment.path, [group], [*_COLUMNS], _coded(segment.kind)), segment.kind)


def _coded(kind: Kind) -> list[str] | None:
    return ["value"] if kind is Kind.TEXT else None


def _read(path: Path, groups: list[int], columns: list[str], dictionary: list[str] | None = None) -> pa.Table:
    with _file(path, dictionary) as file:
        return file.read_row_groups(groups, columns=columns, use_threads=False)


def opened(path: Path, kind: Kind) -> pq.ParquetFile:
    """One of the files of a segment of a kind; the caller closes it."""
    return _file(path, _coded(kind))


def _file(path: Path, dictionary: list[str] | None) -> pq.ParquetFile:
    return pq.ParquetFile(
        path, metadata=_metadata(path), read_dictionary=dictionary, page_checksum_verification=True, pre_buffer=False
    )


@lru_cache(maxsize=512)
def _metadata(path: Path) -> pq.FileMetaData:
    return pq.read_metadata(path)


def numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """A column without nulls; times as integers."""
    values: NDArray[Any] = column.to_numpy()
    return values.view(np.int64) if values.dtype.kind == "M" else values


def _texts(column: pa.ChunkedArray) -> NDArray[Any]:
    parts = [np.array(chunk.dictionary.to_pylist(), object)[chunk.indices.to_numpy()] for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0, object)


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
