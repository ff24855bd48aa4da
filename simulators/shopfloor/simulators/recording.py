"""Recordings of real machines: any CSV or Parquet file as columns with a time for each row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray
from shopfloor.plant import Kind, ShopfloorError

TIME_NAMES: Final = ("time", "timestamp", "datetime", "date", "ts", "t")
_EMPTY: Final = ["", "NaN", "nan", "NAN", "null", "NULL", "None", "N/A", "n/a", "NA", "#N/A"]
_EPOCHS: Final = ((1e17, 1, "nanoseconds"), (1e14, 10**3, "microseconds"), (1e11, 10**6, "milliseconds"))
_SCALES: Final = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}


class RecordingError(ShopfloorError):
    """A file that cannot be replayed."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a recording: a name that can be browsed, its kind, its cells (None where there is no value)."""

    name: str
    kind: Kind
    cells: list[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Columns of one length and the time of each row in ns since the first; `timing` says where it comes from."""

    columns: tuple[Column, ...]
    offsets: NDArray[np.int64]
    timing: str

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def period(self) -> int:
        """Usual time between two rows (ns)."""
        return int(np.median(np.diff(self.offsets))) if len(self) > 1 else 10**9


def read(path: Path, *, time: str | None = None, period_s: float = 0.1, tags: Sequence[str] | None = None) -> Recording:
    """Read a `.csv` or `.parquet` file. Raises `RecordingError` with a sentence.

    `time` names the time column (None: one of `TIME_NAMES`, else rows are `period_s` apart); `tags` chooses columns.
    """
    table = _load(path)
    if table.num_rows == 0:
        raise RecordingError(f"{path} has no rows: a recording needs a header and at least one row.")
    table = table.rename_columns(browse_names(table.column_names))
    clock = _time_column(table, time, path)
    offsets, timing = _offsets(table, clock, period_s, path)
    chosen = _choose(table, tags, clock, path)
    return Recording(tuple(_column(name, table.column(name)) for name in chosen), offsets, timing)


def browse_names(names: Sequence[str]) -> list[str]:
    """Names that can be browsed and mapped: no blanks, no separators, none empty, none twice.

    >>> browse_names(["X_ActualPosition", "Spindle load (%)", "", "a", "a"])
    ['X_ActualPosition', 'Spindle_load_%', 'column_3', 'a', 'a_2']
    """
    result: list[str] = []
    for number, name in enumerate(names, 1):
        clean = re.sub(r"[^\w.%-]+", "_", name.strip()).strip("_.") or f"column_{number}"
        unique, again = clean, 2
        while unique in result:
            unique, again = f"{clean}_{again}", again + 1
        result.append(unique)
    return result


def _load(path: Path) -> pa.Table:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise RecordingError(f"{path} {what}: name a .csv or .parquet file.")
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pa.parquet.read_table(path)
        return _read_csv(path)
    except (pa.ArrowException, UnicodeDecodeError) as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        raise RecordingError(
            f"{path} cannot be read as {path.suffix.lstrip('.') or 'csv'} ({reason}):"
            " a recording is CSV with a header line, or Parquet."
        ) from problem


def _read_csv(path: Path) -> pa.Table:
    with path.open("rb") as file:
        head = file.read(65536).decode("utf-8-sig", "strict" if path.stat().st_size <= 65536 else "ignore")
    if not head.strip():
        raise RecordingError(f"{path} has no rows: a recording needs a header and at least one row.")
    if "\0" in head:
        raise pa.ArrowInvalid("it holds binary data")
    header = head.splitlines()[0]
    delimiter = max(",;\t", key=header.count)
    comma = delimiter == ";" and re.search(r"(^|;)-?\d+,\d+(;|$)", head, re.MULTILINE) is not None
    return pa.csv.read_csv(
        path,
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            null_values=_EMPTY, strings_can_be_null=True, decimal_point="," if comma else "."
        ),
    )


def _time_column(table: pa.Table, asked: str | None, path: Path) -> str | None:
    if asked is not None:
        found = browse_names([asked])[0]
        if found not in table.column_names:
            raise RecordingError(f"{path} has no column {asked!r} for --time: it has {_some(table.column_names)}.")
        return found
    for name in table.column_names:
        if name.lower() in TIME_NAMES and _ticks(table.column(name)) is not None:
            return str(name)
    return None


def _offsets(table: pa.Table, clock: str | None, period_s: float, path: Path) -> tuple[NDArray[np.int64], str]:
    if clock is None:
        return np.arange(table.num_rows, dtype=np.int64) * round(period_s * 1e9), f"one row every {period_s:g} s"
    ticks = _ticks(table.column(clock))
    if ticks is None:
        raise RecordingError(
            f"Column {clock!r} of {path} is no time: ISO 8601 or seconds, milliseconds or nanoseconds"
            " since 1970 were expected in every row."
        )
    moments, unit = ticks
    if (np.diff(moments) < 0).any():
        row = int(np.argmax(np.diff(moments) < 0)) + 2
        raise RecordingError(f"Time goes back in column {clock!r} of {path} at row {row}: sort the rows by time.")
    return moments, f"column {clock!r}, {unit}"


def _ticks(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], str] | None:
    """Ns of each cell since the first, and the unit they are in; None when some cell is no time."""
    if column.null_count:
        return None
    if pa.types.is_timestamp(column.type):
        moments = column.cast(pa.int64()).to_numpy()
        return (moments - moments[0]) * _SCALES[column.type.unit], "ISO 8601"
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    numbers = column.to_numpy()
    if not np.isfinite(numbers).all():
        return None
    scale, unit = _epoch(float(numbers[-1]))
    since = numbers - numbers[0]
    return (np.round(since * float(scale)) if since.dtype.kind == "f" else since * scale).astype(np.int64), unit


def _epoch(largest: float) -> tuple[int, str]:
    for least, scale, unit in _EPOCHS:
        if abs(largest) >= least:
            return scale, unit
    return 10**9, "seconds"


def _choose(table: pa.Table, tags: Sequence[str] | None, clock: str | None, path: Path) -> list[str]:
    names = [name for name in table.column_names if name != clock]
    for tag in tags or ():
        if tag not in names:
            raise RecordingError(f"{path} has no column {tag!r} for --tags: it has {_some(names)}.")
    return list(tags) if tags else names


def _column(name: str, column: pa.ChunkedArray) -> Column:
    if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        cells = [None if cell is None or cell != cell else float(cell) for cell in column.to_pylist()]  # noqa: PLR0124
        return Column(name, Kind.FLOAT, cells)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return Column(name, Kind.INT, [None if cell is None else int(cell) for cell in column.to_pylist()])
    if pa.types.is_null(column.type):
        return Column(name, Kind.FLOAT, [None] * len(column))
    return Column(name, Kind.TEXT, [None if cell is None else str(cell) for cell in column.to_pylist()])


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
