"""Writing rollups: summaries as they come, out comes one Parquet file, in the memory of a few row groups."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shopfloor.services.historian.segments.rollup import Rollup, merge
from shopfloor.services.historian.segments.segment import Groups, index, open_rollup, sync, to_rollup_table


class RollupWriter:
    """Writes one rollup under a temporary name; `finish` syncs it and gives it its name.

    `rows` is how many summaries came; the two halves of a bucket, one after the other, become one.
    """

    def __init__(self, path: Path, every: int, group_rows: int, *, final: bool) -> None:
        self.rows = 0
        self._path, self._every, self._group_rows, self._final = path, every, group_rows, final
        self._temporary = path.with_suffix(".tmp")
        self._open_writer: pq.ParquetWriter | None = None
        self._waiting: list[Rollup] = []
        self._groups: list[Groups] = []

    def add(self, rollup: Rollup) -> None:
        """The next summaries, sorted by (tag, bucket), none before the last one that came."""
        self.rows += len(rollup)
        self._waiting.append(rollup)
        if sum(map(len, self._waiting)) > 2 * self._group_rows:
            whole = merge(self._waiting, self._every)
            upto = (len(whole) - 1) // self._group_rows * self._group_rows
            self._write(whole.take(slice(0, upto)))
            self._waiting = [whole.take(slice(upto, None))]

    def finish(self) -> Groups:
        """Write what is left and make it durable; answers the index of its row groups."""
        self._write(merge(self._waiting, self._every))
        if self._open_writer is None:
            self._write_table(merge([], self._every))
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

    def _write(self, rollup: Rollup) -> None:
        if len(rollup):
            self._write_table(rollup)
            self._groups.append(index(rollup.tag, rollup.time, self._group_rows))

    def _write_table(self, rollup: Rollup) -> None:
        if self._open_writer is None:
            self._open_writer = open_rollup(self._temporary, final=self._final)
        self._open_writer.write_table(to_rollup_table(rollup), row_group_size=self._group_rows)
