"""Writing rollups: summaries as they come, out comes one Parquet file, in the memory of a few row groups."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from shopfloor.services.historian.segments.rollup import Rollup, merge
from shopfloor.services.historian.segments.segment import Groups, open_rollup, to_rollup_table
from shopfloor.services.historian.segments.unfinished import Unfinished


class RollupWriter:
    """Writes one rollup under a temporary name; `finish` syncs it and gives it its name.

    `rows` is how many summaries came; the two halves of a bucket, one after the other, become one.
    """

    def __init__(self, path: Path, every: int, group_rows: int, *, final: bool) -> None:
        self.rows = 0
        self._every, self._group_rows = every, group_rows
        self._file = Unfinished(path, group_rows, partial(open_rollup, final=final))
        self._waiting: list[Rollup] = []

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
        if not self._file.begun:
            self._put(merge([], self._every))
        return self._file.finish()

    def abandon(self) -> None:
        """Give up: leave no file behind."""
        self._file.abandon()

    def _write(self, rollup: Rollup) -> None:
        if len(rollup):
            self._put(rollup)

    def _put(self, rollup: Rollup) -> None:
        self._file.write(to_rollup_table(rollup), rollup.tag, rollup.time)
