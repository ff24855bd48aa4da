"""Writing segments: rows in sorted pieces, out come one Parquet file and its rollups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.plant import Kind, StoreError
from shopfloor.services.historian.memtable import Memtable
from shopfloor.services.historian.options import DAY, HOUR, MINUTE, Options
from shopfloor.services.historian.rows import Rows, collapse, empty, join, sort
from shopfloor.services.historian.segments.encoding import is_coarse, is_coarse_group, writer
from shopfloor.services.historian.segments.grouping import cut, equal
from shopfloor.services.historian.segments.parquet_file import ParquetFile
from shopfloor.services.historian.segments.rollup import merge, nothing, summarize
from shopfloor.services.historian.segments.rollup_writer import RollupWriter
from shopfloor.services.historian.segments.segment import Groups, Segment, index, sync, to_table
from shopfloor.services.historian.segments.states_writer import StatesWriter

LEVELS: Final = {"minutes": MINUTE, "hours": HOUR}
STATES: Final = "states"
WORTH: Final = 16
"""A rollup is written where it is at least this many times shorter than the rows it stands for.

A summary takes about 24 bytes and a row of plant data 1 to 4: a rollup of fewer rows would be as large as they are.
"""

WORTH_STATES: Final = 4
"""The same of states, whose rows are as short as any."""

PIECE: Final = 65_536
WINDOW: Final = 2048
WINDOWS: Final = 16
"""Rows in each of the samples that choose the encoding, and how many of them there are at most."""


class SegmentWriter:
    """Writes one segment under a temporary name; `finish` syncs it and gives it its name.

    Of `levels`, all rollups are written; by default those that are worth it, states where it is `final`.
    """

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
        levels: Sequence[str] | None = None,
    ) -> None:
        self.rows = 0
        self._came = 0
        self._worth = dict.fromkeys(LEVELS, WORTH) | {STATES: WORTH_STATES} if levels is None else {}
        self._kind, self._day, self._id, self._final = kind, day, id_, final
        self._group_rows = 2 * options.group_rows if final else options.group_rows
        self._path = folder / f"day={day}" / f"{kind.value}-{id_:08d}.parquet"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = self._path.with_suffix(".tmp")
        self._sample, self._coarse = sample, None if kind is not Kind.TEXT else True
        self._file = ParquetFile(self._temporary, self._opened)
        self._rest: list[Rows] = []
        self._groups: list[Groups] = []
        if levels is None:
            levels = [*([] if kind is Kind.TEXT else LEVELS), *([STATES] if final else [])]
        self._rollups = {level: self._rollup(level) for level in levels}

    def add(self, rows: Rows, keep: NDArray[np.bool_] | None = None) -> None:
        """The next rows: sorted, unique, and after all rows before; only those to `keep` go further than rollups."""
        if not len(rows):
            return
        self._came += len(rows)
        self._summarize(rows)
        rows = rows if keep is None else rows.take(keep)
        self.rows += len(rows)
        self._rest.append(rows)
        if sum(map(len, self._rest)) > 2 * self._group_rows:
            rows = join(self._rest, self._kind)
            self._rest = [rows.take(slice(self._write(rows, whole=False), None))]

    def finish(self, precedence: int, level: int, span: tuple[int, int] | None = None) -> Segment:
        """Write what is left, make everything durable, and describe it.

        `span` is its oldest and newest time where rows that are no more count too.
        """
        self._write(join(self._rest, self._kind), whole=True)
        if not self._groups:
            self._file.write(to_table(empty(self._kind), self._kind), True)
        self._file.close()
        indexes = {name: rollup.finish() for name, rollup in self._rollups.items() if self._is_kept(name)}
        sync(self._temporary)
        self._temporary.rename(self._path)
        sync(self._path.parent)
        groups = np.concatenate([np.empty((0, 4), np.int64), *self._groups])
        start, end = span or (int(groups[:, 2].min()), int(groups[:, 3].max()))
        segment = Segment(
            self._id, self._path, self._kind, self._day, self.rows, self._path.stat().st_size, precedence, level,
            start, end, groups, indexes.get("minutes"), indexes.get("hours"), states=indexes.get(STATES),
        )  # fmt: skip
        sync(self._path.parent.parent)
        return segment

    def abandon(self) -> None:
        """Give up: leave no file behind."""
        self._file.abandon()
        for rollup in self._rollups.values():
            rollup.abandon()
        for path in (
            self._temporary,
            self._path,
            *(self._path.with_suffix(f".{name}.parquet") for name in (*LEVELS, STATES)),
        ):
            path.unlink(missing_ok=True)

    def _opened(self, sink: pa.NativeFile, coarse: bool) -> pq.ParquetWriter:
        return writer(sink, self._kind, coarse, final=self._final)

    def _write(self, rows: Rows, *, whole: bool) -> int:
        """Write what makes up row groups, or all; answers how many rows that were."""
        upto = 0
        for part in self._cut(rows, whole):
            group, upto = rows.take(part), part.stop
            self._file.write(to_table(group, self._kind), self._is_coarse(group))
            self._groups.append(index(group.tag, group.time, len(group)))
        return upto

    def _cut(self, rows: Rows, whole: bool) -> Iterator[slice]:
        if self._final:
            return cut(rows, self._group_rows, whole=whole)
        return equal(len(rows), self._group_rows, whole=whole)

    def _is_coarse(self, group: Rows) -> bool:
        if self._final:
            return is_coarse_group(group, self._kind)
        if self._coarse is None:
            self._coarse = is_coarse(self._sample or [group], self._kind)
        return self._coarse

    def _rollup(self, name: str) -> RollupWriter | StatesWriter:
        path = self._path.with_suffix(f".{name}.parquet")
        if name == STATES:
            return StatesWriter(path, self._kind, self._group_rows, final=self._final)
        return RollupWriter(path, LEVELS[name], self._group_rows, final=self._final)

    def _summarize(self, rows: Rows) -> None:
        minutes = summarize(rows, MINUTE) if self._rollups.keys() & LEVELS.keys() else nothing()
        for name, rollup in list(self._rollups.items()):
            if isinstance(rollup, StatesWriter):
                rollup.add(rows)
            else:
                rollup.add(minutes if name == "minutes" else merge([minutes], LEVELS[name]))
            if self._came > self._group_rows and not self._is_worth(name):
                rollup.abandon()
                del self._rollups[name]

    def _is_kept(self, name: str) -> bool:
        rollup = self._rollups[name]
        if isinstance(rollup, StatesWriter):
            rollup.settle()
        if not self._is_worth(name):
            rollup.abandon()
        return self._is_worth(name)

    def _is_worth(self, name: str) -> bool:
        return self._rollups[name].rows * self._worth.get(name, 0) <= self._came


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
