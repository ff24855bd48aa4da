"""A server store as the place where history is read, with the embedded store in front of it.

What the server does not have for good comes from the embedded store: values still in memory, in segments that were not
taken yet, and, beside VictoriaMetrics, all texts. While the server is away, the embedded store answers alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
from shopfloor.plant import Kind, StoreError
from shopfloor.services.historian.answers import COLUMNS, chosen, picture, rollup_table
from shopfloor.services.historian.reader import StoreReader
from shopfloor.services.historian.remote.reader import RAW_POINTS, ServerReader
from shopfloor.services.historian.remote.target import Target
from shopfloor.services.historian.remote.values import Values, from_table, join, places
from shopfloor.services.historian.rollup import Rollup, merge, summarize
from shopfloor.services.historian.rows import Rows, since

_log = logging.getLogger(__name__)
_AGAIN_S: Final = 5.0
_Answer = TypeVar("_Answer")


class FrontedReader:
    """`plant.Reader` over a server store and the embedded one. Thread-safe.

    `pending` reads what the server does not have for good, `embedded` all that the embedded store keeps.
    """

    def __init__(self, target: Target, server: ServerReader, embedded: StoreReader, pending: StoreReader) -> None:
        self._target, self._server, self._embedded, self._pending = target, server, embedded, pending
        self._said, self._until = "", 0.0

    @property
    def trouble(self) -> str:
        """What keeps the server from answering, if it was asked in the last seconds and did not."""
        return self._said if time.monotonic() < self._until + _AGAIN_S else ""

    def latest(self, tags: Sequence[str]) -> pa.Table:
        """Newest value of each tag. The embedded store knows all that came through it; only for others it asks."""
        asked = list(dict.fromkeys(tags))
        here = from_table(self._embedded.latest(asked), asked)
        unknown = [tag for at, tag in enumerate(asked) if at not in set(here.rows.tag.tolist())]
        there = self._ask(lambda: from_table(self._server.latest(unknown), asked), None) if unknown else None
        return join([here, *([there] if there is not None else [])]).sorted().table(asked)

    def read(
        self,
        tags: Sequence[str],
        start: int,
        end: int,
        *,
        previous: bool = False,
        columns: Sequence[str] = COLUMNS,
    ) -> pa.Table:
        """Every value in [start, end), as `plant.Reader.read` says."""
        asked = list(dict.fromkeys(tags))
        return self._values(asked, start, end, previous=previous).table(asked, columns)

    def downsample(self, tag: str, start: int, end: int, points: int) -> pa.Table:
        """About `points` values that draw the same picture, as `plant.Reader.downsample` says."""
        pending = self._pending.read([tag], start, end, columns=("time",)).num_rows
        drawn = None if pending else self._ask(lambda: self._server.downsample(tag, start, end, points), None)
        if drawn is not None:
            return drawn
        if self._rests():
            return self._embedded.downsample(tag, start, end, points)
        points = max(points, 2)
        every = -(-(end - start) // points)
        count = pending + self._ask(lambda: self._server.count(tag, start, end), 0)
        if count > max(RAW_POINTS, points):
            return picture(self._rollup([tag], start, end, every), every)
        rows = self._values([tag], start, end, previous=False).numbers()
        return chosen(rows, points)

    def aggregate(self, tags: Sequence[str], start: int, end: int, every: int) -> pa.Table:
        """Per tag and bucket of `every` ns counted from `start`, as the embedded store answers it."""
        asked = list(dict.fromkeys(tags))
        return rollup_table(asked, self._rollup(asked, start, end, every), 0)

    def _values(self, asked: list[str], start: int, end: int, *, previous: bool) -> Values:
        there = self._ask(lambda: from_table(self._server.read(asked, start, end, previous=previous), asked), None)
        if there is None:
            return from_table(self._embedded.read(asked, start, end, previous=previous), asked)
        here = from_table(self._pending.read(asked, start, end, previous=previous), asked)
        if not self._target.keeps(Kind.TEXT):
            kept = from_table(self._embedded.read(asked, start, end, previous=previous), asked)
            here = join([here.take(here.is_number()), kept.take(~kept.is_number())])
            there = there.take(there.is_number())
        whole = _united(there, here, self._target.precision)
        return whole.take(since(whole.rows.tag, whole.rows.time, start)) if previous else whole

    def _rollup(self, asked: list[str], start: int, end: int, every: int) -> Rollup:
        """The server's summaries; buckets in which something is pending are summarised from the values of both."""
        there = self._ask(lambda: _as_rollup(self._server.aggregate(asked, start, end, every), asked), None)
        if there is None:
            return _as_rollup(self._embedded.aggregate(asked, start, end, every), asked)
        pending = from_table(self._pending.read(asked, start, end), asked).numbers()
        if not len(pending):
            return there
        bucket = (pending.time - start) // every * every + start
        first, last = int(bucket.min()), min(int(bucket.max()) + every, end)
        names = [asked[at] for at in np.unique(pending.tag).tolist()]
        again = summarize(_renamed(self._values(names, first, last, previous=False), names, asked), every, start)
        touched = np.isin(there.tag, np.unique(pending.tag)) & (there.time >= first) & (there.time < last)
        return merge([there.take(~touched), again], every, start)

    def _ask(self, question: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
        """The server's answer; after a failure it is left alone for a few seconds, so that pages do not wait for it."""
        if self._rests():
            return otherwise
        try:
            answer = question()
        except StoreError as problem:
            if not self._said:
                _log.warning("%s Until it does, pages show what is kept here.", problem)
            self._said, self._until = str(problem), time.monotonic() + _AGAIN_S
            return otherwise
        self._said = ""
        return answer

    def _rests(self) -> bool:
        return time.monotonic() < self._until


def _united(there: Values, here: Values, precision: int) -> Values:
    """All of `here`, and of `there` what `here` does not have at the same (tag, time in the server's unit)."""
    if not len(here) or not len(there):
        return join([there, here]).sorted()
    both = join([there, here])
    is_here = np.arange(len(both)) >= len(there)
    unit = both.rows.time // precision
    index = np.lexsort((both.rows.time, is_here, unit, both.rows.tag))
    both, is_here, unit = both.take(index), is_here[index], unit[index]
    changed = np.append(True, (both.rows.tag[1:] != both.rows.tag[:-1]) | (unit[1:] != unit[:-1]))
    starts = np.flatnonzero(changed)
    covered = np.repeat(np.logical_or.reduceat(is_here, starts), np.diff(np.append(starts, len(both))))
    return both.take(is_here | ~covered)


def _renamed(values: Values, names: Sequence[str], asked: Sequence[str]) -> Rows:
    return values.numbers().renumber(np.array([asked.index(name) for name in names], np.int32))


def _as_rollup(table: pa.Table, asked: Sequence[str]) -> Rollup:
    """What `aggregate` answered, with tags numbered as in `asked`; not what counters counted, which no server says."""
    tag = places(table, asked)
    columns = [
        table.column(entry.name).cast(pa.int64()) if entry.name.endswith("time") else table.column(entry.name)
        for entry in fields(Rollup)[1:]
    ]
    rollup = Rollup(tag, *(column.to_numpy() for column in columns))
    return replace(rollup, increase=np.full(len(rollup), np.nan))
