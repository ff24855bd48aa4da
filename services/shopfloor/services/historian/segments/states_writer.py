"""Writing states: rows as they come, out comes one Parquet file of them, condensed by hours (`condense`)."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shopfloor.plant import Kind
from shopfloor.services.historian.rows import Rows, empty, join
from shopfloor.services.historian.segments.condense import StateHours
from shopfloor.services.historian.segments.encoding import writer
from shopfloor.services.historian.segments.segment import Groups, index, sync, to_table


class StatesWriter:
    """Writes the states of a segment under a temporary name; `finish` syncs it and gives it its name.

    `rows` is how many rows are to be written so far. The file has the columns of the segment's own.
    """

    def __init__(self, path: Path, kind: Kind, group_rows: int, *, final: bool) -> None:
        self._path, self._kind, self._group_rows, self._final = path, kind, group_rows, final
        self._temporary = path.with_suffix(".tmp")
        self._open_writer: pq.ParquetWriter | None = None
        self._hours = StateHours()
        self._waiting = empty(kind)
        self._groups: list[Groups] = []
        self._written = 0

    @property
    def rows(self) -> int:
        """How many rows are to be written so far."""
        return self._written + len(self._waiting)

    def add(self, rows: Rows) -> None:
        """The next rows, sorted and unique, after all before."""
        self._take(self._hours.add(rows))

    def settle(self) -> None:
        """No more rows come: the last hour is whole."""
        self._take(self._hours.rest())

    def finish(self) -> Groups:
        """Write what is left and make it durable; answers the index of its row groups."""
        self.settle()
        if len(self._waiting) or not self._groups:
            self._write(self._waiting)
        if self._open_writer is not None:
            self._open_writer.close()
        sync(self._temporary)
        self._temporary.rename(self._path)
        return np.concatenate([np.empty((0, 4), np.int64), *self._groups])

    def abandon(self) -> None:
        """Give up: leave no file behind."""
        if self._open_writer is not None and self._open_writer.is_open:
            with contextlib.suppress(OSError, pa.ArrowException):
                self._open_writer.close()
        for path in (self._temporary, self._path):
            path.unlink(missing_ok=True)

    def _take(self, parts: list[Rows]) -> None:
        waiting = join([self._waiting, *parts], self._kind)
        whole = (len(waiting) - 1) // self._group_rows * self._group_rows if len(waiting) else 0
        for start in range(0, whole, self._group_rows):
            self._write(waiting.take(slice(start, start + self._group_rows)))
        self._waiting = waiting.take(slice(whole, None))

    def _write(self, rows: Rows) -> None:
        if self._open_writer is None:
            self._open_writer = writer(self._temporary, self._kind, coarse=True, final=self._final)
        self._open_writer.write_table(to_table(rows, self._kind), row_group_size=self._group_rows)
        self._written += len(rows)
        if len(rows):
            self._groups.append(index(rows.tag, rows.time, self._group_rows))
