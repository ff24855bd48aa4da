"""A server store as the place where history is read, with the embedded store in front of it.

What the server does not have for good comes from the embedded store: values still in memory, in segments that were not
taken yet, and, beside VictoriaMetrics, all texts. While the server is away, the embedded store answers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import fields, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind, StoreError
from shopfloor.services.historian.options import FOREVER
from shopfloor.services.historian.read.answers import COLUMNS, chosen, columns_of, picture, rollup_table
from shopfloor.services.historian.read.cuts import cuts
from shopfloor.services.historian.read.reader import StoreReader
from shopfloor.services.historian.read.sql import Limits, Query
from shopfloor.services.historian.read.states import whole_hours
from shopfloor.services.historian.remote.fetched import query
from shopfloor.services.historian.remote.outage import Outage
from shopfloor.services.historian.remote.reader import PORTION, RAW_POINTS, ServerReader
from shopfloor.services.historian.remote.target import Target
from shopfloor.services.historian.remote.values import Values, from_table, join, places
from shopfloor.services.historian.rows import Rows, since
from shopfloor.services.historian.segments.rollup import Rollup, merge, summarize

_Answer = TypeVar("_Answer")


class FrontedReader:
    """`History` over a server store and the embedded one. Thread-safe.

    `pending` reads what the server does not have for good, `embedded` all that the embedded store keeps. Where the
    server does not answer, the embedded store does, alone: but not for `portions` and `sql`, which raise `StoreError`,
    since nobody sees from a long answer that the half that is not kept here is missing.
    """

    def __init__(
        self,
        target: Target,
        server: ServerReader,
        embedded: StoreReader,
        pending: StoreReader,
        *,
        outage: Outage | None = None,
        strict: bool = False,
    ) -> None:
        self._target, self._server, self._embedded, self._pending = target, server, embedded, pending
        self._outage, self._strict = outage or Outage(), strict

    @property
    def trouble(self) -> str:
        """What keeps the server from answering, if it was asked in the last seconds and did not."""
        return self._outage.said if self._outage.is_recent() else ""

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

    def portions(self, tags: Sequence[str], start: int, end: int, rows: int = PORTION) -> Generator[pa.Table]:
        """What `read` answers, as `LongReader.portions` says; each portion is a question of its own."""
        if not self._strict:
            yield from self._whole().portions(tags, start, end, rows)
            return
        asked = list(dict.fromkeys(tags))
        for part, first, last in cuts(asked, start, end, rows, self.count):
            values = self._values(list(part), first, last, previous=False)
            if len(values):
                yield values.table(asked, first=asked.index(part[0]))

    def count(self, tags: Sequence[str], start: int, end: int) -> int:
        """About how many values the tags have in [start, end)."""
        beside = self._pending if self._target.keeps(Kind.TEXT) else self._embedded
        return beside.count(tags, start, end) + self._ask(lambda: self._server.count(tags, start, end), 0)

    def sql(
        self,
        text: str,
        *,
        tags: Sequence[str] | None = None,
        start: int = FOREVER[0],
        end: int = FOREVER[1],
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        stopped: Callable[[], bool] = lambda: False,
    ) -> Query:
        """One SELECT on values that are fetched first, as `History.sql` says; too many of them are refused."""
        asked = self._embedded.tags() if tags is None else list(dict.fromkeys(tags))
        return query(text, self._whole(), asked, (start, end), limits, stopped)

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
        count = pending + self._ask(lambda: self._server.count([tag], start, end), 0)
        if count > max(RAW_POINTS, points):
            return picture(self._rollup([tag], start, end, every), every)
        rows = self._values([tag], start, end, previous=False).numbers()
        return chosen(rows, points)

    def aggregate(self, tags: Sequence[str], start: int, end: int, every: int, *, of: Collection[str] = ()) -> pa.Table:
        """Per tag and bucket of `every` ns counted from `start`, as the embedded store answers it."""
        asked = list(dict.fromkeys(tags))
        return columns_of(rollup_table(asked, self._rollup(asked, start, end, every), 0), of)

    def states(self, tags: Sequence[str], edges: NDArray[np.int64]) -> Iterator[pa.Table]:
        """Rows that hold each state as long between `edges`, as `StateReader.states` says."""
        asked = list(dict.fromkeys(tags))
        whole = self._values(asked, *whole_hours(edges), previous=True)
        if self._rests():
            yield from self._embedded.states(asked, edges)
        elif self._target.keeps(Kind.TEXT):
            yield whole.table(asked)
        else:
            kept = join([from_table(table, asked) for table in self._embedded.states(asked, edges)])
            texts, numbers = kept.take(~kept.is_number()), whole.take(whole.is_number())
            yield join([numbers, texts]).sorted().table(asked)

    def _values(self, asked: list[str], start: int, end: int, *, previous: bool) -> Values:
        here = self._here(asked, start, end, previous=previous)
        there = self._ask(lambda: from_table(self._server.read(asked, start, end, previous=previous), asked), None)
        if there is None:
            return from_table(self._embedded.read(asked, start, end, previous=previous), asked)
        whole = self._united(there, here)
        return whole.take(since(whole.rows.tag, whole.rows.time, start)) if previous else whole

    def _whole(self) -> FrontedReader:
        """The same, but that it raises `StoreError` where the embedded store would answer alone."""
        return FrontedReader(
            self._target, self._server, self._embedded, self._pending, outage=self._outage, strict=True
        )

    def _here(self, asked: list[str], start: int, end: int, *, previous: bool) -> Values:
        """What the server may not have. Asked before the server, so that nothing is missed that goes over meanwhile."""
        here = from_table(self._pending.read(asked, start, end, previous=previous), asked)
        if not self._target.keeps(Kind.TEXT):
            kept = from_table(self._embedded.read(asked, start, end, previous=previous), asked)
            here = join([here.take(here.is_number()), kept.take(~kept.is_number())])
        return here

    def _united(self, there: Values, here: Values) -> Values:
        there = there if self._target.keeps(Kind.TEXT) else there.take(there.is_number())
        return _united(there, here, self._target.precision)

    def _rollup(self, asked: list[str], start: int, end: int, every: int) -> Rollup:
        """The server's summaries; buckets in which something is pending are summarised from the values of both."""
        pending = from_table(self._pending.read(asked, start, end), asked).numbers()
        there = self._ask(lambda: _as_rollup(self._server.aggregate(asked, start, end, every), asked), None)
        if there is None:
            return _as_rollup(self._embedded.aggregate(asked, start, end, every), asked)
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
            self._outage.note(str(problem))
            if self._strict:
                raise
            return otherwise
        self._outage.note("")
        return answer

    def _rests(self) -> bool:
        return self._outage.is_now() and not self._strict


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
