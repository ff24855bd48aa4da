"""Writing segments: rows in sorted pieces, out come one Parquet file and its rollups."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shopfloor.plant import Kind, StoreError
from shopfloor.services.historian.memtable import Memtable
from shopfloor.services.historian.options import DAY, HOUR, MINUTE, Options
from shopfloor.services.historian.rollup import Rollup, merge, summarize
from shopfloor.services.historian.rows import Rows, collapse, join, sort
from shopfloor.services.historian.segment import Groups, Segment, index, is_coarse, sync, to_table, write_rollup, writer

LEVELS: Final = {"minutes": MINUTE, "hours": HOUR}
WORTH: Final = 16
"""A rollup is written where it is at least this many times shorter than the rows it stands for.

A summary takes about 24 bytes and a row of plant data 1 to 4: a rollup of fewer rows would be as large as they are.
"""

PIECE: Final = 65_536
WINDOW: Final = 2048
WINDOWS: Final = 16
"""Rows in each of the samples that choose the encoding, and how many of them there are at most."""


class SegmentWriter:
    """Writes one segment under a temporary name; `finish` syncs it and gives it its name."""

    def __init__(
        self,
        folder: Path,
        kind: Kind,
        day: str,
        id_: int,
        options: Options,
        sample: Sequence[Rows] = (),
        *,
        final: bool = False,
    ) -> None:
        self.rows = 0
        self._kind, self._day, self._id, self._final = kind, day, id_, final
        self._group_rows = 2 * options.group_rows if final else options.group_rows
        self._path = folder / f"day={day}" / f"{kind.value}-{id_:08d}.parquet"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = self._path.with_suffix(".tmp")
        self._sample = sample
        self._open_writer: pq.ParquetWriter | None = None
        self._rest: list[Rows] = []
        self._groups: list[Groups] = []
        self._rollups: dict[str, list[Rollup]] = {} if kind is Kind.TEXT else {level: [] for level in LEVELS}

    def add(self, rows: Rows) -> None:
        """The next rows: sorted, unique, and after all rows before."""
        if not len(rows):
            return
        self.rows += len(rows)
        self._summarize(rows)
        rows = join([*self._rest, rows], self._kind)
        whole = len(rows) - len(rows) % self._group_rows
        for start in range(0, whole, self._group_rows):
            self._write(rows.take(slice(start, start + self._group_rows)))
        self._rest = [rows.take(slice(whole, None))] if whole < len(rows) else []

    def finish(self, precedence: int, level: int) -> Segment:
        """Write what is left, make everything durable, and describe it."""
        for rest in self._rest:
            self._write(rest)
        if self._open_writer is not None:
            self._open_writer.close()
        indexes = {name: self._finish_rollup(name, parts) for name, parts in self._rollups.items()}
        sync(self._temporary)
        self._temporary.rename(self._path)
        sync(self._path.parent)
        groups = np.concatenate(self._groups)
        segment = Segment(
            self._id, self._path, self._kind, self._day, self.rows, self._path.stat().st_size, precedence, level,
            int(groups[:, 2].min()), int(groups[:, 3].max()), groups, indexes.get("minutes"), indexes.get("hours"),
        )  # fmt: skip
        sync(self._path.parent.parent)
        return segment

    def abandon(self) -> None:
        """Give up: leave no file behind."""
        if self._open_writer is not None and self._open_writer.is_open:
            with contextlib.suppress(OSError, pa.ArrowException):
                self._open_writer.close()
        for path in (self._temporary, self._path, *(self._path.with_suffix(f".{name}.parquet") for name in LEVELS)):
            path.unlink(missing_ok=True)

    def _write(self, group: Rows) -> None:
        if self._open_writer is None:
            coarse = is_coarse(self._sample or [group], self._kind)
            self._open_writer = writer(self._temporary, self._kind, coarse, final=self._final)
        self._open_writer.write_table(to_table(group, self._kind), row_group_size=self._group_rows)
        self._groups.append(index(group.tag, group.time, self._group_rows))

    def _summarize(self, rows: Rows) -> None:
        minutes = summarize(rows, MINUTE) if self._rollups else None
        for name, every in LEVELS.items():
            if minutes is not None and name in self._rollups:
                self._rollups[name].append(minutes if every == MINUTE else merge([minutes], every))
                if sum(map(len, self._rollups[name])) * WORTH > self.rows > self._group_rows:
                    del self._rollups[name]

    def _finish_rollup(self, name: str, parts: list[Rollup]) -> Groups | None:
        rollup = merge(parts, LEVELS[name])
        if len(rollup) * WORTH > self.rows:
            return None
        path = self._path.with_suffix(f".{name}.parquet")
        return write_rollup(path, rollup, self._group_rows, final=self._final)


def flush(memtable: Memtable, folder: Path, ids: Iterator[int], options: Options) -> tuple[list[Segment], int]:
    """Segments of a memtable, one per kind and UTC day; and how many exact duplicates collapsed."""
    written: list[Segment] = []
    came = kept = 0
    try:
        for kind in Kind:
            runs = memtable.freeze(kind)
            rows = sort(join([part for run in runs for part in run.parts], kind))
            came += len(rows)
            rows = collapse(rows)
            kept += len(rows)
            written += _flush_days(rows, kind, folder, ids, options)
    except BaseException:
        discard(written)
        raise
    if sum(segment.rows for segment in written) != kept or came != memtable.rows:
        discard(written)
        raise StoreError(f"A flush of {memtable.rows} values into {folder} did not add up: nothing was published.")
    return written, came - kept


def discard(segments: list[Segment]) -> None:
    """Delete the files of segments that were never published."""
    for segment in segments:
        for path in segment.files():
            path.unlink(missing_ok=True)


def day_of(time: int) -> str:
    """The UTC day of a moment.

    >>> day_of(86_400_000_000_000)
    '1970-01-02'
    """
    return str(np.datetime64(time // DAY, "D"))


def _flush_days(rows: Rows, kind: Kind, folder: Path, ids: Iterator[int], options: Options) -> list[Segment]:
    days = rows.time // DAY
    written: list[Segment] = []
    try:
        for day in np.unique(days).tolist():
            part = rows.take(days == day)
            written.append(write_segment(_pieces(part), kind, day_of(day * DAY), folder, next(ids), options))
    except BaseException:
        discard(written)
        raise
    return written


def _pieces(rows: Rows) -> list[Rows]:
    """The rows in pieces, so that summaries need little memory."""
    return [rows.take(slice(start, start + PIECE)) for start in range(0, len(rows), PIECE)]


def write_segment(parts: list[Rows], kind: Kind, day: str, folder: Path, id_: int, options: Options) -> Segment:
    """One new segment of sorted pieces."""
    windows = [part.take(slice(0, WINDOW)) for part in parts[:: -(-len(parts) // WINDOWS)]]
    out = SegmentWriter(folder, kind, day, id_, options, windows)
    try:
        for part in parts:
            out.add(part)
        return out.finish(id_, 0)
    except BaseException:
        out.abandon()
        raise
