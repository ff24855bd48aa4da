"""Writing states: rows as they come, out comes one Parquet file of them, condensed by hours (`condense`)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from shopfloor.plant import Kind
from shopfloor.services.historian.rows import Rows, empty, join
from shopfloor.services.historian.segments.condense import StateHours
from shopfloor.services.historian.segments.encoding import writer
from shopfloor.services.historian.segments.segment import Groups, to_table
from shopfloor.services.historian.segments.unfinished import Unfinished


class StatesWriter:
    """Writes the states of a segment under a temporary name; `finish` syncs it and gives it its name.

    `rows` is how many rows are to be written so far. The file has the columns of the segment's own.
    """

    def __init__(self, path: Path, kind: Kind, group_rows: int, *, final: bool) -> None:
        self._kind, self._group_rows = kind, group_rows
        self._file = Unfinished(path, group_rows, partial(writer, kind=kind, coarse=True, final=final))
        self._hours = StateHours()
        self._waiting = empty(kind)
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
        if len(self._waiting) or not self._file.begun:
            self._write(self._waiting)
        return self._file.finish()

    def abandon(self) -> None:
        """Give up: leave no file behind."""
        self._file.abandon()

    def _take(self, parts: list[Rows]) -> None:
        waiting = join([self._waiting, *parts], self._kind)
        whole = (len(waiting) - 1) // self._group_rows * self._group_rows if len(waiting) else 0
        for start in range(0, whole, self._group_rows):
            self._write(waiting.take(slice(start, start + self._group_rows)))
        self._waiting = waiting.take(slice(whole, None))

    def _write(self, rows: Rows) -> None:
        self._file.write(to_table(rows, self._kind), rows.tag, rows.time)
        self._written += len(rows)
