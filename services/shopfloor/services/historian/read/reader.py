"""Reading back: `plant.Reader` over segments, rollups and memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from shopfloor.plant import Kind
from shopfloor.services.historian.latest import Latest, to_table
from shopfloor.services.historian.log.dictionary import Dictionary
from shopfloor.services.historian.options import FOREVER, HOUR, MINUTE
from shopfloor.services.historian.read.answers import COLUMNS, chosen, picture, rows_table
from shopfloor.services.historian.read.curve import curve
from shopfloor.services.historian.read.door import query
from shopfloor.services.historian.read.planner import WAYS
from shopfloor.services.historian.read.scan import Scan, last_of_each, portions
from shopfloor.services.historian.read.sql import Limits, Query
from shopfloor.services.historian.read.state_scan import StateScan
from shopfloor.services.historian.read.states import whole_hours
from shopfloor.services.historian.read.summaries import NUMERIC, Summaries
from shopfloor.services.historian.rows import Rows, empty, join, one_kind, order, since, sort
from shopfloor.services.historian.shelf import Readable, View

_TEXT: Final = (Kind.TEXT,)
_BACK: Final = (HOUR, 24 * HOUR, 7 * 24 * HOUR, 60 * 24 * HOUR)
"""How far back `previous` looks, step by step, before it looks at everything."""


_Cut = tuple[dict[str, int], int, int]
"""Tags by path, start and end."""


class StoreReader:
    """`plant.Reader` of the embedded store. Thread-safe; answers see one moment of the store.

    Rows are sorted by tag in the order asked, then by time. int64 values answer as float64 in `value`.
    """

    def __init__(self, shelf: Readable, tags: Dictionary, latest: Latest) -> None:
        self._shelf, self._tags, self._latest = shelf, tags, latest
        self._selection = lru_cache(maxsize=16)(self._select)

    def tags(self) -> list[str]:
        """Every tag that ever had a value, in order of first appearance."""
        return list(self._tags.paths)

    def kinds(self, tag: str) -> list[Kind]:
        """The kinds of value that a tag has ever held."""
        id_ = self._tags.find(tag)
        return [] if id_ is None else [kind for kind in Kind if self._tags.holds(id_, kind)]

    def latest(self, tags: Sequence[str] | None = None) -> pa.Table:
        """Newest value of each tag (of all, when None): tag, time, value, text, quality."""
        paths, ids = self._selection(None if tags is None else tuple(tags), self._tags.settled)
        return to_table(paths, self._latest.of(ids))

    def read(
        self,
        tags: Sequence[str],
        start: int,
        end: int,
        *,
        previous: bool = False,
        columns: Sequence[str] = COLUMNS,
    ) -> pa.Table:
        """Every value in [start, end): the chosen `columns` of tag (dictionary), time, value, text, quality.

        With `previous`, the last value of each tag before `start` comes first, for data that is stored on change.
        """
        view, known = self._shelf.view(), self._known(tags)
        parts = portions(view, known, len(self._tags), start, end)
        tables = [self._read(view, known, part, start, end, previous, columns) for part in parts]
        return tables[0] if len(tables) == 1 else pa.concat_tables(tables)

    def _read(
        self,
        view: View,
        asked: dict[str, int],
        known: dict[str, int],
        start: int,
        end: int,
        previous: bool,
        columns: Sequence[str],
    ) -> pa.Table:
        return self._table(self._scan(view, known), list(asked), known, start, end, previous, columns)

    def _table(
        self,
        scan: Scan,
        names: list[str],
        known: dict[str, int],
        start: int,
        end: int,
        previous: bool,
        columns: Sequence[str],
    ) -> pa.Table:
        first = names.index(next(iter(known))) if known else 0
        numbers = self._rows(scan, known, NUMERIC, start, end, previous=previous)
        texts = self._rows(scan, known, _TEXT, start, end, previous=previous)
        if not len(texts):
            return rows_table(names, numbers, None, columns, first)
        if not len(numbers):
            rows = Rows(texts.tag, texts.time, np.full(len(texts), np.nan), texts.quality)
            return rows_table(names, rows, texts.value, columns, first)
        rows = Rows(
            np.concatenate([numbers.tag, texts.tag]),
            np.concatenate([numbers.time, texts.time]),
            np.concatenate([numbers.value, np.full(len(texts), np.nan)]),
            np.concatenate([numbers.quality, texts.quality]),
        )
        text = np.concatenate([np.full(len(numbers), None, object), texts.value])
        index = order(rows.tag, rows.time)
        index = np.arange(len(rows)) if index is None else index
        index = index[since(rows.tag[index], rows.time[index], start)]
        return rows_table(names, rows.take(index), text[index], columns, first)

    def states(self, tags: Sequence[str], edges: NDArray[np.int64]) -> Iterator[pa.Table]:
        """What `states.StateReader.states` says: condensed rows where they hold each state as long between `edges`."""
        view, known = self._shelf.view(), self._known(tags)
        start, end = whole_hours(edges)
        plain = {tag: id_ for tag, id_ in known.items() if len(self.kinds(tag)) == 1}
        mixed = {tag: id_ for tag, id_ in known.items() if tag not in plain}
        for asked, cuts in ((plain, edges), (mixed, None)):
            for part in portions(view, asked, len(self._tags), start, end):
                scan = StateScan(view, list(part.values()), len(self._tags), cuts)
                yield self._table(scan, list(part), part, start, end, True, COLUMNS)

    def downsample(self, tag: str, start: int, end: int, points: int) -> pa.Table:
        """About `points` values that draw the same picture: time, value, low, high, quality (worst).

        Few values come as they are; many as the mean and extremes of buckets, from rollups where the span is long.
        """
        view, known = self._shelf.view(), self._known([tag])
        summaries = Summaries(view, self._tags, known)
        points = max(points, 2)
        every = -(-(end - start) // points)
        if every >= MINUTE:
            every = -(-every // MINUTE) * MINUTE
            every = -(-every // HOUR) * HOUR if every >= 2 * HOUR else every
            width = HOUR if every % HOUR == 0 else MINUTE
            rollup = summaries.rollup(start // width * width, end, every)
            return picture(rollup, every)
        rows = curve(self._scan(view, known), self._tags.held(known.values(), NUMERIC), start, end)
        if not len(rows):
            return picture(summaries.rollup(start // MINUTE * MINUTE, end, MINUTE), MINUTE)
        return chosen(rows, points)

    def aggregate(
        self,
        tags: Sequence[str],
        start: int,
        end: int,
        every: int,
        *,
        of: Collection[str] = (),
        ways: Collection[str] = WAYS,
    ) -> pa.Table:
        """Per tag and bucket of `every` ns counted from `start`.

        Columns: tag, time, n, bad, sum, min, max, first, last, increase, first_time, last_time, quality (worst). Good
        and uncertain numbers enter; `bad` counts the rest. `increase` is a counter's: the rises, resets left out, the
        one from the bucket before included, so that the buckets of a span add up. The answer is the one that `read`
        gives, values that were stored twice or replaced included, by the cheapest of the `ways` (`planner.WAYS`).
        Of the columns only those in `of`, if given, where "mean" means n and sum: fewer cost less.
        """
        view, known = self._shelf.view(), self._known(tags)
        return Summaries(view, self._tags, known).table(start, end, every, of, ways)

    def portions(self, tags: Sequence[str], start: int, end: int, rows: int = 65_536) -> Generator[pa.Table]:
        """What `read` answers, in tables of about `rows` rows, all of one moment of the store; empty ones left out."""
        view, known = self._shelf.view(), self._known(tags)
        for part, first, last in self._cuts(view, known, start, end, rows):
            table = self._read(view, known, part, first, last, False, COLUMNS)
            if table.num_rows:
                yield table

    def count(self, tags: Sequence[str], start: int, end: int) -> int:
        """About how many values in files the tags have in [start, end)."""
        view, known = self._shelf.view(), self._known(tags)
        return self._scan(view, known).estimate(tuple(Kind), start, end, memory=False)

    def _cuts(self, view: View, part: dict[str, int], start: int, end: int, rows: int) -> Iterator[_Cut]:
        """The question in halves of halves, by tag and then by time, until each answers about `rows` rows."""
        many = self._scan(view, part).estimate(tuple(Kind), start, end, memory=False) > rows
        if many and len(part) > 1:
            names = list(part.items())
            for half in (names[: len(names) // 2], names[len(names) // 2 :]):
                yield from self._cuts(view, dict(half), start, end, rows)
        elif many and end - start > MINUTE:
            middle = _middle(view, start, end)
            yield from self._cuts(view, part, start, middle, rows)
            yield from self._cuts(view, part, middle, end, rows)
        elif part:
            yield part, start, end

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
        """One SELECT (DuckDB) on `samples`, `minutes`, `hours`, `tags` and `latest` of these tags in [start, end).

        Iterate over `Query.batches()`. `QuestionError` says what cannot be run, or took too long or too much memory.
        Work before the first portion ends soon after `stopped` says so.
        """
        view, known = self._shelf.view(), self._known(self.tags() if tags is None else tags)
        return query(text, self, view, known, (start, end), limits, stopped)

    def fill(self, latest: Latest) -> None:
        """Give `latest` the newest stored value of every tag."""
        view, known = self._shelf.view(), self._known(self.tags())
        end = max((segment.end for segment in view.segments), default=0) + 1
        scan = self._scan(view, known)
        for kinds in (NUMERIC, _TEXT):
            if held := self._tags.held(known.values(), kinds):
                latest.update(self._before(scan, held, end, len(known)), kinds[0])

    def _select(self, tags: tuple[str, ...] | None, count: int) -> tuple[pa.Array, NDArray[np.int64]]:
        """Names and numbers of those that are known while there are `count` tags: pages ask for the same again."""
        known = self._known(self._tags.paths[:count] if tags is None else tags)
        known = {tag: id_ for tag, id_ in known.items() if id_ < count}
        return pa.array(list(known), pa.string()), np.fromiter(known.values(), np.int64, len(known))

    def _known(self, tags: Sequence[str]) -> dict[str, int]:
        found = {tag: self._tags.find(tag) for tag in tags}
        return {tag: id_ for tag, id_ in found.items() if id_ is not None}

    def _scan(self, view: View, known: dict[str, int]) -> Scan:
        return Scan(view, list(known.values()), len(self._tags))

    def _rows(
        self, scan: Scan, known: dict[str, int], kinds: Sequence[Kind], start: int, end: int, *, previous: bool = False
    ) -> Rows:
        held = self._tags.held(known.values(), kinds)
        return self._with_previous(scan, known, held, start, end, previous=previous) if held else empty(kinds[0])

    def _with_previous(
        self, scan: Scan, known: dict[str, int], kinds: list[Kind], start: int, end: int, *, previous: bool
    ) -> Rows:
        rows = one_kind([scan.rows(kind, start, end) for kind in kinds])
        if not previous:
            return rows
        return sort(join([self._before(scan, kinds, start, len(known)), rows], kinds[0]))

    def _before(self, scan: Scan, kinds: list[Kind], start: int, tags: int) -> Rows:
        """The last row of each tag before `start`, looking further back only for the tags not found yet."""
        found: list[Rows] = []
        missing = np.ones(tags, bool)
        border = start
        for back in (*_BACK, start):
            lower = max(start - back, 0)
            rows = last_of_each(one_kind([scan.rows(kind, lower, border) for kind in kinds]))
            rows = rows.take(missing[rows.tag])
            found.append(rows)
            missing[rows.tag] = False
            border = lower
            if not missing.any() or border <= 0:
                break
        return join(found, kinds[0])


def _middle(view: View, start: int, end: int) -> int:
    """Half of the time in which there may be values."""
    first = max(start, min((segment.start for segment in view.segments), default=start))
    last = min(end, max((segment.end for segment in view.segments), default=end))
    return min(max((first + last) // 2, start + 1), end - 1)
