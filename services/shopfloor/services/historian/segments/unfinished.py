"""A Parquet file that is being written: under a temporary name until it is whole and durable."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shopfloor.services.historian.segments.segment import Groups, index, sync


class Unfinished:
    """Takes tables; `finish` syncs the file and gives it its name. `opened` makes the writer of the first one."""

    def __init__(self, path: Path, group_rows: int, opened: Callable[[Path], pq.ParquetWriter]) -> None:
        self._path, self._temporary = path, path.with_suffix(".tmp")
        self._group_rows, self._opened = group_rows, opened
        self._writer: pq.ParquetWriter | None = None
        self._groups: list[Groups] = []

    @property
    def begun(self) -> bool:
        """Whether a table came."""
        return self._writer is not None

    def write(self, table: pa.Table, tag: NDArray[np.int32], time: NDArray[np.int64]) -> None:
        """The next rows, with their tags and times."""
        if self._writer is None:
            self._writer = self._opened(self._temporary)
        self._writer.write_table(table, row_group_size=self._group_rows)
        if len(tag):
            self._groups.append(index(tag, time, self._group_rows))

    def finish(self) -> Groups:
        """Make it durable; answers the index of its row groups."""
        if self._writer is not None:
            self._writer.close()
        sync(self._temporary)
        self._temporary.rename(self._path)
        return np.concatenate([np.empty((0, 4), np.int64), *self._groups])

    def abandon(self) -> None:
        """Give up: leave no file behind."""
        if self._writer is not None and self._writer.is_open:
            with contextlib.suppress(OSError, pa.ArrowException):
                self._writer.close()
        for path in (self._temporary, self._path):
            path.unlink(missing_ok=True)
